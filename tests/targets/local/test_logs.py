"""What containers write: whole lines, stamped, without secrets."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.deployment.censor import Censor
from fixtures.targets.local.logs import log_file, read_log, record, tail
from tests.targets.local.conftest import SECRET, secret

PLAIN = Censor([])
DOOR = Censor(
    [
        secret(
            "door",
            password=SECRET,
            key="-----BEGIN KEY-----\nfirst line of it\nMIIEvQIBADANBgkq\n-----END KEY-----\n",
        )
    ]
)


async def written(path: Path, chunks: list[bytes], censor: Censor) -> None:
    """Record a stream that comes in these pieces."""
    stream = asyncio.StreamReader()
    recording = asyncio.create_task(record(stream, path, censor))
    for chunk in chunks:
        stream.feed_data(chunk)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    stream.feed_eof()
    await recording


def lines(folder: Path, **which: object) -> list[str]:
    """The log of the one container."""
    return list(read_log(folder, "pod", "main", previous=bool(which.get("previous")), since=None))


chunked = st.lists(
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=6).map(str.encode), max_size=8
)


@given(chunked)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lines_come_back_as_they_were(tmp_path: Path, chunks: list[bytes]) -> None:
    """Wherever the pieces are cut, and whatever strange characters are in them: only \\n ends a line."""
    path = log_file(tmp_path, "pod", "main", 0)
    path.unlink(missing_ok=True)
    asyncio.new_event_loop().run_until_complete(written(path, chunks, PLAIN))
    text = b"".join(chunks).decode()
    assert lines(tmp_path) == (text.removesuffix("\n").split("\n") if text else [])
    assert "\n" not in tail(path)


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
async def test_secret_is_masked_wherever_the_pieces_are_cut(tmp_path: Path, size: int) -> None:
    """A value, and each line of one that has several, also inside other text."""
    text = f"a {SECRET} b\nx={SECRET}\nfirst line of it\n\tMIIEvQIBADANBgkq\nend".encode()
    path = log_file(tmp_path, "pod", "main", 0)
    await written(path, [text[at : at + size] for at in range(0, len(text), size)], DOOR)
    assert lines(tmp_path) == [
        "a [secret door/password] b",
        "x=[secret door/password]",
        "[secret door/key]",
        "\t[secret door/key]",
        "end",
    ]


async def test_since_compares_moments(tmp_path: Path) -> None:
    """Lines before it are left out."""
    await written(log_file(tmp_path, "pod", "main", 0), [b"old\n"], PLAIN)
    now = datetime.now(UTC)
    await written(log_file(tmp_path, "pod", "main", 0), [b"new\r\n"], PLAIN)
    assert list(read_log(tmp_path, "pod", "main", previous=False, since=now)) == ["new\r"]
    assert len(list(read_log(tmp_path, "pod", "main", previous=False, since=now - timedelta(hours=1)))) == 2


async def test_lives_are_told_apart(tmp_path: Path) -> None:
    """The last, the one before it (also after the tenth), and none where there is none."""
    assert lines(tmp_path) == []
    await written(log_file(tmp_path, "pod", "main", 0), [b"0\n"], PLAIN)
    assert lines(tmp_path, previous=True) == []
    for life in (9, 10):
        await written(log_file(tmp_path, "pod", "main", life), [b"%d\n" % life], PLAIN)
    assert lines(tmp_path) == ["10"]
    assert lines(tmp_path, previous=True) == ["9"]


async def test_tail_is_one_line(tmp_path: Path) -> None:
    """The last three, without stamps; nothing where there is no file."""
    path = log_file(tmp_path, "pod", "main", 0)
    assert tail(path) == ""
    await written(path, [b"1\n2\n3  \t3\r\n4\x1b\x0c\n"], PLAIN)
    assert tail(path) == "2 | 3 3 | 4\x1b"
