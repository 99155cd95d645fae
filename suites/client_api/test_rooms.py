"""Messages, and who gets them."""

import asyncio
import uuid
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients.journey import shared_room
from fixtures.clients.plain import Json, MatrixClient, timeline
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence

POLL_MS = round(Budget.DELIVERY.seconds() * 1000)


@pytest.mark.requirement("CLI-004")
async def test_a_message_wakes_the_other_member(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice and Bob share a room, and Bob's long poll is under way. Alice's message is in its answer."""
    room, body, under_way = await shared_room(alice, bob), uuid.uuid4().hex, asyncio.Event()

    async def received() -> Json:
        try:
            events = timeline(await bob.sync(timeout_ms=POLL_MS, on_sent=under_way.set), room)
        finally:
            under_way.set()  # also when it failed: then there is nothing to wait for
        for event in events:
            if event["content"].get("body") == body:
                return event
        raise NotYet(f"/sync brought {[event['type'] for event in events]}")

    poll = asyncio.create_task(
        eventually(received, within=Budget.DELIVERY, label="Alice's message in Bob's /sync")
    )
    try:
        await under_way.wait()
        sent = await alice.send(room, body)
        event = await poll
    finally:
        poll.cancel()
    evidence(
        "event", {"sent": sent, "received": event["event_id"], "age in ms": event["unsigned"].get("age")}
    )
    assert event["event_id"] == sent, f"Alice sent {sent}, Bob received the same text as {event['event_id']}"
    assert event["sender"] == alice.user_id, f"Bob received it from {event['sender']}"


@pytest.mark.requirement("CLI-005")
async def test_the_same_transaction_is_one_event(alice: MatrixClient, evidence: Evidence) -> None:
    """A room. The same message is sent twice with one transaction id: one event id, and one event in the room."""
    room, body, transaction = await alice.create_room(), uuid.uuid4().hex, uuid.uuid4().hex
    first = await alice.send(room, body, transaction=transaction)
    second = await alice.send(room, body, transaction=transaction)
    evidence("event ids", [first, second])
    assert first == second, f"transaction {transaction} became two events: {first} and {second}"
    found = [
        event["event_id"] for event in await alice.messages(room) if event["content"].get("body") == body
    ]
    assert found == [first], f"the room holds {found} for one transaction"


@pytest.mark.requirement("CLI-006")
async def test_a_stranger_reads_nothing_of_a_private_room(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice reads a message in her private room. Bob, not invited, asks the same: refused."""
    room, body = await alice.create_room(preset="private_chat"), uuid.uuid4().hex
    event = await alice.send(room, body)
    paths = {
        "messages": f"/_matrix/client/v3/rooms/{quote(room)}/messages?dir=b",
        "event": f"/_matrix/client/v3/rooms/{quote(room)}/event/{quote(event)}",
    }
    answers = {}
    for name, path in paths.items():
        assert body in (await alice.request("GET", path)).text, (
            f"Alice herself does not find her message in {name}"
        )
        answers[name] = await bob.request("GET", path)
    evidence("answers to the stranger", {name: answer.status_code for name, answer in answers.items()})
    for name, answer in answers.items():
        assert body not in answer.text, f"GET {name}: a stranger reads the message ({answer.status_code})"
        # The specification has 403 for a room's messages and 404 for an event that one may not see.
        assert answer.status_code in (httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND), (
            f"GET {name} by a stranger: {answer.status_code} {answer.text:.200}"
        )


@pytest.mark.requirement("CLI-006")
async def test_a_stranger_cannot_join_a_private_room(alice: MatrixClient, bob: MatrixClient) -> None:
    """Precondition: Alice has a private room. Bob, not invited, joins it by its id: forbidden."""
    room = await alice.create_room(preset="private_chat")
    answer = await bob.request("POST", f"/_matrix/client/v3/join/{quote(room)}", json={})
    assert answer.status_code == httpx.codes.FORBIDDEN, (
        f"POST /join of a private room by a stranger: {answer.status_code} {answer.text:.200}"
    )
