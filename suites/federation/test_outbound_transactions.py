"""What this server sends to others: signed, in order, once, also to one that was away."""

from collections.abc import Callable
from typing import Any

import pytest

from fixtures.clients.plain import MatrixClient
from fixtures.clients.servers import server_of
from fixtures.peers.fake import FakeServer
from fixtures.peers.meeting import room_with
from fixtures.plugins.evidence import Evidence

SENDS = "PUT /_matrix/federation/v1/send/"


async def arrived_in(server: FakeServer, room: str) -> list[str]:
    """The ids of the messages that have come to a server, in their order, as often as they came."""
    return [
        entry["event_id"]
        for entry in await server.arrived("pdu")
        if entry["event"]["room_id"] == room and entry["event"]["type"] == "m.room.message"
    ]


@pytest.mark.requirement("FED-057")
async def test_what_is_sent_is_signed(alice: MatrixClient, fake: FakeServer, evidence: Evidence) -> None:
    """Bob of another server is in alice's room; her message comes to his server, and all of it can be verified."""
    room = await room_with(alice, (fake, fake.user("bob")))
    sent = await alice.send(room, "signed")
    entry = await fake.received(sent)
    evidence("event", entry["event"])
    assert entry["authentic"], f"hash or signature of {sent} is wrong: {entry['event']}"
    requests = [entry for entry in await fake.arrived("request") if SENDS in f"PUT {entry['uri']}"]
    assert requests, "the record has no transaction"
    doubts = [entry["doubt"] for entry in requests if entry["doubt"]]
    assert not doubts, f"transactions whose origin is not proved: {doubts}"
    assert {entry["origin"] for entry in requests} == {server_of(alice)}


@pytest.mark.requirement("FED-058")
@pytest.mark.parametrize(
    "failure", [{"status": 503, "body": {}}, {"closes": True}], ids=["answers 503", "hangs up"]
)
async def test_what_another_server_did_not_take_is_sent_again(
    alice: MatrixClient,
    new_fake: Callable[[], FakeServer],
    evidence: Evidence,
    failure: dict[str, Any],
) -> None:
    """A server in alice's room fails once; what she has written meanwhile comes after that: all, in order, once."""
    server = new_fake()
    room = await room_with(alice, (server, server.user("bob")))
    await server.told("instead", pattern=SENDS, times=1, **failure)
    sent = [await alice.send(room, f"message {number}") for number in range(5)]
    await server.received(sent[-1])
    came = await arrived_in(server, room)
    requests = [
        (entry["at_ms"], entry["status"])
        for entry in await server.arrived("request")
        if "/send/" in entry["uri"]
    ]
    evidence("transactions: time in ms, answer", requests)
    assert came == sent, f"alice sent {sent}, what came is {came}"
