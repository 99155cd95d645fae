"""What HAProxy says, adds and refuses at the front door."""

import uuid

import httpx
import pytest

from fixtures.clients.plain import MatrixClient, inside_client
from fixtures.deployment.correlation import REQUEST_ID, answered_by, logged_by
from fixtures.deployment.interface import Deployment
from fixtures.plugins.evidence import Evidence
from fixtures.rendering.objects import Ref

pytestmark = pytest.mark.usefixtures("workers_in_rotation")

MAIN = Ref("Service", "synapse-main")

# What is closed, by the port of the main process at which it answers inside.
CLOSED = {
    "admin API": ("client", "/_synapse/admin/v1/server_version"),
    "metrics": ("metrics", "/_synapse/metrics"),
    "replication": ("replication", "/_synapse/replication/"),
}

REFUSALS = (httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND)


@pytest.mark.requirement("ROU-003")
async def test_an_id_that_a_client_sends_is_not_taken_over(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """A request with an X-Request-ID of the client's own, then one without.

    Expected: the answers carry ids of HAProxy's making, the second one is in a log of Synapse, and the client's own id
    is in none.
    """
    own = f"mine-{uuid.uuid4()}"
    answer = await alice.request("GET", "/_matrix/client/v3/joined_rooms", headers={REQUEST_ID: own})
    after = await alice.request("GET", "/_matrix/client/v3/joined_rooms")
    evidence(
        "ids",
        {"sent": own, "given": answer.headers[REQUEST_ID], "given to the next": after.headers[REQUEST_ID]},
    )
    taken = f"{REQUEST_ID} of the client was taken over"
    assert answer.headers[REQUEST_ID] != own, f"{taken} into the answer; let 30-front.cfg set it always"
    await answered_by(deployment, after.headers[REQUEST_ID])
    pod = await logged_by(deployment, own)
    assert pod is None, f"{taken} into the log of {pod and pod.name}; let 30-front.cfg set it always"


@pytest.mark.requirement("ROU-004")
@pytest.mark.parametrize("what", CLOSED)
async def test_what_is_for_inside_is_not_at_the_front_door(
    what: str, deployment: Deployment, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """Precondition: it answers inside. At both ports of the front door HAProxy refuses it, also when spelt in disguise.

    That HAProxy itself refuses the plain path shows in Synapse's logs: they know a request that comes after, and not
    this one. A disguised path may go as far as Synapse, which does not know it either.
    """
    port, path = CLOSED[what]
    async with inside_client(deployment, MAIN, port) as inside:
        control = await inside.get(path)
    assert control.status_code < httpx.codes.INTERNAL_SERVER_ERROR, (
        f"{what}: {path} gave {control.status_code} inside, so nothing is proved; correct the path"
    )

    front = deployment.front()
    disguised = (
        f"/{path}",
        path.replace("_synapse", "%5Fsynapse"),
        f"/_matrix/..{path}",
        f"/_synapse/client/..{path}",
    )
    answers = {
        (entrance, spelling): await http.get(
            httpx.URL(front.base_url, port=entrance, raw_path=spelling.encode())
        )
        for entrance in (front.port, front.federation_port)
        for spelling in (path, *disguised)
    }
    evidence(
        "answers",
        {f":{entrance}{spelling}": answers[entrance, spelling].status_code for entrance, spelling in answers},
    )
    after = await http.get("/_matrix/client/versions")
    await answered_by(deployment, after.headers[REQUEST_ID])
    for (entrance, spelling), answer in answers.items():
        pod = await logged_by(deployment, answer.headers[REQUEST_ID])
        seen = f"{what}: {spelling} at port {entrance} of the front door gave {answer.status_code}"
        remedy = "close it in 30-front.cfg (is_matrix, is_admin)"
        assert answer.status_code in REFUSALS, f"{seen}; {remedy}"
        assert pod is None or spelling != path, f"{seen}, from {pod and pod.name}; {remedy}"
