"""Invites across servers: each signs, and each can verify what the other has signed."""

import httpx
import pytest

from fixtures.clients.plain import Json, MatrixClient
from fixtures.clients.server_keys import published
from fixtures.clients.servers import becomes, server_of
from fixtures.clients.syncing import brought
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.peers.fake import FakeServer
from fixtures.peers.federation_server.events import is_signed
from fixtures.peers.federation_server.versions import VERSIONS
from fixtures.peers.meeting import joins


@pytest.mark.requirement("FED-059")
async def test_an_invite_of_ours_can_be_verified_and_followed(alice: MatrixClient, fake: FakeServer) -> None:
    """Alice invites bob of another server into her private room: signed, named rightly, and good for joining."""
    bob = fake.user("bob")
    room = await alice.create_room(preset="private_chat")
    await alice.invite(room, bob)

    async def come() -> Json:
        for entry in await fake.arrived("invite"):
            if entry["event"]["room_id"] == room:
                return entry
        raise NotYet("no invite")

    entry = await eventually(come, within=Budget.FEDERATION, label=f"the invite at {fake.name}")
    assert entry["authentic"], f"hash or signature of the invite is wrong: {entry['event']}"
    assert entry["event_id"] == entry["named"], f"it was called {entry['named']}, and is {entry['event_id']}"
    await fake.joined(server_of(alice), room, bob)
    await becomes(alice, room, bob, "join")


@pytest.mark.requirement("FED-059")
@pytest.mark.parametrize("version", VERSIONS)
async def test_an_invite_of_others_is_signed_by_us_and_shown(
    alice: MatrixClient, fake: FakeServer, http: httpx.AsyncClient, version: str
) -> None:
    """Bob of another server invites alice: the answer has our signature, alice sees the invite and joins."""
    bob, ours = fake.user("bob"), server_of(alice)
    room = await fake.create_room(bob, version=version, join_rule="invite")
    answer = await fake.told("invite_user", room=room, sender=bob, user=alice.user_id)
    assert answer["status"] == 200, f"the invite was refused: {answer}"
    event, keys = answer["body"]["event"], (await published(http))["verify_keys"]
    assert any(is_signed(event, VERSIONS[version], ours, name, each["key"]) for name, each in keys.items()), (
        f"no published key of ours ({list(keys)}) has signed {event}"
    )
    await brought(alice, lambda sync: sync.get("rooms", {}).get("invite", {}).get(room), label="the invite")
    await joins(alice, room, fake)
