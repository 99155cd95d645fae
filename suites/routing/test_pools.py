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
    """A request that clients send; `{user}`, `{room}` and `{since}` stand for the user, a room and a token of /sync."""

    method: str
    path: str
    body: Json | None = field(default=None)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


POOLED = (
    (Role.INITIAL_SYNC, Sample("GET", "/_matrix/client/v3/sync")),
    (Role.SYNCHROTRON, Sample("GET", "/_matrix/client/v3/sync?timeout=0&since={since}")),
    (Role.GENERIC_WORKER, Sample("GET", "/_matrix/client/v3/joined_rooms")),
    (Role.GENERIC_WORKER, Sample("GET", "/_matrix/client/v3/rooms/{room}/messages?dir=b")),
    (
        Role.GENERIC_WORKER,
        Sample(
            "PUT",
            "/_matrix/client/v3/rooms/{room}/send/m.room.message/t1",
            {"msgtype": "m.text", "body": "hello"},
        ),
    ),
    (Role.GENERIC_WORKER, Sample("GET", "/_matrix/client/v3/pushrules/")),
    (Role.GENERIC_WORKER, Sample("POST", "/_matrix/client/v3/keys/query", {"device_keys": {}})),
    (Role.MEDIA_REPOSITORY, Sample("POST", "/_matrix/media/v3/upload?filename=a.json", {"any": "thing"})),
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
@pytest.mark.parametrize(("role", "sample"), POOLED, ids=str)
async def test_its_pool_answers(
    role: Role, sample: Sample, deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: HAProxy has the pool's processes. A user's request succeeds, and one of them logs it."""
    await _answered(sample, role, deployment, alice, evidence)


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
    if "{since}" in sample.path:
        await user.sync()
    path = sample.path.format(user=quote(user.user_id), room=quote(room), since=user.since)
    answer = await user.request(sample.method, path, json=sample.body)
    pod = await answered_by(deployment, answer.headers[REQUEST_ID])
    evidence("answered by", {"pod": pod.name, "status": answer.status_code})
    seen = f"{sample}: answered by {pod.name} ({pod.role}) with {answer.status_code} {answer.text:.200}"
    assert pod.role is role, f"{seen}; let routes.yaml send it to {role}"
    assert answer.is_success, f"{seen}; {role} must be able to answer it"
