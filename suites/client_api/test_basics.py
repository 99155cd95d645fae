"""What any client needs first."""

import ssl

import httpx
import pytest

from fixtures.clients.plain import http_client
from fixtures.deployment.interface import Deployment
from fixtures.plugins.evidence import Evidence

VERSIONS = "/_matrix/client/versions"


@pytest.mark.requirement("CLI-001")
async def test_versions_are_answered_over_tls(http: httpx.AsyncClient, evidence: Evidence) -> None:
    """GET /versions at the front door, trusting only the deployment's CA: 200 and a version of the specification."""
    answer = await http.get(VERSIONS)
    assert answer.status_code == httpx.codes.OK, f"GET {VERSIONS}: {answer.status_code} {answer.text:.200}"
    versions = answer.json()["versions"]
    evidence("versions", versions)
    assert any(version.startswith("v1.") for version in versions), f"GET {VERSIONS}: no v1.x among {versions}"


@pytest.mark.requirement("CLI-001")
async def test_the_certificate_is_of_no_other_authority(deployment: Deployment, evidence: Evidence) -> None:
    """The same request by a client that trusts this machine's authorities: it refuses the certificate.

    The control of the test above: its client did look at the certificate, and it was the deployment's CA that decided.
    """
    async with http_client(deployment.front(), trust=ssl.create_default_context()) as client:
        with pytest.raises(httpx.ConnectError) as refusal:
            await client.get(VERSIONS)
    evidence("refusal", str(refusal.value))
    assert "CERTIFICATE_VERIFY_FAILED" in str(refusal.value), (
        f"no refusal of the certificate: {refusal.value}"
    )
