"""What one process alone writes and all read: typing, receipts, presence, account data, push rules."""

from urllib.parse import quote

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.accounts import register
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import Json, MatrixClient, log_in, timeline
from fixtures.clients.syncing import POLL_MS, account_data, answers_until, brought, ephemeral, joined
from fixtures.deployment.interface import Deployment
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence

KIND = "test.conformance.kind"
RULE = "/_matrix/client/v3/pushrules/global/content/cake"

Devices = tuple[MatrixClient, MatrixClient]


@pytest.fixture
async def devices(deployment: Deployment, http: httpx.AsyncClient) -> Devices:
    """Two devices of a new user."""
    account = await register(deployment, "alice")
    first = await log_in(http, account.user_id, account.password)
    return first, await log_in(http, account.user_id, account.password)


@pytest.mark.requirement("CLI-026")
async def test_who_types_is_seen_in_that_room_only(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice and Bob share two rooms. She types in one: he sees it there, without a room id in it, and
    nothing in the other up to a message that she sends there later. She stops: nobody types any more."""
    here, there = await shared_room(alice, bob), await shared_room(alice, bob)
    path = rooms.path(here, "typing", alice.user_id)
    await alice.call("PUT", path, json={"typing": True, "timeout": POLL_MS})
    begun = await brought(bob, lambda answer: ephemeral(answer, here, "m.typing") or None, label="typing")
    await alice.call("PUT", path, json={"typing": False})
    await alice.send(there, "sentinel")
    answers = await answers_until(
        bob, lambda answer: timeline(answer, there) or None, label="the later message"
    )
    leaked = [each for answer in answers for each in ephemeral(answer, there, "m.typing")]
    ended = [each for answer in answers for each in ephemeral(answer, here, "m.typing")]
    if not ended:
        ended = await brought(
            bob, lambda answer: ephemeral(answer, here, "m.typing") or None, label="the end of typing"
        )
    evidence("typing", {"begun": begun, "ended": ended, "in the other room": leaked})
    assert begun[-1]["content"]["user_ids"] == [alice.user_id], f"Alice types, and Bob sees {begun}"
    assert "room_id" not in begun[-1], f"the notification has a room id: {begun}"
    assert not leaked, f"Alice types in one room, and another shows {leaked}"
    assert ended[-1]["content"]["user_ids"] == [], f"Alice stopped, and Bob sees {ended}"


@pytest.mark.requirement("CLI-027")
async def test_what_was_read_is_no_longer_counted(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice and Bob share a room. She writes: one is unread for him. He reads it: none is, and she sees
    his receipt. She writes again, and he reads in private: none is unread, and she sees no receipt until he writes."""
    room = await shared_room(alice, bob)
    await alice.sync()
    counts: list[int] = [await unread(bob, room, await alice.send(room, "first"))]
    counts.append(await read(bob, room, "m.read"))
    shown = await brought(
        alice,
        lambda answer: bob.user_id in str(ephemeral(answer, room, "m.receipt")) or None,
        label="Bob's receipt",
    )
    counts.append(await unread(bob, room, await alice.send(room, "second")))
    counts.append(await read(bob, room, "m.read.private"))
    await bob.send(room, "sentinel")
    answers = await answers_until(
        alice,
        lambda answer: "sentinel" in rooms.bodies(timeline(answer, room)) or None,
        label="Bob's message",
    )
    private = [
        each for answer in answers for each in ephemeral(answer, room, "m.receipt") if "private" in str(each)
    ]
    evidence("unread", counts)
    assert shown
    assert counts == [1, 0, 1, 0], f"unread after sent, read, sent, read in private: {counts}"
    assert not private, f"Bob read in private, and Alice is told: {private}"


async def unread(user: MatrixClient, room: str, event_id: str) -> int:
    """The count of a room that comes with an event."""

    def count(answer: Json) -> int | None:
        if event_id not in [event["event_id"] for event in timeline(answer, room)]:
            return None
        return int(joined(answer, room)["unread_notifications"]["notification_count"])

    return await brought(user, count, label="the message")


async def read(user: MatrixClient, room: str, kind: str) -> int:
    """A receipt for the newest event of a room; the count that /sync then brings."""
    newest = (await user.messages(room))[0]["event_id"]
    await user.call("POST", rooms.path(room, "receipt", kind, newest), json={})

    def count(answer: Json) -> int | None:
        found = joined(answer, room).get("unread_notifications", {}).get("notification_count")
        return found if found == 0 else None

    return await brought(user, count, label=f"no unread message after {kind}")


@pytest.mark.requirement("CLI-028")
async def test_presence_reaches_who_shares_a_room(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice and Bob share a room. She is away, with a word about it: his /sync brings both, and so does
    the question how she is."""
    await shared_room(alice, bob)
    path = f"/_matrix/client/v3/presence/{quote(alice.user_id)}/status"
    await alice.call("PUT", path, json={"presence": "unavailable", "status_msg": "at lunch"})

    def of_alice(answer: Json) -> Json | None:
        found = [
            each["content"]
            for each in answer.get("presence", {}).get("events", [])
            if each["sender"] == alice.user_id and each["content"].get("status_msg") == "at lunch"
        ]
        return found[-1] if found else None

    told = await brought(bob, of_alice, label="Alice's presence")
    asked = await bob.call("GET", path)
    evidence("presence", {"told": told, "asked": asked})
    for answer in (told, asked):
        assert (answer["presence"], answer.get("status_msg")) == ("unavailable", "at lunch"), (
            f"Alice is away, at lunch; Bob gets {answer}"
        )


@pytest.mark.requirement("CLI-029")
async def test_account_data_reaches_the_other_device(devices: Devices, evidence: Evidence) -> None:
    """Precondition: two devices of a user. What one sets for the account, for a room and as its tag is in the other's
    /sync, and is read there; a tag that is taken off is gone."""
    phone, laptop = devices
    room = await phone.create_room()
    await laptop.sync()
    own = f"/_matrix/client/v3/user/{quote(phone.user_id)}"
    of_room = f"{own}/rooms/{quote(room)}"
    await phone.call("PUT", f"{own}/account_data/{KIND}", json={"of": "account"})
    everywhere = await brought(laptop, lambda answer: account_data(answer, KIND), label="account data")
    await phone.call("PUT", f"{of_room}/account_data/{KIND}", json={"of": "room"})
    in_room = await brought(
        laptop, lambda answer: account_data(answer, KIND, room), label="the room's account data"
    )
    await phone.call("PUT", f"{of_room}/tags/m.favourite", json={})
    tagged = await brought(laptop, lambda answer: account_data(answer, "m.tag", room), label="the tag")
    await phone.call("DELETE", f"{of_room}/tags/m.favourite")
    bare = await brought(
        laptop, lambda answer: account_data(answer, "m.tag", room), label="the end of the tag"
    )
    evidence("brought", {"account": everywhere, "room": in_room, "tags": [tagged, bare]})
    assert (everywhere, in_room) == ({"of": "account"}, {"of": "room"})
    assert ("m.favourite" in tagged["tags"], bare["tags"]) == (True, {}), f"tags are {tagged}, then {bare}"
    assert await laptop.call("GET", f"{own}/account_data/{KIND}") == {"of": "account"}
    assert await laptop.call("GET", f"{of_room}/account_data/{KIND}") == {"of": "room"}


@pytest.mark.requirement("CLI-030")
async def test_a_push_rule_is_what_it_was_made(devices: Devices, evidence: Evidence) -> None:
    """Precondition: two devices of a user. One adds a rule, changes its actions and switches it off: the other reads it
    so, each time. It is removed: it is not found any more."""
    phone, laptop = devices
    await phone.call("PUT", RULE, json={"pattern": "cake", "actions": ["notify"]})
    added = await rule(laptop, actions=["notify"], enabled=True)
    await phone.call("PUT", f"{RULE}/actions", json={"actions": []})
    quiet = await rule(laptop, actions=[], enabled=True)
    await phone.call("PUT", f"{RULE}/enabled", json={"enabled": False})
    off = await rule(laptop, actions=[], enabled=False)
    await phone.call("DELETE", RULE)

    async def gone() -> bool:
        return (await laptop.request("GET", RULE)).status_code == httpx.codes.NOT_FOUND

    await eventually(gone, within=Budget.DELIVERY, label="the rule that was removed is not found")
    evidence("rule", [added, quiet, off])


async def rule(user: MatrixClient, *, actions: list[str], enabled: bool) -> Json:
    """The rule as soon as it is read like that: workers have rules in a cache."""

    async def so() -> Json:
        answer = await user.request("GET", RULE)
        found: Json = answer.json()
        if answer.is_error or (found["actions"], found["enabled"]) != (actions, enabled):
            raise NotYet(f"{answer.status_code} {answer.text:.200}")
        return found

    return await eventually(
        so, within=Budget.DELIVERY, label=f"the rule with actions {actions}, enabled {enabled}"
    )
