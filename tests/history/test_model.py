"""Histories as JSON lines: what is written is what is read, and what is wrong is named."""

from pathlib import Path

import pytest

from fixtures.history.model import History, HistoryError, Outcome, Read, Seen, Send, Source, load, parse

SEND = Send(
    room="!r",
    sender="@a",
    transaction="1-1",
    invoked_s=0.5,
    completed_s=1.25,
    outcome=Outcome.OK,
    event_ids=("$e",),
    attempts=2,
    fault="ReadTimeout('')",
)
LOST = SEND.model_copy(update={"transaction": "1-2", "outcome": Outcome.INFO, "event_ids": ()})
READ = Read(room="!r", reader="@b", through="synchrotron-a", source=Source.SYNC, events=(Seen("$e", "1-1"),))
HISTORY = History((SEND, LOST), (READ,))
LINES = list(HISTORY.lines())


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    file.write_text("".join(HISTORY.lines()), encoding="utf-8")
    assert load(file) == HISTORY


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "line: Invalid JSON"),
        ('{"kind": "guess"}', "line: Input tag 'guess'"),
        (LINES[0].replace('"room"', '"place"'), "send.room: Field required"),
        (LINES[0].replace('"ok"', '"good"'), "send.outcome: Input should be"),
        (LINES[0].replace("0.5", '"0.5"'), "send.invoked_s: Input should be a valid number"),
        (LINES[0].replace("0.5", "NaN"), "send.invoked_s: Input should be a finite number"),
        (LINES[0].replace("0.5", "9.5"), "send: completed_s is before invoked_s"),
        (LINES[0].replace('["$e"]', "[]"), "send: outcome ok with 0 event_ids"),
        (LINES[0].replace('["$e"]', '["$e","$e"]'), "send: event_ids holds one twice"),
        (LINES[1].replace('"info"', '"ok"'), "send: outcome ok with 0 event_ids"),
        (LINES[2].replace('"$e","1-1"', '"$e"'), "read.events.0.1: Field required"),
        (LINES[1].replace("1-2", "1-1"), "transaction 1-1 was sent before; remove one"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(line: str, fault: str) -> None:
    with pytest.raises(HistoryError) as caught:
        parse("".join([LINES[0], "\n", line]), "a.jsonl")
    assert str(caught.value).startswith(f"a.jsonl:3: {fault}"), str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"nowhere\.jsonl: cannot be read"):
        load(tmp_path / "nowhere.jsonl")


def test_two_messages_with_one_transaction_are_no_history() -> None:
    with pytest.raises(HistoryError, match="1-1: sent twice"):
        History((SEND, SEND))
