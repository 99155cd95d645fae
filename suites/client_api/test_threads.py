"""How far somebody has read: in the room, in each thread, and to the mark that clients show."""

import json
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.accounts import register
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import Json, MatrixClient, log_in, timeline
from fixtures.clients.syncing import account_data, brought, ephemeral, joined
from fixtures.deployment.interface import Deployment
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence

BY_THREAD = json.dumps({"room": {"timeline": {"unread_thread_notifications": True}}})

FULLY_READ = "m.fully_read"

Counts = tuple[int, dict[str, int]]
"""What is unread in the room outside of threads, and in each thread, by its root."""


def counts_of(answer: Json, room: str) -> Counts | None:
    """What an answer of /sync says; None when it says nothing of the room."""
    if not (of := joined(answer, room)):
        return None
    threads = of.get("unread_thread_notifications", {})
    return (
        int(of["unread_notifications"]["notification_count"]),
        {root: int(counts["notification_count"]) for root, counts in threads.items()},
    )


async def unread(user: MatrixClient, room: str, expected: Counts, *, label: str) -> Counts:
    """The counts as soon as they are those that are expected."""
    last: list[Counts] = []

    async def so() -> Counts:
        if (found := counts_of(await user.sync(filter=BY_THREAD), room)) is not None:
            last[:] = [found]
        if last != [expected]:
            raise NotYet(f"unread in the room and by thread: {last or 'nothing told'}, expected {expected}")
        return expected

    return await eventually(so, within=Budget.DELIVERY, label=label)


@pytest.mark.requirement("CLI-049")
async def test_a_thread_is_counted_and_read_by_itself(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice and Bob share a room. She writes two messages, and one in the thread of the first: two and
    one are unread. He reads the thread: two and none, and she sees of which thread his receipt is. He reads the room:
    nothing is unread. She writes in the thread once more: that alone is."""
    room = await shared_room(alice, bob)
    await alice.sync()
    root, last = await alice.send(room, "first"), await alice.send(room, "second")
    threaded = await rooms.relate(alice, room, "in the thread", root, "m.thread")
    seen = [await unread(bob, room, (2, {root: 1}), label="two unread messages and one in a thread")]
    await bob.call("POST", rooms.path(room, "receipt", "m.read", threaded), json={"thread_id": root})
    seen.append(await unread(bob, room, (2, {}), label="the thread was read, the room not"))
    told = await brought(
        alice,
        lambda answer: (
            [
                each["content"][threaded]["m.read"][bob.user_id]
                for each in ephemeral(answer, room, "m.receipt")
                if bob.user_id in each["content"].get(threaded, {}).get("m.read", {})
            ]
            or None
        ),
        label="Bob's receipt in the thread",
    )
    await bob.call("POST", rooms.path(room, "receipt", "m.read", last), json={"thread_id": "main"})
    seen.append(await unread(bob, room, (0, {}), label="the room was read"))
    await rooms.relate(alice, room, "in the thread", root, "m.thread")
    seen.append(await unread(bob, room, (0, {root: 1}), label="one new message in the thread"))
    evidence("unread", {"steps": seen, "receipt": told})
    assert told[-1].get("thread_id") == root, f"Bob read the thread of {root}, and Alice is told {told}"


@pytest.mark.requirement("CLI-050")
async def test_how_far_one_has_read_is_known_to_ones_other_device(
    deployment: Deployment, http: httpx.AsyncClient, alice: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice shares a room with Bob, who has two devices. The telephone sets his mark at the first of two
    messages: the laptop has it there, in /sync and when it asks. With the mark at the second it sends a receipt: the
    mark moves, Alice sees the receipt, and of the mark she sees nothing."""
    account = await register(deployment, "bob")
    phone, laptop = [await log_in(http, account.user_id, account.password) for _ in range(2)]
    room = await shared_room(alice, phone)
    first, second = await alice.send(room, "first"), await alice.send(room, "second")
    await alice.sync()
    path = rooms.path(room, "read_markers")
    await phone.call("POST", path, json={FULLY_READ: first})
    marks = [await marked(laptop, room, first)]
    await phone.call("POST", path, json={FULLY_READ: second, "m.read": second})
    marks.append(await marked(laptop, room, second))
    own = f"/_matrix/client/v3/user/{quote(account.user_id)}/rooms/{quote(room)}/account_data/{FULLY_READ}"
    asked = await laptop.call("GET", own)
    told: list[Json] = []

    def receipt(answer: Json) -> bool | None:
        told.append(joined(answer, room))
        return account.user_id in str(ephemeral(answer, room, "m.receipt")) or None

    await brought(alice, receipt, label="Bob's receipt")
    evidence("marks", {"in /sync": marks, "asked": asked})
    assert asked == {"event_id": second}, f"the mark was set at {second}, and is read as {asked}"
    assert FULLY_READ not in str(told), f"Alice is told of Bob's mark: {told}"
    assert not timeline({"rooms": {"join": {room: told[-1]}}}, room), (
        f"a mark is an event of the room: {told}"
    )


async def marked(device: MatrixClient, room: str, event_id: str) -> str:
    """The mark in /sync of a device, as soon as it is at the event."""

    def at_event(answer: Json) -> str | None:
        found = account_data(answer, FULLY_READ, room) or {}
        return event_id if found.get("event_id") == event_id else None

    return await brought(device, at_event, label="the mark")
