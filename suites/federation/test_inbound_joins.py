"""How users of other servers come into rooms, and how not."""

from typing import Any
from urllib.parse import quote

import pytest

from fixtures.clients.plain import MatrixClient
from fixtures.clients.rooms import act, state
from fixtures.clients.servers import becomes, server_of
from fixtures.peers.fake import FakeServer
from fixtures.peers.meeting import room_with
from fixtures.plugins.evidence import Evidence


async def stays_out(alice: MatrixClient, room: str, user: str) -> None:
    """Alice's room does not have the user."""
    members = await alice.call("GET", f"/_matrix/client/v3/rooms/{quote(room)}/joined_members")
    assert user not in members["joined"], f"{user} is in the room all the same"


@pytest.mark.requirement("FED-040")
@pytest.mark.parametrize("flaw", ["unsigned", "wrong-signature"])
async def test_a_join_without_a_right_signature_is_refused(
    alice: MatrixClient, fake: FakeServer, evidence: Evidence, flaw: str
) -> None:
    """A public room; the other server sends a join that it has not signed, or not with its key; then a right one."""
    room, user = await alice.create_room(preset="public_chat"), fake.user(f"bob-{flaw}")
    answer = await fake.join(server_of(alice), room, user, flaws=[flaw])
    evidence("answer", answer)
    assert answer["step"] == "send_join", f"refused too early, at {answer['step']}: {answer['body']}"
    assert 400 <= answer["status"] < 500, f"a join that is {flaw}: {answer}"
    await stays_out(alice, room, user)
    await fake.joined(server_of(alice), room, user)
    await becomes(alice, room, user, "join")


@pytest.mark.requirement("FED-041")
@pytest.mark.parametrize(
    "change",
    [
        {"content": {"membership": "leave"}},
        {"content": {"membership": "invite"}},
        {"type": "m.room.message", "content": {"body": "no join"}},
    ],
    ids=["leave", "invite", "message"],
)
async def test_what_is_no_join_is_not_let_in_by_the_door_for_joins(
    alice: MatrixClient, fake: FakeServer, evidence: Evidence, change: dict[str, Any]
) -> None:
    """A public room; the other server is given a template for a join, and sends something else in its place."""
    room, user = await alice.create_room(preset="public_chat"), fake.user("bob-no-join")
    answer = await fake.join(server_of(alice), room, user, change=change)
    evidence("answer", answer)
    assert answer["step"] == "send_join", f"refused too early, at {answer['step']}: {answer['body']}"
    assert 400 <= answer["status"] < 500, f"/send_join with {change}: {answer}"
    await stays_out(alice, room, user)


@pytest.mark.requirement("FED-042")
async def test_who_is_banned_is_given_no_template(alice: MatrixClient, fake: FakeServer) -> None:
    """A public room from which a user of another server is banned; his server asks for him: 403."""
    user = fake.user("mallory")
    room = await room_with(alice, (fake, user))
    await act(alice, room, "ban", user)
    answer = await fake.join(server_of(alice), room, user)
    assert (answer["step"], answer["status"]) == ("make_join", 403), f"the join of a banned user: {answer}"


@pytest.mark.requirement("FED-042")
async def test_who_is_banned_does_not_come_in_without_a_template(
    alice: MatrixClient, fake: FakeServer, evidence: Evidence
) -> None:
    """Bob of another server is in a room, Mallory of the same is banned; her server makes her join itself: refused."""
    user, mallory = fake.user("bob"), fake.user("mallory-again")
    room = await alice.create_room(preset="public_chat")
    await act(alice, room, "ban", mallory)
    await fake.joined(server_of(alice), room, user)
    join = await fake.draft(
        room, mallory, {"membership": "join"}, kind="m.room.member", state_key=mallory, keep=False
    )
    uri = f"/_matrix/federation/v2/send_join/{quote(room, safe='')}/{quote(join.event_id, safe='')}"
    answer = await fake.request(server_of(alice), "PUT", uri, content=join.event)
    evidence("answer", answer)
    assert answer["status"] == 403, f"/send_join of a banned user: {answer}"
    await fake.send(server_of(alice), join)
    assert (await state(alice, room, "m.room.member", mallory))["membership"] == "ban"
