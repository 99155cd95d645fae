"""What a client says of itself and of its way is not believed."""

import json
import socket
import uuid

import httpx
import pytest

from fixtures.deployment.correlation import REQUEST_ID, answered_by, log_entries
from fixtures.deployment.interface import Deployment
from fixtures.plugins.evidence import Evidence
from fixtures.targets.rig.edge import FEDERATION, FRONT, Rig
from fixtures.targets.rig.wire import Request

CLAIM = "192.0.2.66"  # of RFC 5737: nobody's

CLAIMS = (
    ("X-Forwarded-For", CLAIM),
    ("x-forwarded-for", f"{CLAIM}, 127.0.0.1"),
    ("X-FORWARDED-FOR", ""),
    ("Forwarded", f"for={CLAIM};proto=http;host={CLAIM}"),
    ("X-Real-IP", CLAIM),
    ("X-Forwarded-Proto", CLAIM),
    ("X-Forwarded-Host", CLAIM),
    ("X-Forwarded-Port", CLAIM),
    ("X-Forwarded-Server", CLAIM),
    ("x-forwarded-client-cert", CLAIM),
    ("X-Request-ID", CLAIM),
)


@pytest.mark.requirement("ROU-016")
@pytest.mark.parametrize(
    ("port", "path"),
    [
        (FRONT, "/_matrix/client/v3/capabilities"),
        (FRONT, "/_matrix/client/v3/sync"),
        (FRONT, "/_matrix/client/v3/logout"),
        (FRONT, "/_matrix/media/v3/config"),
        (FRONT, "/_matrix/federation/v1/version"),
        (FEDERATION, "/_matrix/federation/v1/version"),
    ],
)
async def test_no_claim_of_a_client_reaches_a_process(
    port: int, path: str, rig: Rig, evidence: Evidence
) -> None:
    """A request with every header by which proxies tell where something came from, some twice.

    Expected: the process gets one address, the true one; https; one id, which the answer has too; and no claim.
    """
    answer = await rig.one(Request("GET", path, CLAIMS), port=port)
    assert answer.process is not None, f"GET {path}: {answer.status}, nothing is proved; correct the path"
    headers = answer.json["headers"]
    evidence("headers at the process", headers)
    told = f"GET {path}: {answer.process} was told"
    assert answer.sent("X-Forwarded-For") == [rig.client], (
        f"{told} X-Forwarded-For {answer.sent('X-Forwarded-For')}, not {rig.client}; del-header, then option forwardfor"
    )
    assert answer.sent("X-Forwarded-Proto") == ["https"], (
        f"{told} X-Forwarded-Proto {answer.sent('X-Forwarded-Proto')}; set it to https in 30-front.cfg"
    )
    assert answer.sent("X-Request-ID") == [answer.header("X-Request-ID")], (
        f"{told} X-Request-ID {answer.sent('X-Request-ID')}, the client {answer.header('X-Request-ID')}; "
        "set it from unique-id both ways"
    )
    believed = [name for name, value in headers if CLAIM in value]
    assert not believed, (
        f"{told} what the client claims in {', '.join(believed)}; del-header it in 30-front.cfg"
    )


@pytest.mark.requirement("ROU-017")
async def test_synapse_logs_the_address_that_the_client_has(
    deployment: Deployment, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """A request that claims another address. Synapse's log has the one from which the connection came."""
    front = deployment.front()
    with socket.create_connection((front.address, front.port)) as probe:
        own: str = probe.getsockname()[0]
    answer = await http.get(
        "/_matrix/client/versions",
        headers={"X-Forwarded-For": CLAIM, "Forwarded": f"for={CLAIM}", "X-Real-IP": CLAIM},
        params={"n": uuid.uuid4().hex},
    )
    pod = await answered_by(deployment, answer.headers[REQUEST_ID])
    entries = await log_entries(deployment, pod, answer.headers[REQUEST_ID])
    evidence("log entries", entries)
    seen = {entry["ip_address"] for entry in entries if "ip_address" in entry}
    assert seen == {own}, (
        f"{pod.name} logged {seen} for a request from {own}; x_forwarded on its listener, "
        "option forwardfor in 30-front.cfg, externalTrafficPolicy: Local on Service/haproxy"
    )
    assert CLAIM not in json.dumps(entries), f"{pod.name} logged what the client claimed: {entries}"
