"""What is taken back."""

import uuid

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import MatrixClient
from fixtures.plugins.evidence import Evidence

UNREDACTED = {"fi.mau.msc2815.include_unredacted_content": "true"}
"""MSC2815: how moderators ask for what was redacted, where that is switched on."""


@pytest.mark.requirement("CLI-022")
async def test_what_was_redacted_is_gone_for_members(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: both members read Alice's message. Bob may not redact it. She does: both find the event, by whom
    and of which type, with a reason instead of its content, and the text nowhere in the room."""
    room, body = await shared_room(alice, bob), uuid.uuid4().hex
    event = await alice.send(room, body)
    members = {"alice": alice, "bob": bob}
    for name, member in members.items():
        assert body in (await rooms.event(member, room, event)).text, f"{name} does not read the message"
        assert body in (await rooms.history(member, room)).text, f"{name} does not find the message"
    forbidden = await rooms.redact(bob, room, event)
    taken_back = await rooms.redact(alice, room, event)
    assert forbidden.status_code == httpx.codes.FORBIDDEN, (
        f"PUT /redact of another's message by a member: {forbidden.status_code} {forbidden.text:.200}"
    )
    assert taken_back.is_success, f"PUT /redact: {taken_back.status_code} {taken_back.text:.200}"
    for name, member in members.items():
        left = (await rooms.event(member, room, event)).json()
        evidence(f"what {name} gets", {key: left.get(key) for key in ("type", "sender", "content")})
        assert left["content"] == {}, f"{name} gets {left['content']} of an event that was redacted"
        assert (left["type"], left["sender"]) == ("m.room.message", alice.user_id), f"the skeleton is {left}"
        assert "redacted_because" in left["unsigned"], f"{name} is not told why the content is gone: {left}"
        assert body not in (await rooms.history(member, room)).text, (
            f"{name} still reads the text by /messages"
        )


@pytest.mark.requirement("CLI-022")
async def test_nobody_asks_for_the_original(alice: MatrixClient, evidence: Evidence) -> None:
    """Precondition: the owner of a room redacted a message. She asks for it as MSC2815 has it: the text is not there.

    It is kept for lawful intercept, and for nobody else.
    """
    room, body = await alice.create_room(), uuid.uuid4().hex
    event = await alice.send(room, body)
    await rooms.redact(alice, room, event)
    answer = await alice.request("GET", rooms.path(room, "event", event), params=UNREDACTED)
    evidence("answer", {"status": answer.status_code, "content": answer.json().get("content")})
    assert body not in answer.text, (
        "a redacted text is to be had by members of the room: leave experimental_features.msc2815_enabled out"
    )
