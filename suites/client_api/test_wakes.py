"""What ends the waiting of a /sync."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from fixtures.clients import rooms
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import Json, MatrixClient, timeline
from fixtures.clients.syncing import POLL_MS, account_data, ephemeral, woken
from fixtures.plugins.evidence import Evidence

KIND = "test.conformance.kind"


@dataclass(frozen=True)
class Scene:
    """Alice and Bob share a room in which she has written; Bob waits."""

    alice: MatrixClient
    bob: MatrixClient
    room: str
    event: str

    @property
    def own(self) -> str:
        """What is Bob's alone."""
        return f"/_matrix/client/v3/user/{quote(self.bob.user_id)}"


@dataclass(frozen=True)
class Change:
    """How something is changed, and where Bob's /sync has it."""

    make: Callable[[Scene], Awaitable[object]]
    find: Callable[[Scene, Json], object]


def to_device(scene: Scene) -> Awaitable[Json]:
    """A message past all rooms, from Alice to Bob's device."""
    path = f"/_matrix/client/v3/sendToDevice/{KIND}/{uuid.uuid4().hex}"
    messages = {scene.bob.user_id: {scene.bob.device_id: {"text": "hello"}}}
    return scene.alice.call("PUT", path, json={"messages": messages})


def push_rule(scene: Scene) -> Awaitable[Json]:
    """A word that Bob wants to hear about."""
    path = f"/_matrix/client/v3/pushrules/global/content/{KIND}"
    return scene.bob.call("PUT", path, json={"pattern": "cake", "actions": ["notify"]})


def typing(scene: Scene) -> Awaitable[Json]:
    """Alice begins to write."""
    path = rooms.path(scene.room, "typing", scene.alice.user_id)
    return scene.alice.call("PUT", path, json={"typing": True, "timeout": POLL_MS})


def receipt(scene: Scene) -> Awaitable[Json]:
    """Alice has read."""
    path = rooms.path(scene.room, "receipt", "m.read", scene.event)
    return scene.alice.call("POST", path, json={})


CHANGES = {
    "a member leaves": Change(
        lambda scene: rooms.act(scene.alice, scene.room, "leave"),
        lambda scene, answer: [
            event
            for event in timeline(answer, scene.room)
            if event["type"] == "m.room.member" and event["content"]["membership"] == "leave"
        ],
    ),
    "a message to the device": Change(
        to_device,
        lambda _, answer: [
            each for each in answer.get("to_device", {}).get("events", []) if each["type"] == KIND
        ],
    ),
    "a push rule": Change(
        push_rule,
        lambda _, answer: "cake" in str(account_data(answer, "m.push_rules")),
    ),
    "account data": Change(
        lambda scene: scene.bob.call("PUT", f"{scene.own}/account_data/{KIND}", json={"set": True}),
        lambda _, answer: account_data(answer, KIND),
    ),
    "a tag": Change(
        lambda scene: scene.bob.call(
            "PUT", f"{scene.own}/rooms/{quote(scene.room)}/tags/m.favourite", json={}
        ),
        lambda scene, answer: account_data(answer, "m.tag", scene.room),
    ),
    "typing": Change(typing, lambda scene, answer: ephemeral(answer, scene.room, "m.typing")),
    "a receipt": Change(
        receipt,
        lambda scene, answer: [
            each for each in ephemeral(answer, scene.room, "m.receipt") if scene.alice.user_id in str(each)
        ],
    ),
}


@pytest.mark.requirement("CLI-024")
@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_wakes_who_waits(
    change: str, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice and Bob share a room, and Bob's long poll is under way. Each kind of change ends it."""
    room = await shared_room(alice, bob)
    scene = Scene(alice, bob, room, await bob.send(room, "hello"))
    await bob.sync()
    found = await woken(
        bob,
        lambda: CHANGES[change].make(scene),
        lambda answer: CHANGES[change].find(scene, answer) or None,
        label=change,
    )
    evidence("found", found)
