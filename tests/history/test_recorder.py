"""The recorder, against rooms in memory that misbehave on purpose: what it writes down is what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import pytest

from fixtures.deployment.waiting import eventually
from fixtures.history.checker import check
from fixtures.history.clock import Plan, intents
from fixtures.history.delivery import Postponed, Refused, Unanswered
from fixtures.history.model import Outcome, Seen, Send, Source
from fixtures.history.recorder import Reader, Recording, recording
from fixtures.history.verdict import Judgement

PLAN = Plan(seed=7, rate_hz=200, patience_s=0.2, pause_s=0.01, doubts=0.3, doubt_s=0.01)
ROOMS = ("!one", "!two")
MEMBERS = ("@alice", "@bob")


@dataclass
class Rooms:
    """A homeserver's memory: one event for each transaction, in the order of their coming."""

    events: dict[str, dict[str, str]] = field(default_factory=lambda: {room: {} for room in ROOMS})
    asked: dict[str, int] = field(default_factory=dict)

    async def take(self, room: str, transaction: str) -> str:
        """A right server; an answer takes a moment."""
        self.asked[transaction] = self.asked.get(transaction, 0) + 1
        event = self.events[room].setdefault(transaction, f"${transaction}")
        await asyncio.sleep(0)
        return event

    async def read(self, room: str, _expected: frozenset[str]) -> Sequence[Seen]:
        """Everything in the room."""
        return [Seen(event, transaction) for transaction, event in self.events[room].items()]

    async def readers(self) -> Sequence[Reader]:
        """Every member."""
        return [Reader(name, "memory", Source.MESSAGES, self.read) for name in MEMBERS]


Behaviour = Callable[[Rooms, str, str], Awaitable[str]]


async def recorded(behaviour: Behaviour, enough: Callable[[Recording], bool], plan: Plan = PLAN) -> Recording:
    """A recording of members whose server behaves like this, until there is enough of it."""
    rooms = Rooms()

    async def submit(room: str, transaction: str) -> str:
        return await behaviour(rooms, room, transaction)

    async with recording(dict.fromkeys(MEMBERS, submit), ROOMS, rooms.readers, plan) as record:
        await until(lambda: enough(record))
    return record


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that happens in this process."""

    async def holds() -> bool:
        return bool(condition())

    await eventually(holds, within=20, label="what a recording waits for")


def ended(sends: Sequence[Send], outcome: Outcome) -> list[Send]:
    return [send for send in sends if send.outcome is outcome]


async def right(rooms: Rooms, room: str, transaction: str) -> str:
    return await rooms.take(room, transaction)


async def loses_the_first_answer(rooms: Rooms, room: str, transaction: str) -> str:
    event = await rooms.take(room, transaction)
    if rooms.asked[transaction] == 1:
        raise Unanswered("the answer was lost")
    return event


async def is_busy_at_first(rooms: Rooms, room: str, transaction: str) -> str:
    rooms.asked[transaction] = rooms.asked.get(transaction, 0) + 1
    if rooms.asked[transaction] == 1:
        raise Postponed("come again")
    return await rooms.take(room, transaction)


async def refuses(rooms: Rooms, room: str, transaction: str) -> str:
    raise Refused("no")


async def refuses_what_it_took(rooms: Rooms, room: str, transaction: str) -> str:
    await rooms.take(room, transaction)
    if rooms.asked[transaction] == 1:
        raise Unanswered("the answer was lost")
    raise Refused("no")


async def never_answers(rooms: Rooms, room: str, transaction: str) -> str:
    raise Unanswered("nobody there")


async def is_always_busy(rooms: Rooms, room: str, transaction: str) -> str:
    raise Postponed("come again")


async def makes_another_event_of_it(rooms: Rooms, room: str, transaction: str) -> str:
    event = await rooms.take(room, transaction)
    return f"{event}-{rooms.asked[transaction]}"


@pytest.mark.parametrize("behaviour", [right, loses_the_first_answer, is_busy_at_first])
async def test_a_message_is_sent_again_until_it_is_acknowledged(behaviour: Behaviour) -> None:
    """Whatever the first answer was: each becomes one event, everybody reads it, some were sent again on purpose."""
    record = await recorded(behaviour, lambda record: len(ended(record.sends, Outcome.OK)) >= 30)
    verdict = check(record.history)
    assert verdict.judgement is Judgement.PASS, str(verdict)
    assert {send.outcome for send in record.sends} == {Outcome.OK}
    assert max(send.attempts for send in record.sends) > min(send.attempts for send in record.sends)
    assert len(record.history.reads) == len(ROOMS) * len(MEMBERS)


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (refuses, Outcome.FAIL),
        (is_always_busy, Outcome.FAIL),
        (never_answers, Outcome.INFO),
        (refuses_what_it_took, Outcome.INFO),
    ],
)
async def test_what_is_known_of_a_message_that_nobody_acknowledged(
    behaviour: Behaviour, outcome: Outcome
) -> None:
    """Refused is only what was refused each time. A history without an acknowledgement proves nothing."""
    record = await recorded(behaviour, lambda record: len(record.sends) >= 10)
    assert {send.outcome for send in record.sends} == {outcome}
    assert all(send.fault for send in record.sends)
    assert check(record.history).judgement is Judgement.UNKNOWN


async def test_patience_ends() -> None:
    record = await recorded(never_answers, lambda record: len(record.sends) >= 10)
    assert all(send.attempts > 1 for send in record.sends)
    assert all(send.completed_s - send.invoked_s < 10 * PLAN.patience_s for send in record.sends)


async def test_a_message_that_is_sent_again_must_be_the_same_event() -> None:
    record = await recorded(
        makes_another_event_of_it, lambda record: any(len(send.event_ids) > 1 for send in record.sends)
    )
    assert "split" in check(record.history).faults


async def test_a_server_that_hangs_stops_no_clock() -> None:
    """The clock is open: messages come though not one was answered."""

    async def hangs(rooms: Rooms, room: str, transaction: str) -> str:
        async with asyncio.timeout(PLAN.patience_s):
            await asyncio.Event().wait()
        raise AssertionError

    async def times_out(rooms: Rooms, room: str, transaction: str) -> str:
        try:
            return await hangs(rooms, room, transaction)
        except TimeoutError as error:
            raise Unanswered("time-out") from error

    record = await recorded(times_out, lambda record: len(record.sends) >= 20)
    begun, answered = [send.invoked_s for send in record.sends], [send.completed_s for send in record.sends]
    assert sorted(begun)[5] < min(answered)


async def test_the_history_is_there_when_the_block_fails() -> None:
    """What was under way has an unknown fate; all is read; the error comes through as it is."""
    rooms, held = Rooms(), list[Recording]()

    async def hangs(room: str, transaction: str) -> str:
        await rooms.take(room, transaction)
        await asyncio.Event().wait()
        raise AssertionError

    async def broken_off() -> None:
        async with recording({"@alice": hangs}, ROOMS, rooms.readers, PLAN) as record:
            held.append(record)
            await until(lambda: rooms.asked)
            raise LookupError("the fault")

    with pytest.raises(LookupError, match="the fault"):
        await broken_off()
    assert ended(held[0].sends, Outcome.INFO)
    assert len(held[0].history.reads) == len(ROOMS) * len(MEMBERS)
    before = len(rooms.asked)
    await asyncio.sleep(5 / PLAN.rate_hz)
    assert len(rooms.asked) == before, "somebody still sends"


async def test_a_failure_tells_when_nobody_could_read() -> None:
    """The first error comes through, with a note of the second."""

    async def readers() -> Sequence[Reader]:
        raise ConnectionError("nobody there")

    async def broken_off() -> None:
        async with recording({"@alice": Rooms().take}, ROOMS, readers, PLAN):
            raise LookupError("the fault")

    with pytest.raises(LookupError, match="the fault") as caught:
        await broken_off()
    assert "nobody there" in caught.value.__notes__[0]


async def test_it_can_be_cancelled() -> None:
    """At any moment: nothing of it is left running."""
    begun = asyncio.Event()

    async def hangs(rooms: Rooms, room: str, transaction: str) -> str:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    others = asyncio.all_tasks()
    task = asyncio.create_task(recorded(hangs, lambda _: False))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() - others == set()


async def test_a_reader_that_fails_ends_the_reading() -> None:
    """Its error comes through, and no other reader goes on."""
    rooms = Rooms()

    async def fails(room: str, expected: frozenset[str]) -> Sequence[Seen]:
        raise LookupError("unreadable")

    async def waits(room: str, expected: frozenset[str]) -> Sequence[Seen]:
        await asyncio.Event().wait()
        return ()

    async def readers() -> Sequence[Reader]:
        return [Reader("@alice", "memory", Source.SYNC, read) for read in (waits, fails)]

    others = asyncio.all_tasks()
    with pytest.raises(LookupError, match="unreadable"):
        async with recording({"@alice": rooms.take}, ROOMS, readers, PLAN):
            pass
    assert asyncio.all_tasks() - others == set()


async def test_what_is_acknowledged_is_counted_while_it_happens() -> None:
    record = await recorded(right, lambda record: all(record.acknowledged_since(0).values()))
    assert sum(record.acknowledged_since(0).values()) == len(record.sends)
    assert record.acknowledged_since(record.now_s()) == dict.fromkeys(ROOMS, 0)
    assert record.acknowledged("!one") == {
        f"${each.transaction}" for each in record.sends if each.room == "!one"
    }


def test_the_same_seed_is_the_same_clock() -> None:
    first, again, other = (
        list(islice(intents(Plan(seed, 2, 1, 1, 0.5, 1), MEMBERS, ROOMS), 400)) for seed in (1, 1, 2)
    )
    assert first == again != other
    assert len({intent.transaction for intent in first}) == len(first)
    assert {(intent.sender, intent.room) for intent in first} == {(a, b) for a in MEMBERS for b in ROOMS}
    assert 150 < first[-1].at_s < 250  # 400 messages at 2 Hz
    assert 0.4 < sum(intent.again_after_s is not None for intent in first) / len(first) < 0.6
