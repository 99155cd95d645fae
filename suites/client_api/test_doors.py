"""Rooms at which one knocks, and rooms that move."""

import uuid
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import MatrixClient
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence

KNOCK_RULE = [{"type": "m.room.join_rules", "content": {"join_rule": "knock"}}]


@pytest.mark.requirement("CLI-040")
async def test_who_knocks_is_let_in(alice: MatrixClient, bob: MatrixClient, evidence: Evidence) -> None:
    """Precondition: a room at which one may knock. Bob may not join. He knocks, Alice invites him, and he joins;
    banned, he may not even knock."""
    room = await alice.create_room(initial_state=KNOCK_RULE)
    path = f"/_matrix/client/v3/knock/{quote(room)}"
    early = await rooms.act(bob, room, "join")
    knocked = await bob.request("POST", path, json={"reason": "me"})
    assert knocked.is_success, f"POST /knock: {knocked.status_code} {knocked.text:.200}"
    waiting = await rooms.membership(alice, room, bob.user_id)
    await alice.invite(room, bob.user_id)
    await bob.join(room)
    await rooms.act(alice, room, "ban", bob.user_id)
    banned = await bob.request("POST", path, json={})
    evidence("answers", {"join": early.status_code, "is": waiting, "knock when banned": banned.status_code})
    assert early.status_code == httpx.codes.FORBIDDEN, (
        f"POST /join before knocking: {early.status_code} {early.text:.200}"
    )
    assert waiting == "knock", f"Bob knocked, and is {waiting}"
    assert banned.status_code == httpx.codes.FORBIDDEN, (
        f"POST /knock when banned: {banned.status_code} {banned.text:.200}"
    )


@pytest.mark.requirement("CLI-041")
async def test_a_room_moves_with_what_it_is(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice's room with a name and Bob as a member. He may not upgrade it. She does: the old room leads
    to the new one and back, the name came along, Bob joins, and nobody but her speaks in the old one."""
    room, name = await shared_room(alice, bob), uuid.uuid4().hex
    await rooms.put_state(alice, room, "m.room.name", {"name": name})
    path, body = rooms.path(room, "upgrade"), {"new_version": "11"}
    refusal = await bob.request("POST", path, json=body)
    assert refusal.status_code == httpx.codes.FORBIDDEN, (
        f"POST /upgrade by a member: {refusal.status_code} {refusal.text:.200}; does the request go out under "
        "the token that came with it?"
    )
    new = (await alice.call("POST", path, json=body))["replacement_room"]

    async def closed() -> int:
        message = rooms.path(room, "send", "m.room.message", uuid.uuid4().hex)
        late = await bob.request("PUT", message, json={"msgtype": "m.text", "body": "late"})
        if late.status_code != httpx.codes.FORBIDDEN:
            raise NotYet(f"a member speaks in the old room: {late.status_code} {late.text:.200}")
        return late.status_code

    late = await eventually(closed, within=Budget.DELIVERY, label="the old room is closed to its members")
    tombstone = await rooms.state(alice, room, "m.room.tombstone")
    create = await rooms.state(alice, new, "m.room.create")
    named = (await rooms.state(alice, new, "m.room.name"))["name"]
    await alice.invite(new, bob.user_id)
    await bob.join(new)
    evidence("rooms", {"tombstone": tombstone, "predecessor": create.get("predecessor"), "late": late})
    assert tombstone["replacement_room"] == new, f"the old room leads to {tombstone}, not to {new}"
    assert create["predecessor"]["room_id"] == room, f"the new room came from {create}, not from {room}"
    assert (create["room_version"], named) == ("11", name), f"the new room is {create}, called {named}"
