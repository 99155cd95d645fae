"""What is not kept: typing, receipts, presence, messages to devices. Who may send them, and for whom."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pytest

from fixtures.clients.plain import Json, MatrixClient
from fixtures.clients.rooms import put_state
from fixtures.clients.servers import server_of
from fixtures.clients.syncing import answers_until, ephemeral
from fixtures.peers.fake import FakeServer
from fixtures.peers.meeting import room_with, timeline_with
from fixtures.plugins.evidence import Evidence


@dataclass(frozen=True)
class Scene:
    """Where it happens: a room, a message in it, and a device that looks on."""

    room: str
    message: str
    watcher: MatrixClient


@dataclass(frozen=True)
class Kind:
    """A kind of EDU: one of a user, and whether an answer of /sync shows one of this user."""

    made: Callable[[Scene, str], Json]
    shown: Callable[[Scene, Json, str], bool]


def _typing(scene: Scene, user: str) -> Json:
    return {"edu_type": "m.typing", "content": {"room_id": scene.room, "user_id": user, "typing": True}}


def _types(scene: Scene, answer: Json, user: str) -> bool:
    return any(user in each["content"]["user_ids"] for each in ephemeral(answer, scene.room, "m.typing"))


def _receipt(scene: Scene, user: str) -> Json:
    read = {"event_ids": [scene.message], "data": {"ts": round(time.time() * 1000)}}
    return {"edu_type": "m.receipt", "content": {scene.room: {"m.read": {user: read}}}}


def _has_read(scene: Scene, answer: Json, user: str) -> bool:
    return any(
        user in readers.get("m.read", {})
        for each in ephemeral(answer, scene.room, "m.receipt")
        for readers in each["content"].values()
    )


def _presence(_: Scene, user: str) -> Json:
    state = {
        "user_id": user,
        "presence": "online",
        "status_msg": "by federation",
        "last_active_ago": 1,
        "currently_active": True,
    }
    return {"edu_type": "m.presence", "content": {"push": [state]}}


def _is_present(_: Scene, answer: Json, user: str) -> bool:
    return any(
        each["sender"] == user and each["content"].get("status_msg") == "by federation"
        for each in answer.get("presence", {}).get("events", [])
    )


def _to_device(scene: Scene, user: str) -> Json:
    device = {scene.watcher.user_id: {scene.watcher.device_id: {"body": "by federation"}}}
    content = {
        "sender": user,
        "type": "test.message",
        "message_id": uuid.uuid4().hex,
        "messages": device,
    }
    return {"edu_type": "m.direct_to_device", "content": content}


def _has_written(_: Scene, answer: Json, user: str) -> bool:
    return any(each["sender"] == user for each in answer.get("to_device", {}).get("events", []))


KINDS: Final = {
    "typing": Kind(_typing, _types),
    "receipt": Kind(_receipt, _has_read),
    "presence": Kind(_presence, _is_present),
    "to-device": Kind(_to_device, _has_written),
}
IN_ROOMS: Final = ("typing", "receipt")


async def a_scene(watcher: MatrixClient, *guests: tuple[FakeServer, str]) -> Scene:
    """A room of the watcher's with guests and a message; her /sync is up to date."""
    room = await room_with(watcher, *guests)
    scene = Scene(room, await watcher.send(room, "look"), watcher)
    await watcher.sync()
    return scene


async def shown_up_to(scene: Scene, kind: Kind, user: str) -> list[Json]:
    """The watcher's answers, up to the one that shows the EDU of this user."""
    return await answers_until(
        scene.watcher,
        lambda answer: kind.shown(scene, answer, user) or None,
        label=f"the EDU of {user}",
    )


@pytest.mark.requirement("FED-052")
@pytest.mark.parametrize("name", IN_ROOMS)
async def test_a_server_that_is_not_in_the_room_says_nothing_there(
    alice: MatrixClient, fake: FakeServer, new_fake: Callable[[], FakeServer], name: str
) -> None:
    """Bob's server is in the room, Mallory's is not: what comes of hers, and then of his; alice sees his only."""
    kind, strange = KINDS[name], new_fake()
    bob, mallory = fake.user(f"bob-{name}"), strange.user("mallory")
    scene = await a_scene(alice, (fake, bob))
    for server, user in ((strange, mallory), (fake, bob)):
        answer = await server.send(server_of(alice), edus=[kind.made(scene, user)])
        assert answer["status"] == 200, answer
    answers = await shown_up_to(scene, kind, bob)
    assert not any(kind.shown(scene, answer, mallory) for answer in answers), (
        f"alice sees {name} of {mallory}, whose server is not in the room"
    )


@pytest.mark.requirement("FED-053")
@pytest.mark.parametrize("name", KINDS)
async def test_no_server_says_what_users_of_another_do(
    alice: MatrixClient, bob: MatrixClient, fake: FakeServer, name: str
) -> None:
    """Alice and bob of ours share a room with carol of another server, which says something of bob, then of carol."""
    kind, carol = KINDS[name], fake.user(f"carol-{name}")
    scene = await a_scene(alice, (fake, carol))
    await bob.join(scene.room)
    for user in (bob.user_id, carol):
        answer = await fake.send(server_of(alice), edus=[kind.made(scene, user)])
        assert answer["status"] == 200, answer
    answers = await shown_up_to(scene, kind, carol)
    assert not any(kind.shown(scene, answer, bob.user_id) for answer in answers), (
        f"alice sees {name} of {bob.user_id} that his server never sent"
    )


@pytest.mark.requirement("FED-051")
async def test_a_message_to_a_device_that_is_sent_again_is_there_once(
    alice: MatrixClient, fake: FakeServer
) -> None:
    """Bob's server sends a message to alice's device, again in another transaction, and then a last one."""
    kind, bob, last = KINDS["to-device"], fake.user("bob-again"), fake.user("bob-last")
    scene = await a_scene(alice, (fake, bob))
    message = kind.made(scene, bob)
    for edu in (message, message, kind.made(scene, last)):
        answer = await fake.send(server_of(alice), edus=[edu])
        assert answer["status"] == 200, answer
    answers = await shown_up_to(scene, kind, last)
    came = [each for answer in answers for each in answer["to_device"]["events"] if each["sender"] == bob]
    assert len(came) == 1, f"what bob's server sent twice came {len(came)} times"


@pytest.mark.requirement("FED-054")
async def test_a_server_that_is_denied_says_nothing_in_the_room(
    alice: MatrixClient, fake: FakeServer, new_fake: Callable[[], FakeServer], evidence: Evidence
) -> None:
    """Two other servers are in a room whose access list then denies one: no event, no EDU, no join of its comes in."""
    denied = new_fake()
    bob, mallory, typing = fake.user("bob-acl"), denied.user("mallory"), KINDS["typing"]
    scene = await a_scene(alice, (fake, bob), (denied, mallory))
    host = denied.name.partition(":")[0]
    acl = {"allow": ["*"], "deny": [host], "allow_ip_literals": False}
    await put_state(alice, scene.room, "m.room.server_acl", acl)
    wrong = await denied.draft(scene.room, mallory, "denied")
    right = await fake.draft(scene.room, bob, "allowed")
    ours = server_of(alice)
    evidence("answer", await denied.send(ours, wrong, edus=[typing.made(scene, mallory)]))
    await fake.send(ours, right, edus=[typing.made(scene, bob)])
    answers = await shown_up_to(scene, typing, bob)
    assert not any(typing.shown(scene, answer, mallory) for answer in answers), "alice sees that she types"
    events = await timeline_with(alice, scene.room, right.event_id)
    assert wrong.event_id not in events, f"alice was given a message of {mallory}, whose server is denied"
    answer = await denied.join(ours, scene.room, denied.user("another"))
    assert answer["status"] == 403, f"a user of a denied server joins: {answer}"
