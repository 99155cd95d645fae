"""Who asks must say who he is, and prove it; and by which key."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from fixtures.clients.plain import MatrixClient
from fixtures.clients.servers import server_of
from fixtures.peers.fake import FakeServer
from fixtures.peers.meeting import PROFILE, room_with, timeline_with
from fixtures.plugins.evidence import Evidence


@pytest.mark.requirement("FED-047")
@pytest.mark.parametrize(
    "wrongly",
    [
        {"unsigned": True},
        {"forged": True},
        {"claim": {"destination": "somebody.else.test"}},
        {"claim": {"uri": "/_matrix/federation/v1/version"}},
    ],
    ids=["no header", "another key", "for another server", "for another request"],
)
async def test_a_request_whose_origin_is_not_proved_is_refused(
    alice: MatrixClient, fake: FakeServer, wrongly: dict[str, Any]
) -> None:
    """Another server asks for alice's profile: told; the same with a header that lies: 401."""
    uri = f"{PROFILE}?user_id={quote(alice.user_id)}"
    right = await fake.request(server_of(alice), "GET", uri)
    assert right["status"] == 200, f"a request that is signed: {right}"
    answer = await fake.request(server_of(alice), "GET", uri, **wrongly)
    assert answer["status"] == 401, f"a request that lies ({wrongly}): {answer}"


@pytest.mark.requirement("FED-047")
async def test_a_server_that_says_it_is_another_is_refused(
    alice: MatrixClient, fake: FakeServer, new_fake: Callable[[], FakeServer]
) -> None:
    """Alice's profile is asked for in the name of a server that is there, signed by the key of another one: 401."""
    uri, other = f"{PROFILE}?user_id={quote(alice.user_id)}", new_fake()
    answer = await fake.request(server_of(alice), "GET", uri, claim={"origin": other.name})
    assert answer["status"] == 401, f"{fake.name} says that it is {other.name}: {answer}"


@pytest.mark.requirement("FED-055")
async def test_a_new_key_is_taken(alice: MatrixClient, new_fake: Callable[[], FakeServer]) -> None:
    """Bob's server is known by a key, and takes another one; what it signs with that arrives."""
    server = new_fake()
    bob = server.user("bob")
    room = await room_with(alice, (server, bob))
    await server.told("rotate_key")
    draft = await server.draft(room, bob, "by the new key")
    answer = await server.send(server_of(alice), draft)
    assert answer["status"] == 200, f"a request that is signed by a new key: {answer}"
    await timeline_with(alice, room, draft.event_id)


@pytest.mark.requirement("FED-056")
async def test_an_old_key_signs_nothing_new(
    alice: MatrixClient, new_fake: Callable[[], FakeServer], evidence: Evidence
) -> None:
    """Bob's server has taken a new key and says that the old one is over; an event by the old one, dated later."""
    server = new_fake()
    bob = server.user("bob")
    room = await room_with(alice, (server, bob))
    await server.told("rotate_key")
    stolen = await server.draft(room, bob, "by the old key", flaws=["old-key"], keep=False)
    right = await server.draft(room, bob, "by the new key")
    evidence("answer", await server.send(server_of(alice), stolen, right))
    events = await timeline_with(alice, room, right.event_id)
    assert stolen.event_id not in events, "alice was given what an ended key has signed"
