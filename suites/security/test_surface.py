"""What the front door shows to anybody, port by port."""

import httpx
import pytest

from fixtures.clients.plain import inside_client
from fixtures.deployment.interface import Deployment
from fixtures.plugins.evidence import Evidence
from fixtures.rendering.objects import Manifest, Ref
from fixtures.rendering.services import doors

MAIN = Ref("Service", "synapse-main")
REFUSALS = (httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND)

INNER = (
    "/",
    "/health",
    "/ready",
    "/live",
    "/metrics",
    "/stats",
    "/haproxy?stats",
    "/_synapse/admin/v1/register",
    "/_synapse/admin/v2/users",
    "/_synapse/mas/query_user",
    "/_synapse/jwks",
    "/_matrix/consent",
    "/_synapse/client/debug",
    "/debug",
)
"""What servers of this kind tell at such paths is for operators."""

FOR_SERVERS = ("/_matrix/federation/v1/version", "/_matrix/key/v2/server", "/.well-known/matrix/server")
FOR_CLIENTS = (
    "/_matrix/client/versions",
    "/_matrix/client/v3/login",
    "/_matrix/media/v3/config",
    "/_matrix/static/",
    "/_synapse/client/unsubscribe",
    "/.well-known/matrix/client",
)


async def at(http: httpx.AsyncClient, deployment: Deployment, port: int, path: str) -> httpx.Response:
    """The answer to a GET at one of the ports, the path sent as it is."""
    return await http.get(httpx.URL(deployment.front().base_url, port=port, raw_path=path.encode()))


@pytest.mark.requirement("SEC-001")
@pytest.mark.parametrize("door", ["port", "federation_port"])
async def test_what_is_for_operators_is_not_public(
    door: str, deployment: Deployment, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """Precondition: inside, health and registration by shared secret answer. At the front door nothing of it does."""
    async with inside_client(deployment, MAIN) as inside:
        for path in ("/health", "/_synapse/admin/v1/register"):
            control = await inside.get(path)
            assert control.is_success, f"{path} gave {control.status_code} inside: nothing is proved"
    port: int = getattr(deployment.front(), door)
    answers = {path: (await at(http, deployment, port, path)).status_code for path in INNER}
    evidence("answers", answers)
    public = [f"{path} ({status})" for path, status in answers.items() if status not in REFUSALS]
    assert not public, f"public at port {port}: {', '.join(public)}; close it in 30-front.cfg (is_matrix)"


@pytest.mark.requirement("SEC-002")
async def test_the_federation_port_is_for_servers(
    deployment: Deployment, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """What servers need is at both ports. What clients need is at the clients' port, and not at that of the servers."""
    front, missing = deployment.front(), httpx.codes.NOT_FOUND
    here = {path: (await at(http, deployment, front.port, path)).status_code for path in FOR_CLIENTS}
    there = {
        path: (await at(http, deployment, front.federation_port, path)).status_code
        for path in (*FOR_SERVERS, *FOR_CLIENTS)
    }
    evidence("answers", {"clients' port": here, "federation port": there})
    assert missing not in here.values(), f"not even at port {front.port}, so nothing is proved: {here}"
    closed = {path: there[path] for path in FOR_SERVERS if there[path] != httpx.codes.OK}
    assert not closed, (
        f"other servers cannot get at port {front.federation_port}: {closed}; see is_federation in 30-front.cfg"
    )
    open_ = {path: there[path] for path in FOR_CLIENTS if there[path] != missing}
    assert not open_, (
        f"the federation port {front.federation_port} also serves clients: {open_}; refuse it in 30-front.cfg"
    )


@pytest.mark.requirement("SEC-003")
def test_only_the_front_door_is_open(objects: tuple[Manifest, ...], evidence: Evidence) -> None:
    """Over all rendered objects: Services that are reached from outside the cluster, and ports of nodes."""
    found = sorted(doors(objects))
    evidence("ways in", found)
    expected = ["Service/haproxy: port 443", "Service/haproxy: port 8448"]
    assert found == expected, (
        f"ways in from outside the cluster are {', '.join(found) or 'none'}; "
        f"only {', '.join(expected)} may be: remove the port, or make the Service a ClusterIP"
    )
