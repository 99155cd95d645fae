"""Routing is judged when HAProxy has found what it routes to."""

import pytest

from fixtures.deployment.edge import everything_in_rotation
from fixtures.deployment.interface import Deployment


@pytest.fixture(scope="session")
async def workers_in_rotation(deployment: Deployment) -> None:
    """HAProxy has found every worker, which takes a moment after all are ready.

    Once for the run: a test that takes workers away gives them back.
    """
    await everything_in_rotation(deployment)
