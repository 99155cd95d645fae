"""Who looks after the server."""

from collections.abc import AsyncIterator

import pytest

from fixtures.clients.accounts import MAIN, administrator
from fixtures.clients.plain import MatrixClient, inside_client
from fixtures.deployment.interface import Deployment


@pytest.fixture
async def admin(deployment: Deployment) -> AsyncIterator[MatrixClient]:
    """An administrator at the main process, which has the admin API; the front door has none."""
    async with inside_client(deployment, MAIN) as inside:
        yield await administrator(deployment, "admin", inside)
