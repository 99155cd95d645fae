"""Getting into a room of another server, in both directions."""

import pytest

from fixtures.clients.plain import MatrixClient
from fixtures.clients.rooms import membership


@pytest.mark.requirement("FED-001")
async def test_a_room_of_ours_is_joined_by_its_name(alice: MatrixClient, carol: MatrixClient) -> None:
    """A public room of alice's with an alias; carol of the other server joins by it; alice sees her in."""
    name = f"#{alice.user_id[1:].replace(':', '-room:', 1)}"
    room = await alice.create_room(preset="public_chat", room_alias_name=name[1:].split(":", maxsplit=1)[0])
    await carol.join(name)
    assert await membership(alice, room, carol.user_id) == "join"
