"""Getting into rooms of another server, and out of them, in both directions."""

import time

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.plain import Json, MatrixClient
from fixtures.clients.servers import (
    Parties,
    ask_to_enter,
    becomes,
    enter,
    meeting,
    public_room,
    rooms_of,
    server_of,
)
from fixtures.clients.syncing import brought
from fixtures.peers.homeserver import Homeserver
from fixtures.plugins.clients import NewUser
from fixtures.plugins.evidence import Evidence

REFUSED = httpx.codes.FORBIDDEN


@pytest.mark.requirement("FED-001")
async def test_a_room_is_joined_by_its_alias(parties: Parties, evidence: Evidence) -> None:
    """The host's public room with an alias. The guest joins by it; the host's server knows, and the guest's shows
    the room."""
    room, alias = await public_room(parties.host)
    begin = time.monotonic()
    await parties.guest.join(alias)
    evidence("seconds until it was joined", round(time.monotonic() - begin, 3))
    await becomes(parties.host, room, parties.guest.user_id, "join")
    await brought(parties.guest, lambda answer: rooms_of(answer, "join").get(room), label="the room")


@pytest.mark.requirement("FED-002")
async def test_a_room_is_joined_by_its_id(parties: Parties) -> None:
    """The host's public room. The guest joins by its id, through the host's server."""
    room, _ = await public_room(parties.host)
    await enter(parties, room)


@pytest.mark.requirement("FED-003")
async def test_an_invitation_is_accepted(parties: Parties) -> None:
    """The host invites the guest into a private room: the guest's /sync shows the invitation and who made it. The
    guest joins, and the host's server knows."""
    host, guest = parties.host, parties.guest
    room = await invited(parties)
    await guest.join(room)
    await becomes(host, room, guest.user_id, "join")


@pytest.mark.requirement("FED-003")
async def test_an_invitation_is_declined(parties: Parties) -> None:
    """The host invites the guest, who declines: the host's server knows."""
    room = await invited(parties)
    answer = await rooms.act(parties.guest, room, "leave")
    assert answer.is_success, f"POST /leave of an invitation: {answer.status_code} {answer.text}"
    await becomes(parties.host, room, parties.guest.user_id, "leave")


@pytest.mark.requirement("FED-003")
async def test_an_invitation_is_taken_back(parties: Parties) -> None:
    """The host invites the guest, and takes it back: the guest's /sync says that it is over."""
    room = await invited(parties)
    answer = await rooms.act(parties.host, room, "kick", parties.guest.user_id)
    assert answer.is_success, f"POST /kick of an invited guest: {answer.status_code} {answer.text}"
    await brought(
        parties.guest, lambda answer: rooms_of(answer, "leave").get(room), label="the end of the invitation"
    )


async def invited(parties: Parties) -> str:
    """A private room of the host's, to which the guest's /sync shows an invitation from the host."""
    room = await parties.host.create_room(preset="private_chat")
    await parties.host.invite(room, parties.guest.user_id)
    shown = await brought(
        parties.guest, lambda answer: rooms_of(answer, "invite").get(room), label="the invitation"
    )
    senders = {
        event["sender"]
        for event in shown["invite_state"]["events"]
        if event["type"] == "m.room.member" and event["state_key"] == parties.guest.user_id
    }
    assert senders == {parties.host.user_id}, f"the invitation is from {senders}: {shown}"
    return room


@pytest.mark.requirement("FED-004")
async def test_who_leaves_is_seen_to_leave(parties: Parties) -> None:
    """The guest leaves the host's room: the host's server knows."""
    room = await meeting(parties)
    await rooms.act(parties.guest, room, "leave")
    await becomes(parties.host, room, parties.guest.user_id, "leave")


@pytest.mark.requirement("FED-004")
async def test_who_is_kicked_is_out(parties: Parties) -> None:
    """The host kicks the guest: the guest's /sync shows the room as left."""
    room = await meeting(parties)
    await rooms.act(parties.host, room, "kick", parties.guest.user_id)
    await brought(parties.guest, lambda answer: rooms_of(answer, "leave").get(room), label="the room as left")


@pytest.mark.requirement("FED-004")
async def test_who_is_banned_stays_out(parties: Parties) -> None:
    """The host bans the guest: the guest's /sync shows the room as left, and a new attempt to join is refused."""
    room = await meeting(parties)
    await rooms.act(parties.host, room, "ban", parties.guest.user_id)
    await brought(parties.guest, lambda answer: rooms_of(answer, "leave").get(room), label="the room as left")
    answer = await ask_to_enter(parties.guest, room, server_of(parties.host))
    assert answer.status_code == REFUSED, f"POST /join of who was banned: {answer.status_code} {answer.text}"


@pytest.mark.requirement("FED-005")
async def test_a_restricted_room_is_for_members_of_another(
    parties: Parties, second: Homeserver, new_user: NewUser, new_remote_user: NewUser, evidence: Evidence
) -> None:
    """The host's room for members of another room of the host's. The guest, who is in that one, gets in; somebody of
    the guest's server who is not, does not."""
    other = await meeting(parties)
    rule = {"join_rule": "restricted", "allow": [{"type": "m.room_membership", "room_id": other}]}
    room = await guarded_room(parties.host, rule)
    stranger = await (new_remote_user if server_of(parties.guest) == second.name else new_user)("stranger")
    refused = await ask_to_enter(stranger, room, server_of(parties.host))
    evidence("the answer to a stranger", {"status": refused.status_code, **refused.json()})
    assert refused.status_code == REFUSED, f"POST /join of a stranger: {refused.status_code} {refused.text}"
    await enter(parties, room)


@pytest.mark.requirement("FED-005")
async def test_a_knock_is_heard_and_answered(parties: Parties) -> None:
    """The host's room to be knocked at. The guest knocks: the host's server shows it. The host invites, and the guest
    is in."""
    room = await guarded_room(parties.host, {"join_rule": "knock"})
    answer = await ask_to_enter(parties.guest, room, server_of(parties.host), how="knock")
    assert answer.is_success, f"POST /knock: {answer.status_code} {answer.text}"
    await becomes(parties.host, room, parties.guest.user_id, "knock")
    await parties.host.invite(room, parties.guest.user_id)
    await brought(parties.guest, lambda answer: rooms_of(answer, "invite").get(room), label="the invitation")
    await parties.guest.join(room)
    await becomes(parties.host, room, parties.guest.user_id, "join")


async def guarded_room(host: MatrixClient, rule: Json) -> str:
    """A room with this rule of joining."""
    state = {"type": "m.room.join_rules", "state_key": "", "content": rule}
    return await host.create_room(preset="private_chat", initial_state=[state])
