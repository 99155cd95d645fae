"""Who may take media away."""

from collections.abc import AsyncIterator

import httpx
import pytest

from fixtures.clients.accounts import administrator
from fixtures.clients.media import moderator
from fixtures.clients.plain import MatrixClient, at
from fixtures.deployment.interface import Deployment


@pytest.fixture
async def admin(deployment: Deployment, http: httpx.AsyncClient) -> AsyncIterator[MatrixClient]:
    """An administrator at the media worker that takes quarantines."""
    account = await administrator(deployment, "admin", http)
    async with at(deployment, await moderator(deployment), account) as there:
        yield there
