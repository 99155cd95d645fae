"""Which process answers which request: read from the processes' logs by the request's id."""

from dataclasses import dataclass, field
from urllib.parse import quote

import pytest

from fixtures.clients.plain import Json, MatrixClient
from fixtures.deployment.correlation import REQUEST_ID, answered_by
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.plugins.evidence import Evidence

pytestmark = pytest.mark.usefixtures("workers_in_rotation")


@dataclass(frozen=True)
class Sample:
    """A request that clients send; `{user}` and `{room}` stand for the user's id and a room that the user is in."""

    method: str
    path: str
    body: Json | None = field(default=None)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


WORKER = (
    Sample("GET", "/_matrix/client/v3/sync"),
    Sample("GET", "/_matrix/client/v3/joined_rooms"),
    Sample("GET", "/_matrix/client/v3/rooms/{room}/messages?dir=b"),
    Sample(
        "PUT",
        "/_matrix/client/v3/rooms/{room}/send/m.room.message/t1",
        {"msgtype": "m.text", "body": "hello"},
    ),
    Sample("GET", "/_matrix/client/v3/pushrules/"),
    Sample("POST", "/_matrix/client/v3/keys/query", {"device_keys": {}}),
)

MAIN = (
    Sample("PUT", "/_matrix/client/v3/rooms/{room}/typing/{user}", {"typing": True, "timeout": 1000}),
    Sample("PUT", "/_matrix/client/v3/pushrules/global/room/{room}", {"actions": ["notify"]}),
    Sample("PUT", "/_matrix/client/v3/sendToDevice/m.test/t1", {"messages": {}}),
    Sample("PUT", "/_matrix/client/v3/user/{user}/account_data/test", {"read": "by nobody"}),
    Sample("POST", "/_matrix/client/v3/rooms/{room}/read_markers", {}),
    Sample("POST", "/_matrix/client/v3/logout", {}),
)


@pytest.mark.requirement("ROU-001")
@pytest.mark.parametrize("sample", WORKER, ids=str)
async def test_a_generic_worker_answers(
    sample: Sample, deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: HAProxy has a generic worker. A user's request succeeds, and a generic worker logs it."""
    await _answered(sample, Role.GENERIC_WORKER, deployment, alice, evidence)


@pytest.mark.requirement("ROU-002")
@pytest.mark.parametrize("sample", MAIN, ids=str)
async def test_the_main_process_answers(
    sample: Sample, deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: HAProxy has a generic worker. A user's request succeeds, and the main process logs it."""
    await _answered(sample, Role.SYNAPSE_MAIN, deployment, alice, evidence)


async def _answered(
    sample: Sample, role: Role, deployment: Deployment, user: MatrixClient, evidence: Evidence
) -> None:
    room = await user.create_room()
    path = sample.path.format(user=quote(user.user_id), room=quote(room))
    answer = await user.request(sample.method, path, json=sample.body)
    pod = await answered_by(deployment, answer.headers[REQUEST_ID])
    evidence("answered by", {"pod": pod.name, "status": answer.status_code})
    seen = f"{sample}: answered by {pod.name} ({pod.role}) with {answer.status_code} {answer.text:.200}"
    assert pod.role is role, f"{seen}; let routes.yaml send it to {role}"
    assert answer.is_success, f"{seen}; {role} must be able to answer it"
