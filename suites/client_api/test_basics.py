"""What any client needs first."""

import httpx
import pytest

from fixtures.clients.plain import MatrixClient


@pytest.mark.requirement("CLI-001")
async def test_versions_are_answered_over_tls(http: httpx.AsyncClient) -> None:
    """GET /versions through the front door, trusting only the deployment's CA: 200 and a version of the specification."""
    answer = await http.get("/_matrix/client/versions")
    assert answer.status_code == 200
    assert any(version.startswith("v1.") for version in answer.json()["versions"])
