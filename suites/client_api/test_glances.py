"""What one is told of a room without being in it, and of another user's rooms without asking him."""

import uuid
from functools import partial
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients.journey import shared_room
from fixtures.clients.plain import Json, MatrixClient
from fixtures.clients.rooms import act
from fixtures.clients.servers import server_of
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.clients import NewUser
from fixtures.plugins.evidence import Evidence


async def summary(user: MatrixClient, room: str) -> httpx.Response:
    """GET the summary of a room by its id or alias; the answer whatever its status."""
    return await user.request("GET", f"/_matrix/client/v1/room_summary/{quote(room)}")


async def described(user: MatrixClient, room: str, **wanted: object) -> Json:
    """The summary, once it says this of the room; some of it is counted in the background."""

    async def is_so() -> Json:
        answer = await summary(user, room)
        told: Json = answer.json()
        if any(told.get(key) != value for key, value in wanted.items()):
            raise NotYet(f"it is {answer.status_code} {answer.text:.300}")
        return told

    label = f"{user.user_id} is told of {room}: {wanted}"
    return await eventually(is_so, within=Budget.DELIVERY, label=label)


@pytest.mark.requirement("CLI-070")
async def test_a_room_that_one_may_join_is_described(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Alice's public room with a name and a topic: Bob, who is not in it, is told these by its alias, how many are in
    it, that anybody may join, and what he is to it; once he has joined, that too."""
    name, alias = f"Room {uuid.uuid4().hex[:8]}", f"room-{uuid.uuid4().hex[:12]}"
    room = await alice.create_room(preset="public_chat", name=name, topic="cake", room_alias_name=alias)
    by_alias = f"#{alias}:{server_of(alice)}"
    told = await described(bob, by_alias, name=name, topic="cake", membership="leave", num_joined_members=1)
    await bob.join(room)
    joined = await described(bob, room, membership="join", num_joined_members=2)
    evidence("summary", {"before": told, "joined": joined})
    assert (told["room_id"], told["join_rule"]) == (room, "public")


@pytest.mark.requirement("CLI-070")
async def test_a_room_that_one_may_not_join_is_not_there(
    http: httpx.AsyncClient, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Alice's private room: she is told what it is; Bob, and who is not logged in, learn nothing; Bob does when he is
    invited."""
    room = await alice.create_room(preset="private_chat", name="secret")
    await described(alice, room, name="secret", membership="join")
    answers = {
        "Bob": await summary(bob, room),
        "nobody": await http.get(f"/_matrix/client/v1/room_summary/{quote(room)}"),
    }
    await alice.invite(room, bob.user_id)
    await described(bob, room, name="secret", membership="invite")
    evidence("answers", {who: [each.status_code, each.json()] for who, each in answers.items()})
    for who, answer in answers.items():
        assert answer.status_code == httpx.codes.NOT_FOUND, (
            f"{who} asks for a private room: {answer.status_code} {answer.text:.200}"
        )


@pytest.mark.requirement("CLI-071")
async def test_one_is_told_the_rooms_that_both_are_in(
    alice: MatrixClient, bob: MatrixClient, new_user: NewUser, evidence: Evidence
) -> None:
    """Alice is in a room with Bob, one with Carol, and one alone; Bob is in one with Carol. She asks about Bob: the one
    that both are in, and no other. He leaves it: none."""
    carol = await new_user("carol")
    common = await shared_room(alice, bob)
    for first, second in ((alice, carol), (bob, carol)):
        await shared_room(first, second)
    await alice.create_room()

    async def become(wanted: list[str]) -> Json:
        answer = await alice.call("GET", "/_matrix/client/v1/mutual_rooms", params={"user_id": bob.user_id})
        if answer["joined"] != wanted:
            raise NotYet(f"they are {answer}, and {wanted} is right")
        return answer

    with_him = await eventually(partial(become, [common]), within=Budget.DELIVERY, label="the rooms with Bob")
    await act(bob, common, "leave")
    without = await eventually(partial(become, []), within=Budget.DELIVERY, label="no room with Bob")
    evidence("rooms of both", {"before": with_him, "after": without})
    assert (with_him["count"], without["count"]) == (1, 0)
