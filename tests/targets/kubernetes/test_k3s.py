"""K3s in a container: what is said where there is none, and a cluster from our own image in its place."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from testcontainers.core.config import ConnectionMode, testcontainers_config

from fixtures.deployment.interface import DeploymentError, Event
from fixtures.targets.kubernetes.images.node import NAME, node_image
from fixtures.targets.kubernetes.providers.k3s import IMAGE, k3s_cluster, need_engine
from fixtures.targets.kubernetes.providers.node import NODE
from tests.targets.kubernetes.docker_engine import docker, docker_engine
from tests.targets.kubernetes.on_node import Api, need_node

SMOKE_S = 600.0
ROOT = Path(__file__).parents[3]
SMOKE = (
    "suites/client_api/test_basics.py",
    "suites/client_api/test_rooms.py",
    "suites/media/test_access.py",
)
# As the fixture `engine` says it to this process.
ENGINE = {"TESTCONTAINERS_RYUK_DISABLED": "true", "TESTCONTAINERS_CONNECTION_MODE": "docker_host"}


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


@pytest.fixture(scope="module")
def our_node(engine: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of an image that the engine has: our node's."""
    docker(engine, "load", "--input", str(node_image(NODE, tmp_path_factory.mktemp("image"))))
    return NAME


async def test_image_that_cannot_be_had_is_named(engine: str, tmp_path: Path) -> None:
    """One line: which image, and what to do."""
    with pytest.raises(DeploymentError, match=rf"{IMAGE}.*use --target node"):
        async with k3s_cluster(folder=tmp_path, archives=[], on_event=lambda _: None):
            pytest.fail("it started")


async def test_our_node_is_a_k3s(engine: str, our_node: str, tmp_path: Path) -> None:
    """The node as an image, run by testcontainers as K3s: its API answers and pods run; then no container is left."""
    told: list[Event] = []
    async with k3s_cluster(folder=tmp_path, archives=[], on_event=told.append, image=our_node) as cluster:
        api = Api(cluster)
        assert [each.event for each in told] == ["starts", "ready"]
        assert len(docker(engine, "ps", "-q").stdout.split()) == 1
        # Its programs are this machine's no more: of its own pods two are awaited by the node, the third is metrics.
        await api.kubectl(
            "-n", "kube-system", "wait", "--for=condition=Available", "deployment", "--all", "--timeout=50s"
        )
    assert docker(engine, "ps", "-aq").stdout == ""
    assert not cluster.kubeconfig.exists()


def test_suites_run_on_a_k3s(engine: str, our_node: str, tmp_path: Path) -> None:
    """By the command line: the deployment gets ready in the container, and people talk; then no container is left."""
    command = ["pytest", *SMOKE, "--target=k3s", f"--k3s-image={our_node}", f"--report-dir={tmp_path}"]
    environment = {**os.environ, **ENGINE, "DOCKER_HOST": engine}
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SMOKE_S, check=False
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-1000:]
    assert docker(engine, "ps", "-aq").stdout == ""
