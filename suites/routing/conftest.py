"""Routing is judged when HAProxy has found what it routes to."""

import pytest

from fixtures.deployment.edge import all_in_rotation
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, eventually


@pytest.fixture(scope="session")
async def workers_in_rotation(deployment: Deployment) -> None:
    """HAProxy has found every generic worker, which takes a moment after all are ready.

    Once for the run: a test that takes workers away gives them back.
    """
    await eventually(
        lambda: all_in_rotation(deployment, Role.GENERIC_WORKER),
        within=Budget.ROUTING,
        label="HAProxy has every generic worker",
    )
