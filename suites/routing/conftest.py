"""Routing is judged at the edge alone (`rig`), and in the deployment when HAProxy has found what it routes to."""

from collections.abc import AsyncIterator

import pytest

from fixtures.deployment.edge import everything_in_rotation
from fixtures.deployment.interface import Deployment
from fixtures.deployment.waiting import Budget, eventually
from fixtures.rendering.objects import Manifest
from fixtures.rendering.routes import RouteTable, load_routes
from fixtures.targets.rig.edge import Rig
from fixtures.targets.rig.edge import rig as make_rig


@pytest.fixture(scope="session")
async def running_rig(
    objects: tuple[Manifest, ...], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Rig]:
    """One for the run."""
    async with make_rig(objects, tmp_path_factory.mktemp("edge")) as running:
        yield running


@pytest.fixture
async def rig(running_rig: Rig) -> Rig:
    """The real HAProxy with the rendered configuration, before processes that say who they are. No deployment."""
    await eventually(running_rig.as_at_first, within=Budget.RIG, label="the edge is as it was at first")
    return running_rig


@pytest.fixture(scope="session")
def table() -> RouteTable:
    """The route table that the deployment promises."""
    return load_routes()


@pytest.fixture(scope="session")
async def workers_in_rotation(deployment: Deployment) -> None:
    """HAProxy has found every worker, which takes a moment after all are ready.

    Once for the run: a test that takes workers away gives them back.
    """
    await everything_in_rotation(deployment)
