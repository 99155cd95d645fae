"""K3s in a container: what is said where there is none, and a cluster from our own image in its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from testcontainers.core.config import ConnectionMode, testcontainers_config

from fixtures.deployment.interface import DeploymentError, Event
from fixtures.targets.kubernetes.images.node import NAME, node_image
from fixtures.targets.kubernetes.providers.k3s import IMAGE, k3s_cluster, need_engine
from fixtures.targets.kubernetes.providers.node import NODE
from tests.targets.kubernetes.docker_engine import docker, docker_engine, privileges
from tests.targets.kubernetes.on_node import Api, need_node


async def test_without_an_engine_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One line: there is no engine, and what to do."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(
        DeploymentError, match=r"there is no container engine .*: start Docker, or use --target node"
    ):
        async with k3s_cluster(folder=tmp_path, archives=[], on_event=lambda _: None):
            pytest.fail("it started")
    with pytest.raises(DeploymentError, match="there is no container engine"):
        await need_engine()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A container engine, that testcontainers uses."""
    need_node()
    with docker_engine(tmp_path_factory.mktemp("docker")) as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", address)
        # The container that removes others is an image of a registry; the engine ends with these tests.
        patch.setattr(testcontainers_config, "ryuk_disabled", True)
        # In a container itself, testcontainers would look for the engine's address elsewhere.
        patch.setattr(testcontainers_config, "connection_mode_override", ConnectionMode.docker_host)
        yield address


async def test_image_that_cannot_be_had_is_named(engine: str, tmp_path: Path) -> None:
    """One line: which image, and what to do."""
    with pytest.raises(DeploymentError, match=rf"{IMAGE}.*use --target node"):
        async with k3s_cluster(folder=tmp_path, archives=[], on_event=lambda _: None):
            pytest.fail("it started")


async def test_our_node_is_a_k3s(
    engine: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The node as an image, run by testcontainers as K3s: its API answers and pods run; then no container is left."""
    docker(engine, "load", "--input", str(node_image(NODE, tmp_path_factory.mktemp("image"))))
    told: list[Event] = []
    async with k3s_cluster(
        folder=tmp_path, archives=[], on_event=told.append, image=NAME, privileges=privileges()
    ) as cluster:
        api = Api(cluster)
        assert [each.event for each in told] == ["starts", "ready"]
        assert len(docker(engine, "ps", "-q").stdout.split()) == 1
        # Its programs are this machine's no more: of its own pods two are awaited by the node, the third is metrics.
        await api.kubectl(
            "-n", "kube-system", "wait", "--for=condition=Available", "deployment", "--all", "--timeout=50s"
        )
    assert docker(engine, "ps", "-aq").stdout == ""
    assert not cluster.kubeconfig.exists()
