"""What servers tell each other of their users: who they are, how they are, what they type, and their devices."""

import uuid
from typing import Final
from urllib.parse import quote

import pytest

from fixtures.clients import rooms
from fixtures.clients.device_keys import device_keys
from fixtures.clients.plain import Json
from fixtures.clients.servers import Parties, meeting, shown
from fixtures.clients.syncing import POLL_MS, brought, ephemeral
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence

KIND: Final = "test.conformance.to-device"


@pytest.mark.requirement("FED-011")
async def test_a_profile_is_asked_for_at_its_server(parties: Parties, evidence: Evidence) -> None:
    """The host and the guest share a room. The host takes another name: the guest, who asks, is told it."""
    await meeting(parties)
    name = f"Host {uuid.uuid4().hex[:8]}"
    path = f"/_matrix/client/v3/profile/{quote(parties.host.user_id)}"
    await parties.host.call("PUT", f"{path}/displayname", json={"displayname": name})
    found = await parties.guest.call("GET", path)
    evidence("profile", found)
    assert found.get("displayname") == name, f"the host is called {name!r}, and the guest is told {found}"


@pytest.mark.requirement("FED-012")
async def test_who_types_is_seen(parties: Parties) -> None:
    """The host types in a room with the guest: the guest's /sync shows it."""
    room = await meeting(parties)
    path = rooms.path(room, "typing", parties.host.user_id)
    await parties.host.call("PUT", path, json={"typing": True, "timeout": POLL_MS})
    await brought(
        parties.guest,
        lambda answer: parties.host.user_id in str(ephemeral(answer, room, "m.typing")) or None,
        label="that the host types",
    )


@pytest.mark.requirement("FED-012")
async def test_a_receipt_is_seen(parties: Parties) -> None:
    """The guest reads a message of the host's: the host's /sync shows the receipt."""
    room = await meeting(parties)
    event = await parties.host.send(room, "read me")
    await shown(parties.guest, room, event)
    await parties.guest.call("POST", rooms.path(room, "receipt", "m.read", event), json={})
    await brought(
        parties.host,
        lambda answer: parties.guest.user_id in str(ephemeral(answer, room, "m.receipt")) or None,
        label="the guest's receipt",
    )


@pytest.mark.requirement("FED-012")
async def test_presence_is_seen(parties: Parties, evidence: Evidence) -> None:
    """The host and the guest share a room. The host says something of himself: the guest's /sync shows it."""
    await meeting(parties)
    word = uuid.uuid4().hex
    path = f"/_matrix/client/v3/presence/{quote(parties.host.user_id)}/status"
    await parties.host.call("PUT", path, json={"presence": "online", "status_msg": word})

    def told(answer: Json) -> Json | None:
        events = answer.get("presence", {}).get("events", [])
        return next((each for each in events if each["content"].get("status_msg") == word), None)

    found = await brought(parties.guest, told, label="the host's presence")
    evidence("presence", found)
    assert found["sender"] == parties.host.user_id, f"the presence is of {found['sender']}"


@pytest.mark.requirement("FED-013")
async def test_a_message_reaches_a_device(parties: Parties) -> None:
    """The host sends to the guest's device, without a room: the guest's /sync brings it."""
    host, guest = parties.host, parties.guest
    word = uuid.uuid4().hex
    messages = {guest.user_id: {guest.device_id: {"word": word}}}
    path = f"/_matrix/client/v3/sendToDevice/{KIND}/{uuid.uuid4().hex}"
    await host.call("PUT", path, json={"messages": messages})

    def found(answer: Json) -> Json | None:
        events = answer.get("to_device", {}).get("events", [])
        return next((each for each in events if each["content"].get("word") == word), None)

    event = await brought(guest, found, label="the message to the device")
    assert event["sender"] == host.user_id, f"the message is of {event['sender']}"


@pytest.mark.requirement("FED-014")
async def test_new_keys_of_a_device_are_announced_and_found(parties: Parties, evidence: Evidence) -> None:
    """The host and the guest share a room. The host's device uploads keys: the guest's /sync says that the host's
    devices changed, and the guest is given those keys, and one key to write with, once."""
    host, guest = parties.host, parties.guest
    await meeting(parties)
    await guest.sync()
    device = device_keys(host)
    once = {f"signed_curve25519:{uuid.uuid4().hex[:6]}": {"key": uuid.uuid4().hex, "signatures": {}}}
    path = "/_matrix/client/v3/keys/upload"
    await host.call("POST", path, json={"device_keys": device, "one_time_keys": once})
    await brought(
        guest,
        lambda answer: host.user_id in answer.get("device_lists", {}).get("changed", []) or None,
        label="that the host's devices changed",
    )
    asked: Json = {"device_keys": {host.user_id: []}}

    async def as_uploaded() -> Json:
        answer = await guest.call("POST", "/_matrix/client/v3/keys/query", json=asked)
        found: Json = answer["device_keys"].get(host.user_id, {}).get(host.device_id, {})
        if found.get("keys") != device["keys"]:
            raise NotYet(f"the keys are {answer}")
        return found

    await eventually(as_uploaded, within=Budget.DELIVERY, label="the guest is given the host's keys")
    claim = {"one_time_keys": {host.user_id: {host.device_id: "signed_curve25519"}}}
    claimed = [await guest.call("POST", "/_matrix/client/v3/keys/claim", json=claim) for _ in range(2)]
    given = [answer["one_time_keys"].get(host.user_id, {}).get(host.device_id) for answer in claimed]
    evidence("keys to write with", given)
    assert given == [once, None], f"of one key {once} that was uploaded, two claims were given {given}"
