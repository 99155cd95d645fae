"""A node that its tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from fixtures.deployment.interface import Event
from fixtures.targets.kubernetes.providers.node import node_cluster
from tests.targets.kubernetes.host import Sysctls, sysctls
from tests.targets.kubernetes.on_node import Api, need_node


@pytest.fixture(scope="session")
def untouched() -> Sysctls:
    """What this machine's settings were before any node."""
    return sysctls()


@pytest.fixture(scope="session")
async def node(tmp_path_factory: pytest.TempPathFactory, untouched: Sysctls) -> AsyncIterator[Api]:
    """A node; its tests leave nothing on it."""
    need_node()
    told: list[Event] = []
    folder = tmp_path_factory.mktemp("node")
    async with node_cluster(
        name="shared", folder=folder, archives=[], keep=False, on_event=told.append
    ) as cluster:
        assert [each.object for each in told if each.object.startswith("Node/")] == ["Node/shared"]
        yield Api(cluster)
