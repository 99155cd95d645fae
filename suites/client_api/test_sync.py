"""What /sync brings: all of it, what is new, and a way back where it leaves something out."""

import json
from functools import partial

import pytest

from fixtures.clients import rooms
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import Json, MatrixClient, timeline
from fixtures.clients.syncing import answers_until, brought, joined, says
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.clients import NewUser
from fixtures.plugins.evidence import Evidence

WINDOW = 2
"""How many events of a room a client asks for."""

SHORT = json.dumps({"room": {"timeline": {"limit": WINDOW}}})
LAZY = json.dumps({"room": {"timeline": {"limit": 1}, "state": {"lazy_load_members": True}}})

WORDS = ("one", "two", "three", "four")


@pytest.mark.requirement("CLI-023")
async def test_the_first_answer_is_all_and_the_next_what_is_new(
    alice: MatrixClient, evidence: Evidence
) -> None:
    """A room with a message. The first /sync brings its state and the message, the next only what was sent since."""
    room = await alice.create_room(name="Lobby")
    old = await alice.send(room, "old")
    first = await answers_until(alice, partial(says, room, "old"), label="the message")
    new = await alice.send(room, "new")
    answers = await answers_until(alice, partial(says, room, "new"), label="the next message")
    events = [
        event
        for answer in first
        for event in joined(answer, room).get("state", {}).get("events", []) + timeline(answer, room)
    ]
    known = {event["event_id"] for event in events}
    later = [event["event_id"] for answer in answers for event in timeline(answer, room)]
    evidence("brought", {"first": len(known), "next": later})
    assert old in known, f"the first /sync does not have the message: {[event['type'] for event in events]}"
    assert {"m.room.create", "m.room.name"} <= {event["type"] for event in events}, (
        "the first /sync lacks state"
    )
    assert later == [new], f"the next /sync brings {later}, not {new} alone; does `since` reach Synapse?"


@pytest.mark.requirement("CLI-023")
async def test_full_state_is_the_state_once_more(alice: MatrixClient, evidence: Evidence) -> None:
    """Precondition: a client that is up to date. With full_state it gets the state again, and no message twice."""
    room = await alice.create_room(name="Lobby")
    await alice.send(room, "old")
    await brought(alice, partial(says, room, "old"), label="the message")
    answer = await alice.sync(full_state="true")
    state = {event["type"] for event in joined(answer, room).get("state", {}).get("events", [])}
    evidence("state", sorted(state))
    assert {"m.room.create", "m.room.name", "m.room.member"} <= state, f"full_state brings {sorted(state)}"
    assert not timeline(answer, room), f"full_state repeats {rooms.bodies(timeline(answer, room))}"


@pytest.mark.requirement("CLI-023")
async def test_a_gap_leads_back(alice: MatrixClient, evidence: Evidence) -> None:
    """Precondition: a client that takes few events at once. More are sent: it gets the last ones in their order, is
    told that there are others, and /messages from `prev_batch` has them, none missing and none twice."""
    room = await alice.create_room()
    await alice.sync(filter=SHORT)
    for word in WORDS:
        await alice.send(room, word)
    since = alice.since

    async def all_at_once() -> Json:
        alice.since = since
        found: Json = joined(await alice.sync(filter=SHORT), room).get("timeline", {})
        if rooms.bodies(found.get("events", []))[-1:] != list(WORDS[-1:]):
            raise NotYet(f"/sync brings {rooms.bodies(found.get('events', []))}")
        return found

    answer = await eventually(all_at_once, within=Budget.DELIVERY, label="/sync brings the last message")
    shown = rooms.bodies(answer["events"])
    page = await alice.call(
        "GET", rooms.path(room, "messages"), params={"dir": "b", "from": answer["prev_batch"]}
    )
    before = rooms.bodies(page["chunk"])[::-1]
    evidence("brought", {"limited": answer["limited"], "shown": shown, "before": before})
    assert answer["limited"], f"/sync brings {shown} and does not say that there is more"
    assert shown == list(WORDS[-WINDOW:]), f"/sync brings {shown} of {list(WORDS)}"
    assert before + shown == list(WORDS), (
        f"back from prev_batch there are {before} before {shown}, of {list(WORDS)}"
    )


@pytest.mark.requirement("CLI-025")
async def test_members_come_when_they_speak(
    alice: MatrixClient, bob: MatrixClient, new_user: NewUser, evidence: Evidence
) -> None:
    """Precondition: Alice, Bob and Carol share a named room in which Alice spoke last; Bob loads members lazily. He
    gets Alice and not Carol; Alice not again when she goes on; Carol when she speaks.

    A room without a name is called by its members, who then come along.
    Each process remembers for itself what a device has: the first answer of the next one may repeat.
    """
    carol = await new_user("carol")
    room = await shared_room(alice, bob, carol)
    await rooms.put_state(alice, room, "m.room.name", {"name": "Lobby"})
    await alice.send(room, "first")

    async def members(text: str) -> set[str]:
        """Who comes along up to the message."""
        answers = await answers_until(bob, partial(says, room, text), label=text, filter=LAZY)
        state = [
            event for answer in answers for event in joined(answer, room).get("state", {}).get("events", [])
        ]
        return {event["state_key"] for event in state if event["type"] == "m.room.member"}

    bob.since = None
    at_first = await members("first")
    await alice.send(room, "second")
    await members("second")
    await alice.send(room, "third")
    going_on = await members("third")
    await carol.send(room, "fourth")
    carol_speaks = await members("fourth")
    evidence("members", {"at first": len(at_first), "again": len(going_on), "Carol": len(carol_speaks)})
    assert alice.user_id in at_first, f"Alice spoke, and /sync brings {at_first} of the members"
    assert carol.user_id not in at_first, (
        "Carol has said nothing, and /sync brings her; is the filter passed on?"
    )
    assert not going_on, f"nobody new spoke, and /sync repeats {going_on}"
    assert carol.user_id in carol_speaks, f"Carol spoke, and /sync brings {carol_speaks} of the members"


@pytest.mark.requirement("CLI-031")
async def test_a_room_that_was_left_is_told_once(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Bob leaves a room, declines an invitation to another, and is banned from a third. His next /sync says so of each,
    and the one that brings a later message in a fourth does not say so again."""
    stays, left, banned = [await shared_room(alice, bob) for _ in range(3)]
    declined = await alice.create_room(preset="private_chat", invite=[bob.user_id])

    await brought(
        bob, lambda answer: answer.get("rooms", {}).get("invite", {}).get(declined), label="the invitation"
    )
    await rooms.act(bob, left, "leave")
    await rooms.act(bob, declined, "leave")
    await rooms.act(alice, banned, "ban", bob.user_id)
    names = {left: "left", declined: "declined", banned: "banned"}
    told: list[str] = []

    def all_told(answer: Json) -> bool | None:
        told.extend(answer.get("rooms", {}).get("leave", {}))
        return set(told) >= set(names) or None

    await answers_until(bob, all_told, label="what was left, declined and banned from")
    await alice.send(stays, "sentinel")
    answers = await answers_until(bob, partial(says, stays, "sentinel"), label="the later message")
    again = [each for answer in answers for each in answer.get("rooms", {}).get("leave", {})]
    evidence("told", {"first": sorted(names[each] for each in told), "again": len(again)})
    assert sorted(told) == sorted(names), (
        f"of left, declined and banned /sync tells {sorted(names[each] for each in told)}"
    )
    assert not again, f"/sync tells again of {sorted(names[each] for each in again)}"
