"""The checker: a good history is judged good, and each fault that is put into it is found, and no other one."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.history.checker import check, worst_gap
from fixtures.history.model import History, Outcome, Read, Seen, Send, Source
from fixtures.history.verdict import Judgement

ROOMS = ("!one", "!two")
READERS = (
    ("@alice", "generic-worker-a", Source.MESSAGES),
    ("@bob", "synchrotron-b", Source.MESSAGES),
    ("@bob", "edge", Source.SYNC),
)


def sent(number: int, at_s: float, took_s: float, outcome: Outcome, room: str) -> Send:
    """A message; acknowledged as an event that is called after it."""
    name = f"t{number}"
    return Send(
        room=room,
        sender="@alice",
        transaction=name,
        invoked_s=at_s,
        completed_s=at_s + took_s,
        outcome=outcome,
        event_ids=(f"${name}",) if outcome is Outcome.OK else (),
    )


def read_of(room: str, there: Iterable[Send], reader: tuple[str, str, Source]) -> Read:
    """A reader that has exactly these, in this order."""
    name, through, source = reader
    events = tuple(Seen(f"${send.transaction}", send.transaction) for send in there if send.room == room)
    return Read(room=room, reader=name, through=through, source=source, events=events)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """What a right deployment may do: some messages acknowledged, some refused, some of unknown fate and there or not.

    Each message takes effect at some moment between its two times; readers have them in that order. In either room
    at least two are acknowledged one after the other, so that there is something to mutate.
    """
    sends, effective, there = list[Send](), dict[str, float](), set[str]()
    for number in range(draw(st.integers(4, 24))):
        sure = number < 4
        outcome = Outcome.OK if sure else draw(st.sampled_from([Outcome.OK, *Outcome]))
        room = ROOMS[number % 2] if sure else draw(st.sampled_from(ROOMS))
        at_s, took_s = (number * 2.0, 1.0) if sure else (draw(st.floats(8, 30)), draw(st.floats(0, 10)))
        send = sent(number, at_s, took_s, outcome, room)
        sends.append(send)
        effective[send.transaction] = at_s + took_s * draw(st.floats(0, 1))
        if outcome is Outcome.OK or (outcome is Outcome.INFO and draw(st.booleans())):
            there.add(send.transaction)
    order = sorted(
        (each for each in sends if each.transaction in there), key=lambda each: effective[each.transaction]
    )
    return History(tuple(sends), tuple(read_of(room, order, reader) for room in ROOMS for reader in READERS))


Mutation = Callable[[History, random.Random], History]


def changed(history: History, place: int, change: Callable[[list[Seen]], Any]) -> History:
    """The history with other events in one of its reads."""
    events = list(history.reads[place].events)
    change(events)
    reads = list(history.reads)
    reads[place] = reads[place].model_copy(update={"events": tuple(events)})
    return replace(history, reads=tuple(reads))


def somewhere(history: History, dice: random.Random) -> int:
    return dice.randrange(len(history.reads))


def an_acknowledged(history: History, dice: random.Random, room: str) -> Send:
    return dice.choice([each for each in history.sends if each.room == room and each.outcome is Outcome.OK])


def resent(history: History, old: Send, **update: Any) -> History:
    """The history with one message known in another way."""
    new = old.model_copy(update=update)
    return replace(history, sends=tuple(new if each is old else each for each in history.sends))


def lost(history: History, dice: random.Random) -> History:
    """An acknowledged message is missing for one reader."""
    place = somewhere(history, dice)
    victim = an_acknowledged(history, dice, history.reads[place].room)
    return changed(
        history, place, lambda events: events.remove(Seen(victim.event_ids[0], victim.transaction))
    )


def lost_for_all(history: History, dice: random.Random) -> History:
    """An acknowledged message is missing for everybody."""
    victim = an_acknowledged(history, dice, ROOMS[0])
    gone = Seen(victim.event_ids[0], victim.transaction)
    for place, read in enumerate(history.reads):
        if read.room == victim.room:
            history = changed(history, place, lambda events: events.remove(gone))
    return history


def hollow(history: History, dice: random.Random) -> History:
    """The event is there, with what another message said."""
    place = somewhere(history, dice)
    return changed(history, place, lambda events: events.__setitem__(0, Seen(events[0].event_id, "other")))


def event_twice(history: History, dice: random.Random) -> History:
    """One reader has an event twice."""
    place = somewhere(history, dice)
    where = dice.randrange(len(history.reads[place].events) + 1)
    return changed(history, place, lambda events: events.insert(where, dice.choice(events)))


def two_events(history: History, dice: random.Random) -> History:
    """A message became two events, one of which nobody acknowledged."""
    place = somewhere(history, dice)
    again = Seen("$again", dice.choice(history.reads[place].events).transaction)
    return changed(history, place, lambda events: events.append(again))


def split(history: History, dice: random.Random) -> History:
    """A message was acknowledged once more, as another event."""
    victim = an_acknowledged(history, dice, dice.choice(ROOMS))
    return resent(history, victim, event_ids=(*victim.event_ids, "$second"))


def resurrected(history: History, dice: random.Random) -> History:
    """What is there was refused."""
    there = [each for each in history.sends if each.event_ids or each.transaction in everything_read(history)]
    return resent(history, dice.choice(there), outcome=Outcome.FAIL, event_ids=())


def unexpected(history: History, dice: random.Random) -> History:
    """There is a message that nobody sent."""
    where = dice.randrange(2)
    return changed(
        history, somewhere(history, dice), lambda events: events.insert(where, Seen("$ghost", "ghost"))
    )


def in_another_room(history: History, dice: random.Random) -> History:
    """A message is in a room into which it was not sent, too."""
    victim = an_acknowledged(history, dice, ROOMS[0])
    place = next(place for place, read in enumerate(history.reads) if read.room == ROOMS[1])
    return changed(
        history, place, lambda events: events.append(Seen(victim.event_ids[0], victim.transaction))
    )


def disagreement(history: History, dice: random.Random) -> History:
    """What nobody acknowledged is there for one reader, and not for the others."""
    orphan = sent(99, 50, 1, Outcome.INFO, history.reads[place := somewhere(history, dice)].room)
    history = replace(history, sends=(*history.sends, orphan))
    return changed(history, place, lambda events: events.append(Seen("$orphan", orphan.transaction)))


def reordered(history: History, dice: random.Random) -> History:
    """A message stands before one that was acknowledged before it was sent."""
    place = somewhere(history, dice)
    first, second = (
        (f"t{number}" for number in (0, 2)) if history.reads[place].room == ROOMS[0] else ("t1", "t3")
    )

    def swap(events: list[Seen]) -> None:
        names = [seen.transaction for seen in events]
        one, other = names.index(first), names.index(second)
        events[one], events[other] = events[other], events[one]

    return changed(history, place, swap)


def everything_read(history: History) -> set[str]:
    return {seen.transaction for read in history.reads for seen in read.events}


MUTATIONS: dict[Mutation, set[str]] = {
    lost: {"lost"},
    lost_for_all: {"lost"},
    hollow: {"lost", "unexpected"},
    event_twice: {"duplicated"},
    two_events: {"duplicated"},
    split: {"split"},
    resurrected: {"resurrected"},
    unexpected: {"unexpected"},
    in_another_room: {"unexpected"},
    disagreement: {"disagreement"},
    reordered: {"reordered"},
}


@settings(deadline=None)
@given(histories())
def test_what_a_right_deployment_does_is_judged_good(history: History) -> None:
    assert check(history).judgement is Judgement.PASS, str(check(history))


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
@settings(deadline=None)
@given(history=histories(), dice=st.randoms(use_true_random=False))
def test_each_fault_is_found_and_only_it(mutation: Mutation, history: History, dice: random.Random) -> None:
    verdict = check(mutation(history, dice))
    assert (verdict.judgement, set(verdict.faults)) == (Judgement.FAIL, MUTATIONS[mutation]), str(verdict)


def test_every_kind_of_fault_is_tried() -> None:
    kinds = {"lost", "duplicated", "split", "resurrected", "unexpected", "disagreement", "reordered"}
    assert set().union(*MUTATIONS.values()) == kinds


GOOD = (
    sent(0, 0, 1, Outcome.OK, "!one"),
    sent(1, 2, 1, Outcome.OK, "!one"),
    sent(2, 2.5, 3, Outcome.OK, "!one"),
)


def test_the_verdict_names_reader_and_event() -> None:
    reads = (read_of("!one", GOOD, READERS[0]), read_of("!one", GOOD[1:], READERS[1]))
    verdict = check(History(GOOD, reads))
    assert verdict.lost["@bob by /messages through synchrotron-b"] == {"$t0"}
    assert str(verdict) == (
        "fail: lost 1: $t0 for @bob by /messages through synchrotron-b; 3 of 3 messages acknowledged; 2 readers"
    )


def test_a_message_lost_for_many_is_one_lost_message() -> None:
    reads = tuple(read_of("!one", GOOD[1:], reader) for reader in READERS)
    verdict = check(History(GOOD, reads))
    assert verdict.faults == {"lost": ["$t0 for 3 of 3 readers"]}
    assert verdict.numbers["lost"] == 1


def test_messages_under_way_together_may_stand_in_any_order() -> None:
    """They overlap; readers even have them in different orders. That is told, not judged."""
    reads = (
        read_of("!one", GOOD, READERS[0]),
        read_of("!one", (GOOD[0], GOOD[2], GOOD[1]), READERS[1]),
        read_of("!one", (GOOD[0], GOOD[2], GOOD[1]), READERS[2]),
    )
    verdict = check(History(GOOD, reads))
    assert verdict.judgement is Judgement.PASS
    assert verdict.differing == {"!one"}
    assert not check(History(GOOD, (reads[0], reads[2]))).differing


def test_of_a_split_message_one_event_is_enough_to_have_it() -> None:
    halves = GOOD[0].model_copy(update={"event_ids": ("$other", "$t0")})
    verdict = check(History((halves,), (read_of("!one", [halves], READERS[0]),)))
    assert set(verdict.faults) == {"split"}


@pytest.mark.parametrize(
    ("sends", "reads"),
    [
        ((), ()),
        (GOOD, ()),
        ((sent(0, 0, 1, Outcome.FAIL, "!one"),), (read_of("!one", [], READERS[0]),)),
        ((sent(0, 0, 1, Outcome.INFO, "!one"),), (read_of("!one", [], READERS[0]),)),
        ((*GOOD, sent(9, 0, 1, Outcome.OK, "!two")), (read_of("!one", GOOD, READERS[0]),)),
    ],
    ids=["nothing", "no reader", "all refused", "nothing acknowledged", "a room without reader"],
)
def test_what_proves_nothing_is_no_pass(sends: tuple[Send, ...], reads: tuple[Read, ...]) -> None:
    assert check(History(sends, reads)).judgement is Judgement.UNKNOWN


@pytest.mark.parametrize(
    ("times", "gap_s"),
    [
        ([], 0),
        ([(1, 2, Outcome.OK)], 1),
        ([(1, 2, Outcome.OK), (3, 7, Outcome.OK)], 5),
        ([(1, 2, Outcome.OK), (3, 12, Outcome.INFO)], 10),
        ([(5, 9, Outcome.FAIL)], 4),
    ],
)
def test_the_worst_gap_has_no_acknowledgement(
    times: list[tuple[float, float, Outcome]], gap_s: float
) -> None:
    """From the first send to the end of the last one: a deployment that never came back shows, too."""
    sends = [
        sent(number, begin, end - begin, outcome, "!one")
        for number, (begin, end, outcome) in enumerate(times)
    ]
    assert worst_gap(sends) == gap_s


def test_numbers_are_for_a_report() -> None:
    numbers = check(History(GOOD, (read_of("!one", GOOD, READERS[0]),))).numbers
    assert numbers == {
        "judgement": "pass",
        "acknowledged": 3,
        "refused": 0,
        "of unknown fate": 0,
        "readers": 1,
        "longest time without an acknowledgement, s": 2.5,
        "rooms in which /messages gave several orders": 0,
    }
