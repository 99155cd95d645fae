"""What is sent again, and who is told that it was."""

import uuid
from functools import partial
from signal import Signals

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.accounts import register
from fixtures.clients.journey import acknowledged, shared_room
from fixtures.clients.plain import Json, MatrixClient, accepted, at, log_in, timeline
from fixtures.deployment.correlation import REQUEST_ID, answered_by, synapse_pods
from fixtures.deployment.edge import everything_in_rotation
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence


@pytest.mark.requirement("CLI-016")
async def test_a_repetition_at_another_process_is_the_same_event(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """A message is sent through the front door, and then again, with its transaction id, to each process directly, as
    if the one that answered had gone. Each answers with the event that there is, and the room holds one."""
    room, body, transaction = await alice.create_room(), uuid.uuid4().hex, uuid.uuid4().hex
    first = await alice.send(room, body, transaction=transaction)
    again: dict[str, str] = {}
    for pod in await synapse_pods(deployment):
        async with at(deployment, pod, alice) as there:
            again[pod.name] = await there.send(room, body, transaction=transaction)
    held = rooms.bodies(await alice.messages(room)).count(body)
    evidence("events", {"first": first, "again": again, "in the room": held})
    assert set(again.values()) == {first}, (
        f"transaction {transaction} is {first}, and again {again}; does the edge change the id, or is a process's "
        "database another?"
    )
    assert held == 1, f"the room holds the message of one transaction {held} times"


@pytest.mark.requirement("CLI-046")
async def test_a_transaction_of_a_device_that_is_gone_is_free_again(
    deployment: Deployment, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """A device sends and logs out. The next one, which begins to count where that one began, sends with the same
    transaction id: it is another event, and the room holds both."""
    account, transaction = await register(deployment, "alice"), uuid.uuid4().hex
    gone = await log_in(http, account.user_id, account.password)
    room = await gone.create_room()
    first = await gone.send(room, "before", transaction=transaction)
    await gone.logout()
    device = await log_in(http, account.user_id, account.password)
    second = await device.send(room, "after", transaction=transaction)
    held = rooms.bodies(await device.messages(room))
    evidence("events", {"before": first, "after": second, "in the room": held})
    assert (second != first, held) == (True, ["after", "before"]), (
        f"two devices sent with transaction {transaction}, which is {first} and {second}; the room holds {held}: what "
        "the second one sent is lost"
    )


@pytest.mark.requirement("CLI-047")
@pytest.mark.disruptive(Role.GENERIC_WORKER)
async def test_a_repetition_after_the_process_was_killed_is_the_same_event(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """A message is sent, and the process that answered is killed, as if before the answer came through. The client
    sends it again until there is one: it is the same event, and the room holds one."""
    room, body, transaction = await alice.create_room(), uuid.uuid4().hex, uuid.uuid4().hex
    path = rooms.path(room, "send", "m.room.message", transaction)
    sent = await alice.request("PUT", path, json={"msgtype": "m.text", "body": body})
    first = accepted(f"PUT {path}", sent)["event_id"]
    pod = await answered_by(deployment, sent.headers[REQUEST_ID])
    before = await deployment.incarnation(pod)
    await deployment.signal(pod, Signals.SIGKILL)
    again = await eventually(
        partial(acknowledged, alice, room, body, transaction),
        within=Budget.FAILOVER,
        label="the message is acknowledged after the process was killed",
    )

    async def bitten() -> bool:
        return await deployment.incarnation(pod) != before

    await eventually(bitten, within=Budget.REPLACEMENT, label=f"{pod.name} was killed and came back")
    await deployment.settled(within=Budget.HEALTH.seconds())
    await everything_in_rotation(deployment)
    held = rooms.bodies(await alice.messages(room)).count(body)
    evidence("events", {"killed": pod.name, "first": first, "again": again, "in the room": held})
    assert (again, held) == (first, 1), (
        f"transaction {transaction} is {first}, after {pod.name} was killed {again}, and {held} times in the room; are "
        "transactions kept in the database, and by the id that the client gave?"
    )


@pytest.mark.requirement("CLI-017")
async def test_only_the_device_that_sent_is_told_its_transaction(
    deployment: Deployment, http: httpx.AsyncClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice with two devices and Bob share a room. One device sends: the event has the transaction id in
    that device's /sync, and has none in that of her other device and of Bob."""
    account = await register(deployment, "alice")
    phone = await log_in(http, account.user_id, account.password)
    laptop = await log_in(http, account.user_id, account.password)
    room, transaction = await shared_room(phone, bob), uuid.uuid4().hex
    sent = await phone.send(room, "hello", transaction=transaction)
    told = {
        name: (await found(device, room, sent))["unsigned"].get("transaction_id")
        for name, device in {"phone": phone, "laptop": laptop, "bob": bob}.items()
    }
    evidence("transaction ids", {"sent": transaction, "told": told})
    assert told == {"phone": transaction, "laptop": None, "bob": None}, (
        f"the phone sent {transaction}; /sync tells {told}: a client that does not find its own shows the message twice"
    )


async def found(device: MatrixClient, room: str, event_id: str) -> Json:
    """The event as /sync brings it to a device."""

    async def brought() -> Json:
        events = {event["event_id"]: event for event in timeline(await device.sync(), room)}
        if event_id not in events:
            raise NotYet(f"/sync brought {[event['type'] for event in events.values()]}")
        return events[event_id]

    return await eventually(
        brought, within=Budget.DELIVERY, label=f"the message in /sync of {device.device_id}"
    )
