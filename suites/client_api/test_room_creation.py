"""How a room is made, and what it is then."""

from dataclasses import dataclass

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.plain import Json, MatrixClient
from fixtures.plugins.evidence import Evidence

CREATE = "/_matrix/client/v3/createRoom"

FORBIDDEN = {"guest_access": "forbidden"}
"""What a room without such an event is to guests."""


@dataclass(frozen=True)
class Preset:
    """What a preset makes of a room: client-server API, POST /createRoom."""

    join_rule: str
    history_visibility: str
    guest_access: str


PRESETS = {
    "private_chat": Preset("invite", "shared", "can_join"),
    "trusted_private_chat": Preset("invite", "shared", "can_join"),
    "public_chat": Preset("public", "shared", "forbidden"),
}

VERSIONS: dict[str, tuple[Json, str]] = {
    "unknown": ({"room_version": "no-such-version"}, "M_UNSUPPORTED_ROOM_VERSION"),
    "a number": ({"room_version": 11}, "M_BAD_JSON"),
}


@pytest.mark.requirement("CLI-014")
@pytest.mark.parametrize("preset", PRESETS)
async def test_a_preset_decides_who_may_come(preset: str, alice: MatrixClient, evidence: Evidence) -> None:
    """A room is made of each preset. Its state says who may join, who may read, and what guests may do."""
    room = await alice.create_room(preset=preset)
    events = (await alice.request("GET", rooms.path(room, "state"))).json()
    state = {event["type"]: event["content"] for event in events}
    found = Preset(
        state["m.room.join_rules"]["join_rule"],
        state["m.room.history_visibility"]["history_visibility"],
        state.get("m.room.guest_access", FORBIDDEN)["guest_access"],
    )
    evidence("state", vars(found))
    assert found == PRESETS[preset], f"createRoom with preset {preset} made {found}, not {PRESETS[preset]}"


@pytest.mark.requirement("CLI-014")
async def test_a_room_is_what_was_asked_for(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """A room with name, topic, version and an invitation. Its state has them, and the guest joins."""
    room = await alice.create_room(name="Lobby", topic="Welcome", room_version="11", invite=[bob.user_id])
    found = {
        "name": (await rooms.state(alice, room, "m.room.name"))["name"],
        "topic": (await rooms.state(alice, room, "m.room.topic"))["topic"],
        "version": (await rooms.state(alice, room, "m.room.create"))["room_version"],
        "guest": await rooms.membership(alice, room, bob.user_id),
    }
    evidence("state", found)
    assert found == {"name": "Lobby", "topic": "Welcome", "version": "11", "guest": "invite"}, (
        f"createRoom made {found} of what it was asked for"
    )
    await bob.join(room)


@pytest.mark.requirement("CLI-014")
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_version_that_there_is_not_is_refused(
    version: str, alice: MatrixClient, evidence: Evidence
) -> None:
    """A room is asked for in a version that does not exist: 400, and the error says what is wrong."""
    body, errcode = VERSIONS[version]
    answer = await alice.request("POST", CREATE, json=body)
    evidence("answer", {"status": answer.status_code, "errcode": answer.json().get("errcode")})
    assert answer.status_code == httpx.codes.BAD_REQUEST, (
        f"POST {CREATE} {body}: {answer.status_code} {answer.text:.200}"
    )
    assert answer.json()["errcode"] == errcode, f"POST {CREATE} {body}: {answer.text:.200}, not {errcode}"
