"""The state of a room, as it is set and as it is read."""

import pytest

from fixtures.clients import rooms
from fixtures.clients.plain import MatrixClient
from fixtures.plugins.evidence import Evidence

KIND = "test.conformance.state"

KEYS = {"empty": "", "plain": "plain", "to be percent-encoded": "a/b ü%2F?"}
"""Keys are anything: proxies decode, join and cut paths."""


@pytest.mark.requirement("CLI-015")
@pytest.mark.parametrize("key", KEYS)
async def test_state_is_read_as_it_was_set_last(key: str, alice: MatrixClient, evidence: Evidence) -> None:
    """State is set, set again to the same, and to something else. What is read is what was set last, each time, and
    the repetition is no event of its own."""
    room = await alice.create_room()
    first = await rooms.put_state(alice, room, KIND, {"value": "first"}, KEYS[key])
    repeated = await rooms.put_state(alice, room, KIND, {"value": "first"}, KEYS[key])
    read_first = await rooms.state(alice, room, KIND, KEYS[key])
    second = await rooms.put_state(alice, room, KIND, {"value": "second"}, KEYS[key])
    read_second = await rooms.state(alice, room, KIND, KEYS[key])
    evidence("events", {"first": first, "repeated": repeated, "second": second})
    assert read_first == {"value": "first"}, f"state was set to first and is read as {read_first}"
    assert read_second == {"value": "second"}, (
        f"state was set to second and is read as {read_second}: is there a cache between?"
    )
    assert repeated == first, f"the same state was set again and became another event: {first}, {repeated}"
    assert second != first, f"other state is the same event: {second}"
