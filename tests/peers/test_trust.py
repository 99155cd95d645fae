"""A real Chromium, and servers with certificates that it must take or refuse."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from fixtures.deployment.interface import Absent, FrontDoor
from fixtures.peers.browser.chromium import chromium
from fixtures.peers.browser.machine import this_machine
from fixtures.peers.browser.serving import ORIGIN
from fixtures.peers.browser.trust import certificates
from fixtures.rendering.certificates import Issue, issue
from reports.model import NotRun, NotRunKind

NAME: Final = "matrix.test"

ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n"
    b"Access-Control-Allow-Origin: *\r\n\r\nok"
)

LOOK: Final = "address => fetch(address).then(answer => answer.text(), error => String(error))"


@pytest.fixture(autouse=True, scope="module")
def need_browser() -> None:
    """Not run where this machine has none."""
    if isinstance(absent := this_machine().verdict(), Absent):
        raise NotRun(NotRunKind.UNAVAILABLE, absent.reason)


@contextlib.asynccontextmanager
async def server(issued: Issue, folder: Path) -> AsyncIterator[int]:
    """A TLS server on loopback that says ok; its port."""
    (folder / "server.pem").write_bytes(issued.certificate + issued.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(ANSWER)
            await writer.drain()
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


async def seen(front: FrontDoor, folder: Path, address: str) -> tuple[str, list[str]]:
    """What a page of another origin gets from there, and what the browser says of it."""
    (folder / "page").mkdir()
    (folder / "page" / "index.html").write_text("<!doctype html><link rel=icon href=data:,>")
    said: list[str] = []
    async with chromium(
        front, (f"https://{NAME}",), replace(this_machine(), page=folder / "page")
    ) as browser:
        page = await browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        await page.goto(f"{ORIGIN}/index.html")
        return await page.evaluate(LOOK, address), said


@pytest.mark.parametrize(
    ("host", "trusted", "complaint"),
    [
        (NAME, True, None),
        ("other.test", True, "ERR_CERT_COMMON_NAME_INVALID"),
        (NAME, False, "ERR_CERT_AUTHORITY_INVALID"),
    ],
    ids=["right", "another name", "another authority"],
)
async def test_a_certificate_is_judged(
    host: str, trusted: bool, complaint: str | None, tmp_path: Path
) -> None:
    """A server at a port of its own, found by its name: the certificate must be the name's, of the known authority."""
    now = datetime.now(UTC)
    issued = issue([host], now=now)
    authority = issued.authority if trusted else issue([host], now=now).authority
    (tmp_path / "ca.pem").write_bytes(authority)
    async with server(issued, tmp_path) as port:
        front = FrontDoor(NAME, "127.0.0.1", port, port, tmp_path / "ca.pem")
        text, said = await seen(front, tmp_path, f"https://{NAME}/")
    if complaint is None:
        assert text == "ok", f"{text}; the browser: {said}"
    else:
        assert any(complaint in line for line in said), f"{text}; the browser: {said}"


async def test_no_other_server_is_found(tmp_path: Path) -> None:
    """A name of the world is not looked up."""
    (tmp_path / "ca.pem").write_bytes(issue([NAME], now=datetime.now(UTC)).authority)
    front = FrontDoor(NAME, "127.0.0.1", 1, 1, tmp_path / "ca.pem")
    _, said = await seen(front, tmp_path, "https://example.org/")
    assert any("ERR_NAME_NOT_RESOLVED" in line for line in said), said


def test_every_certificate_of_a_bundle_is_found() -> None:
    """Two authorities in one file, with words between."""
    now = datetime.now(UTC)
    first, second = (issue([NAME], now=now).authority.decode() for _ in range(2))
    assert certificates(f"# ours\n{first}\n# the old one\n{second}") == [first, second]
