"""What comes along when a room moves, and what a room is since version 12."""

import uuid
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import Json, MatrixClient
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.clients import NewUser
from fixtures.plugins.evidence import Evidence

RULES = "/_matrix/client/v3/pushrules/global/room"

MODERATOR, ADMINISTRATOR, KICK = 50, 100, 73
"""Power levels; the last one is nobody's default."""

UNLISTED = {httpx.codes.BAD_REQUEST, httpx.codes.FORBIDDEN}
"""How power levels are refused that name a creator: by their form or by the authorization rules."""


def own(user: MatrixClient, room: str, what: str) -> str:
    """What a user has noted for a room."""
    return f"/_matrix/client/v3/user/{quote(user.user_id)}/rooms/{quote(room)}/{what}"


@pytest.mark.requirement("CLI-051")
async def test_a_room_moves_with_its_powers_bans_and_aliases(
    alice: MatrixClient, bob: MatrixClient, new_user: NewUser, evidence: Evidence
) -> None:
    """Precondition: Alice's room of version 10, in which Bob is a moderator and Carol is banned; one knocks at it, and
    it has an alias. After the upgrade all that is so in the new room, and the alias leads there."""
    carol, room = await new_user("carol"), await alice.create_room(room_version="10", preset="private_chat")
    await alice.invite(room, bob.user_id)
    await bob.join(room)
    levels = await rooms.state(alice, room, "m.room.power_levels")
    users = {**levels["users"], bob.user_id: MODERATOR}
    await rooms.put_state(alice, room, "m.room.power_levels", {**levels, "users": users, "kick": KICK})
    await rooms.put_state(alice, room, "m.room.join_rules", {"join_rule": "knock"})
    await rooms.act(alice, room, "ban", carol.user_id)
    alias = f"#moving-{uuid.uuid4().hex}:{alice.user_id.partition(':')[2]}"
    directory = f"/_matrix/client/v3/directory/room/{quote(alias)}"
    await alice.call("PUT", directory, json={"room_id": room})
    await rooms.put_state(alice, room, "m.room.canonical_alias", {"alias": alias})
    upgrade = await alice.call("POST", rooms.path(room, "upgrade"), json={"new_version": "11"})
    new = upgrade["replacement_room"]
    found = await rooms.state(alice, new, "m.room.power_levels")
    is_now = {
        "moderator": found["users"].get(bob.user_id),
        "kick": found.get("kick"),
        "join rule": (await rooms.state(alice, new, "m.room.join_rules"))["join_rule"],
        "Carol": await rooms.membership(alice, new, carol.user_id),
        "canonical alias": (await rooms.state(alice, new, "m.room.canonical_alias"))["alias"],
        "alias leads to the new room": (await bob.call("GET", directory))["room_id"] == new,
    }
    evidence("the new room", is_now)
    assert is_now == {
        "moderator": MODERATOR,
        "kick": KICK,
        "join rule": "knock",
        "Carol": "ban",
        "canonical alias": alias,
        "alias leads to the new room": True,
    }, f"the upgrade of {room} made {new}, which is {is_now}"


@pytest.mark.requirement("CLI-051")
async def test_what_members_noted_for_a_room_moves_with_it(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: a room of Alice's that Bob has among his favourites, and has silenced. She moves it, he joins the
    new one: it is a favourite, and silent."""
    room = await shared_room(alice, bob)
    await bob.call("PUT", own(bob, room, "tags/m.favourite"), json={"order": 1})
    await bob.call("PUT", f"{RULES}/{quote(room, safe='')}", json={"actions": []})
    upgrade = await alice.call("POST", rooms.path(room, "upgrade"), json={"new_version": "11"})
    new = upgrade["replacement_room"]
    await alice.invite(new, bob.user_id)
    await bob.join(new)

    async def noted() -> Json:
        tags = (await bob.call("GET", own(bob, new, "tags")))["tags"]
        rule = await bob.request("GET", f"{RULES}/{quote(new, safe='')}")
        if "m.favourite" not in tags or rule.is_error:
            raise NotYet(f"the tags of the new room are {tags}, its push rule is {rule.text:.200}")
        found: Json = rule.json()
        return {"tags": tags, "actions": found["actions"]}

    found = await eventually(
        noted, within=Budget.DELIVERY, label="the tag and the push rule of the room came along"
    )
    evidence("noted for the new room", found)
    assert found == {"tags": {"m.favourite": {"order": 1}}, "actions": []}, f"the new room is {found} for Bob"


@pytest.mark.requirement("CLI-052")
async def test_a_room_of_version_12_is_named_by_its_first_event(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """A room of version 12 that Alice and Bob share. Its id is that of the event that made it, with another sign and no
    server; what she sends there he reads."""
    room = await alice.create_room(room_version="12", preset="private_chat")
    await alice.invite(room, bob.user_id)
    await bob.join(room)
    first = await rooms.event(bob, room, f"${room[1:]}")
    sent = await alice.send(room, "hello")
    read = [event["event_id"] for event in await bob.messages(room)]
    evidence("room", {"id": room, "first event": first.status_code, "sent": sent, "read": read})
    assert ":" not in room, f"the id {room} names a server; the room is of another version"
    assert first.is_success, f"there is no event ${room[1:]}: {first.status_code} {first.text:.200}"
    assert first.json()["type"] == "m.room.create", f"the room {room} is named by {first.text:.200}"
    assert sent in read, f"Alice sent {sent} into {room}, and Bob reads {read}"


@pytest.mark.requirement("CLI-052")
async def test_nobody_demotes_who_made_a_room_of_version_12(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice's room of version 12, in which Bob has the highest level that there is. He can neither kick
    nor ban her nor give her a level, and she can take his."""
    room = await alice.create_room(room_version="12", preset="private_chat")
    await alice.invite(room, bob.user_id)
    await bob.join(room)
    levels = await rooms.state(alice, room, "m.room.power_levels")
    users = {**levels.get("users", {}), bob.user_id: ADMINISTRATOR}
    await rooms.put_state(alice, room, "m.room.power_levels", {**levels, "users": users})
    demotion = {**levels, "users": {**users, alice.user_id: 0}}
    path = rooms.path(room, "state", "m.room.power_levels", "")
    refusals = {
        "kick": (await rooms.act(bob, room, "kick", alice.user_id)).status_code,
        "ban": (await rooms.act(bob, room, "ban", alice.user_id)).status_code,
        "demote": (await bob.request("PUT", path, json=demotion)).status_code,
    }
    demoted = await alice.request("PUT", path, json={**levels, "users": {bob.user_id: 0}})
    evidence("answers", {**refusals, "the creator takes the other's level": demoted.status_code})
    assert alice.user_id not in users, f"a creator has no level of a list, but it says {users}"
    assert refusals["demote"] in UNLISTED, f"Bob gave the creator a level: {refusals}"
    assert refusals["kick"] == refusals["ban"] == httpx.codes.FORBIDDEN, (
        f"Bob put the creator out: {refusals}"
    )
    assert demoted.is_success, (
        f"the creator may not take a level of {ADMINISTRATOR}: {demoted.status_code} {demoted.text:.200}"
    )
