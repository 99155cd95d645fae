"""Rooms that other servers made: joined through one that can, whatever the others say."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from fixtures.clients.plain import MatrixClient
from fixtures.clients.rooms import path
from fixtures.clients.servers import server_of
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.peers.fake import FakeServer
from fixtures.peers.federation_server.versions import VERSIONS
from fixtures.peers.meeting import joins, timeline_with
from fixtures.plugins.evidence import Evidence

MEMBERS = 2000


@pytest.mark.requirement("FED-060")
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_room_of_another_server_is_joined_and_used(
    alice: MatrixClient, fake: FakeServer, version: str
) -> None:
    """A room of another server's, of this version; alice joins; messages go both ways."""
    bob = fake.user("bob")
    room = await fake.create_room(bob, version=version)
    await joins(alice, room, fake)
    sent = await alice.send(room, "from here")
    assert (await fake.received(sent))["authentic"], (
        f"what alice sent to a room of version {version} is not signed"
    )
    draft = await fake.draft(room, bob, "from there")
    await fake.send(server_of(alice), draft)
    events = await timeline_with(alice, room, draft.event_id)
    assert sent in events, "alice does not see her own message"


@pytest.mark.requirement("FED-061")
@pytest.mark.parametrize(
    "failure",
    [{"status": 404, "body": {"errcode": "M_NOT_FOUND"}}, {"status": 502, "body": {}}, {"closes": True}],
    ids=["knows no such room", "is out of order", "hangs up"],
)
async def test_a_join_goes_on_to_the_next_server(
    alice: MatrixClient, fake: FakeServer, new_fake: Callable[[], FakeServer], failure: dict[str, Any]
) -> None:
    """A room, and two servers to ask; the first cannot help; alice is in all the same."""
    useless, bob = new_fake(), fake.user("bob")
    await useless.told("instead", pattern="/make_join/", **failure)
    room = await fake.create_room(bob)
    await joins(alice, room, useless, fake)
    asked = [entry for entry in await useless.arrived("request") if "/make_join/" in entry["uri"]]
    assert asked, f"{useless.name}, the first to be asked, was not asked"
    sent = await alice.send(room, "in")
    await fake.received(sent)


@pytest.mark.requirement("FED-062")
@pytest.mark.slow
async def test_a_large_room_is_joined(alice: MatrixClient, fake: FakeServer, evidence: Evidence) -> None:
    """A room of another server's with two thousand members; alice joins and is told all of them."""
    bob = fake.user("bob")
    room = await fake.create_room(bob, members=MEMBERS)
    begin = time.monotonic()
    await joins(alice, room, fake, within=Budget.LARGE_ROOM)
    joined = time.monotonic()

    async def complete() -> int:
        members = await alice.call("GET", path(room, "joined_members"))
        if (count := len(members["joined"])) < MEMBERS:
            raise NotYet(f"{count} members")
        return count

    count = await eventually(complete, within=Budget.LARGE_ROOM, label="all members of the room")
    known = time.monotonic()
    evidence("members", count)
    took = {"joined": round(joined - begin, 3), "all members are known": round(known - begin, 3)}
    evidence("seconds until", took)
    sent = await alice.send(room, "in")
    await fake.received(sent)
