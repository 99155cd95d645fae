"""Who reads what of a room's history."""

import uuid
from dataclasses import dataclass

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import MatrixClient
from fixtures.plugins.clients import NewUser
from fixtures.plugins.evidence import Evidence

BEFORE, INVITED, JOINED = "before the invitation", "while invited", "once joined"


@dataclass(frozen=True)
class Readers:
    """What a setting lets a new member read, and whether strangers read."""

    member: frozenset[str]
    strangers: bool = False


VISIBILITY = {
    "joined": Readers(frozenset({JOINED})),
    "invited": Readers(frozenset({INVITED, JOINED})),
    "shared": Readers(frozenset({BEFORE, INVITED, JOINED})),
    "world_readable": Readers(frozenset({BEFORE, INVITED, JOINED}), strangers=True),
}


@pytest.mark.requirement("CLI-020")
@pytest.mark.parametrize("setting", VISIBILITY)
async def test_history_is_read_by_whom_it_is_meant_for(
    setting: str, alice: MatrixClient, bob: MatrixClient, new_user: NewUser, evidence: Evidence
) -> None:
    """Alice's room with each setting of its history: she writes before she invites Bob, while he is invited, and once
    he has joined. He reads what the setting says, by /messages and by /event, as Alice reads all; a stranger asks
    before Alice reads and after, and reads all or nothing."""
    stranger = await new_user("stranger")
    content = {"history_visibility": setting}
    room = await alice.create_room(
        preset="private_chat", initial_state=[{"type": "m.room.history_visibility", "content": content}]
    )
    sent = {BEFORE: await alice.send(room, BEFORE)}
    first_ask = await rooms.history(stranger, room)
    await alice.invite(room, bob.user_id)
    sent[INVITED] = await alice.send(room, INVITED)
    await bob.join(room)
    sent[JOINED] = await alice.send(room, JOINED)

    whole = set(rooms.bodies(await alice.messages(room)))
    by_messages = set(rooms.bodies(await bob.messages(room)))
    by_event = {
        when for when, event_id in sent.items() if (await rooms.event(bob, room, event_id)).is_success
    }
    second_ask = await rooms.history(stranger, room)
    evidence("Bob reads", {"by /messages": sorted(by_messages), "by /event": sorted(by_event)})
    evidence("a stranger", [first_ask.status_code, second_ask.status_code])

    expected = VISIBILITY[setting]
    assert whole == set(sent), f"Alice wrote {sorted(sent)} and reads {sorted(whole)}"
    assert by_messages == expected.member, (
        f"history_visibility {setting}: by /messages Bob reads {sorted(by_messages)}, not {sorted(expected.member)}; "
        "is there a cache between that answers one with what was another's?"
    )
    assert by_event == expected.member, (
        f"history_visibility {setting}: by /event Bob reads {sorted(by_event)}, not {sorted(expected.member)}"
    )
    refusals = [answer.status_code for answer in (first_ask, second_ask) if answer.is_error]
    if expected.strangers:
        assert not refusals, f"history_visibility {setting}: a stranger is refused: {refusals}"
        assert JOINED in second_ask.text, (
            "a stranger does not read what was written since the question before"
        )
    else:
        assert refusals == [httpx.codes.FORBIDDEN, httpx.codes.FORBIDDEN], (
            f"history_visibility {setting}: a stranger reads; refused only: {refusals}"
        )


@pytest.mark.requirement("CLI-021")
async def test_who_left_reads_what_was_before(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice and Bob share a room, and she has written. Bob leaves, she writes again, changes the topic,
    and reads it all. Bob reads the first message and the old topic, and nothing that came after."""
    room, old, new = await shared_room(alice, bob), uuid.uuid4().hex, uuid.uuid4().hex
    await rooms.put_state(alice, room, "m.room.topic", {"topic": old})
    await alice.send(room, old)
    await rooms.act(bob, room, "leave")
    await rooms.put_state(alice, room, "m.room.topic", {"topic": new})
    event = await alice.send(room, new)
    read = {}
    for name, user in {"alice": alice, "bob": bob}.items():
        read[name] = {
            "messages": rooms.bodies(await user.messages(room)),
            "event": (await rooms.event(user, room, event)).status_code,
            "topic": (await rooms.state(user, room, "m.room.topic"))["topic"],
        }
    evidence("read", read)
    assert read["alice"] == {"messages": [new, old], "event": httpx.codes.OK, "topic": new}
    assert read["bob"]["messages"] == [old], (
        f"Bob left after {old}, and reads {read['bob']['messages']} by /messages"
    )
    assert read["bob"]["event"] in (httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND), (
        f"Bob left before {event} was sent, and gets it: {read['bob']['event']}"
    )
    assert read["bob"]["topic"] == old, (
        f"Bob left while the topic was {old}, and reads {read['bob']['topic']}"
    )
