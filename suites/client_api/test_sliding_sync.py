"""Simplified sliding sync, MSC4186, which newer clients use instead of /sync."""

import pytest

from fixtures.clients import rooms
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import Json, MatrixClient
from fixtures.clients.shapes.table import SLIDING
from fixtures.clients.syncing import POLL_MS
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence

WINDOW: Json = {
    "lists": {
        "all": {"ranges": [[0, 9]], "required_state": [["m.room.create", ""]], "timeline_limit": 10},
    }
}
"""The ten newest rooms, with what began them and ten events of each."""


@pytest.mark.requirement("CLI-032")
async def test_a_window_shows_a_room_and_then_what_is_new(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice and Bob share a room in which she wrote. His window shows the room with its beginning and the
    message; from there on it shows what she sends next, and not the room anew."""
    room = await shared_room(alice, bob)
    await alice.send(room, "old")

    async def first_one() -> Json:
        answer = await bob.call("POST", SLIDING, json=WINDOW)
        if "old" not in rooms.bodies(answer["rooms"].get(room, {}).get("timeline", [])):
            raise NotYet(f"the window shows {len(answer['rooms'])} rooms, and not the message")
        return answer

    first = await eventually(
        first_one, within=Budget.DELIVERY, label="the room and its message in the window"
    )
    await alice.send(room, "new")
    position = first["pos"]

    async def next_one() -> Json:
        nonlocal position
        answer = await bob.call("POST", SLIDING, params={"pos": position, "timeout": POLL_MS}, json=WINDOW)
        position = answer["pos"]
        if room not in answer["rooms"]:
            raise NotYet(f"the answer has {len(answer['rooms'])} other rooms")
        shown: Json = answer["rooms"][room]
        return shown

    shown = first["rooms"][room]
    later = await eventually(next_one, within=Budget.DELIVERY, label="the new message in the window")
    evidence("window", {"count": first["lists"]["all"]["count"], "first": shown.get("initial")})
    assert shown.get("initial"), f"the window does not show the room as new: {sorted(shown)}"
    assert [event["type"] for event in shown["required_state"]] == ["m.room.create"]
    assert rooms.bodies(later["timeline"]) == ["new"], (
        f"then the window shows {rooms.bodies(later['timeline'])}"
    )
    assert not later.get("initial"), "the window shows the room anew, from its beginning"
