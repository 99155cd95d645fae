"""Rooms of ours with their members, and the other way round."""

from typing import Final

import pytest

from fixtures.clients.plain import MatrixClient
from fixtures.clients.servers import Parties

WHOSE: Final = ("our room", "their room")


@pytest.fixture(params=WHOSE)
def parties(request: pytest.FixtureRequest, alice: MatrixClient, carol: MatrixClient) -> Parties:
    """Alice of ours and Carol of another server: each of them has the room once, and the other comes to it."""
    return Parties(alice, carol) if request.param == WHOSE[0] else Parties(carol, alice)


@pytest.fixture
def our_room(alice: MatrixClient, carol: MatrixClient) -> Parties:
    """A room of ours only: what it shows is our server's doing."""
    return Parties(host=alice, guest=carol)
