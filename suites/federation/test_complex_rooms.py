"""Rooms of other servers that are too large for this one (`limit_remote_rooms`)."""

from collections.abc import Callable
from typing import Final

import httpx
import pytest

from fixtures.clients.accounts import administrator
from fixtures.clients.plain import MatrixClient, at
from fixtures.clients.servers import ask_to_enter
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget
from fixtures.peers.fake import FakeServer
from fixtures.plugins.evidence import Evidence

BEYOND: Final = {"v1": 1_000_000}
"""How complex the room is said to be: what any setting allows is less."""


@pytest.fixture
async def vast_room(new_fake: Callable[[], FakeServer]) -> tuple[FakeServer, str]:
    """A room of another server's, and what that says of it to who asks before joining."""
    server = new_fake()
    await server.told("instead", pattern="/complexity", body=BEYOND)
    return server, await server.create_room(server.user("bob"))


async def asks_to_join(user: MatrixClient, server: FakeServer, room: str) -> tuple[int, str]:
    """POST /join through that server: status, and errcode of a refusal."""
    answer = await ask_to_enter(user, room, server.name, within=Budget.FEDERATION)
    return answer.status_code, answer.json().get("errcode", "")


@pytest.mark.requirement("FED-063")
async def test_the_main_process_lets_only_administrators_into_a_vast_room(
    deployment: Deployment,
    http: httpx.AsyncClient,
    alice: MatrixClient,
    vast_room: tuple[FakeServer, str],
    evidence: Evidence,
) -> None:
    """Alice asks the main process, past the front door, to join: refused, and no join of hers is sent. An administrator
    gets in."""
    server, room = vast_room
    operator = await administrator(deployment, "operator", http)
    (main,) = await deployment.pods(Role.SYNAPSE_MAIN)
    async with at(deployment, main, alice) as there:
        refused = await asks_to_join(there, server, room)
    joins = await server.asked("/send_join/")
    async with at(deployment, main, operator) as there:
        let_in = await asks_to_join(there, server, room)
    evidence("answers", {"alice": refused, "the administrator": let_in})
    assert refused == (httpx.codes.BAD_REQUEST, "M_RESOURCE_LIMIT_EXCEEDED"), f"alice, of {BEYOND}: {refused}"
    assert joins == 0, f"alice was refused, and her join was sent {joins} times"
    assert let_in[0] == httpx.codes.OK, f"the administrator does not get in: {let_in}"


@pytest.mark.requirement("FED-063")
@pytest.mark.known_deviation(
    "https://github.com/element-hq/synapse/blob/v1.163.2/synapse/replication/http/membership.py",
    "a worker hands a join on to the main process, where ReplicationRemoteJoinRestServlet goes past "
    "RoomMemberMasterHandler, which alone knows the limit: the room is joined",
)
async def test_nobody_gets_into_a_vast_room_through_the_front_door(
    alice: MatrixClient, vast_room: tuple[FakeServer, str]
) -> None:
    """Alice asks to join, as users do."""
    answer = await asks_to_join(alice, *vast_room)
    assert answer == (httpx.codes.BAD_REQUEST, "M_RESOURCE_LIMIT_EXCEEDED"), f"alice, of {BEYOND}: {answer}"
