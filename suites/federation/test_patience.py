"""What becomes of a server that fails: it is left alone, and loses nothing."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from fixtures.clients.destinations import claims_a_key, given_up
from fixtures.clients.plain import MatrixClient
from fixtures.clients.servers import server_of
from fixtures.deployment.interface import Deployment
from fixtures.deployment.waiting import Budget
from fixtures.peers.fake import FakeServer
from fixtures.peers.meeting import room_with, timeline_with
from fixtures.plugins.evidence import Evidence

CLAIM: Final = "/user/keys/claim"
MISSED: Final = tuple(f"missed {number}" for number in range(5))

FAILURES: Final[dict[str, dict[str, Any]]] = {
    "is out of order": {"status": 503, "body": {}},
    "limits us": {"status": 429, "body": {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 1000}},
    "hangs up": {"closes": True},
}


@pytest.mark.requirement("FED-064")
@pytest.mark.parametrize("failure", FAILURES)
async def test_a_server_that_fails_is_left_alone_and_loses_nothing(
    failure: str,
    deployment: Deployment,
    alice: MatrixClient,
    new_fake: Callable[[], FakeServer],
    evidence: Evidence,
) -> None:
    """Bob's server, in alice's room, fails at everything; alice asks for a key of his. An operator sees that it is left
    alone for minutes. Alice writes, and asks for keys again and again: nobody asks the server. In order again, it sends
    an event, which alice is given, and she answers: all that she wrote reaches it, each message once, in order.

    Why she answers: a sender may hear that a server is back before it hears that its wait is over (two ways of
    replication, synapse/federation/transport/server/_base.py, reset_retry_timings), and then looks again when something
    is new."""
    server = new_fake()
    bob = server.user("bob")
    room = await room_with(alice, (server, bob))
    before = await alice.send(room, "before")
    await server.received(before)
    await server.told("instead", pattern=".", **FAILURES[failure])
    assert await claims_a_key(alice, bob), f"{server.name} fails, and /keys/claim says nothing of it"
    kept = await given_up(deployment, server.name, within=Budget.FEDERATION)
    tried = len(await server.arrived("request"))
    sent = [await alice.send(room, body) for body in MISSED]
    claims = [await claims_a_key(alice, bob) for _ in MISSED]
    reached = [entry["uri"] for entry in (await server.arrived("request"))[tried:]]
    evidence("what an operator sees", kept)
    evidence("requests meanwhile", reached)
    await server.told("no_rules")
    draft = await server.draft(room, bob, "here again")
    await server.send(server_of(alice), draft)
    await timeline_with(alice, room, draft.event_id)
    sent.append(await alice.send(room, "as ever"))
    await server.received(sent[-1], within=Budget.CATCH_UP)
    came = [
        entry["event_id"] for entry in await server.arrived("pdu") if entry["event_id"] in {before, *sent}
    ]
    assert kept["failure_ts"], f"since when it fails is not known: {kept}"
    assert kept["retry_interval"] > Budget.CATCH_UP.seconds() * 1000, f"it is tried again at once: {kept}"
    assert all(claims), f"{server.name} is left alone, and /keys/claim does not say so: {claims}"
    assert not [uri for uri in reached if CLAIM in uri], f"it is given up, and was asked for keys: {reached}"
    assert len(reached) < len(MISSED), f"it is given up, and was sent {reached}"
    assert came == [before, *sent], f"alice sent {[before, *sent]}, what came is {came}"
