"""Whoever attaches needs the Role of docs/targets.md, and no more: asked of a real API server."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from fixtures.deployment.interface import DeploymentError, Pod, SecretRef
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget
from fixtures.rendering.objects import Manifest, Ref
from fixtures.targets.attaching import Attachment
from fixtures.targets.kubernetes.attaching import AttachedKubernetes, attached_to
from fixtures.targets.kubernetes.client import Client, client
from fixtures.targets.kubernetes.cluster import Cluster
from reports.documents import parse_yaml
from tests.targets.kubernetes.on_node import Api
from tests.targets.kubernetes.tiny import OBJECTS, PASSWORD, PORT, SERVER, deployed, ping, tiny_node, workload

ROOT: Final = Path(__file__).parents[3]
AUTHORITY: Final = b"-----BEGIN CERTIFICATE-----"
NAMESPACE, FILES = OBJECTS[0], OBJECTS[1]


def secret(name: str, key: str, value: bytes) -> Manifest:
    data = {key: base64.b64encode(value).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}


def service(name: str, *ports: str, kind: str) -> Manifest:
    """A Service of that type, which leads to the pods whatever its ports are called."""
    listed = [{"name": each, "port": 1000 + at, "targetPort": PORT} for at, each in enumerate(ports)]
    spec = {"type": kind, "selector": {"app": "redis"}, "ports": listed}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


THERE: Final = (
    NAMESPACE,
    FILES,
    workload("StatefulSet", "redis", SERVER),
    service("redis", PORT, kind="ClusterIP"),
    service("front", "https", "federation", kind="LoadBalancer"),
)
DECLARED: Final = (secret("redis", "password", PASSWORD.encode()), secret("front-tls", "ca.crt", AUTHORITY))
SOMEBODY_S: Final = secret("secrets", "password", b"nobody of the run may know this")


def role(namespace: str) -> Manifest:
    """The one in the document, for another namespace."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "targets.md").read_text(), re.DOTALL)
    documents: list[Manifest] = [parse_yaml(each, "docs/targets.md") for each in blocks]
    [found] = [each for each in documents if each["kind"] == "Role"]
    return found | {"metadata": found["metadata"] | {"namespace": namespace}}


@dataclass(frozen=True)
class Confined:
    """A deployment as somebody sees it who has that Role only, and the cluster with his rights."""

    deployment: AttachedKubernetes
    cluster: Cluster


@pytest.fixture(scope="module")
async def confined(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Confined]:
    """The deployment of somebody else, attached to with the token of a service account."""
    folder = tmp_path_factory.mktemp("node")
    async with (
        tiny_node(folder) as cluster,
        deployed(cluster, tmp_path_factory.mktemp("run"), *THERE, *DECLARED, SOMEBODY_S) as theirs,
    ):
        namespace = str(NAMESPACE["metadata"]["name"])
        assert await theirs.pods(Role.REDIS)
        api = Api(cluster)
        await api.apply(role(namespace))
        await api.kubectl("create", "serviceaccount", "auditor", "-n", namespace)
        await api.kubectl(
            *("create", "rolebinding", "auditor", "-n", namespace),
            *("--role=conformance", f"--serviceaccount={namespace}:auditor"),
        )
        token = (await api.kubectl("create", "token", "auditor", "-n", namespace)).strip()
        told = json.loads(await api.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
        told["users"] = [{"name": each["name"], "user": {"token": token}} for each in told["users"]]
        kubeconfig = folder / "auditor"
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(json.dumps(told))
        own = Cluster(provider="kubeconfig", kubeconfig=kubeconfig)
        wanted = Attachment(
            namespace, "tiny.example", THERE, ("redis", "front-tls"), folder, run="R1", begin=0.0
        )
        async with attached_to(own, wanted, on_event=lambda _: None) as running:
            yield Confined(running, own)


@pytest.fixture
async def redis(confined: Confined) -> Pod:
    [pod] = await confined.deployment.pods(Role.REDIS)
    return pod


async def test_the_role_is_enough_for_what_tests_ask(confined: Confined, redis: Pod) -> None:
    """Pods, their lives and logs, commands in them, ports, Secrets, what connections meet, and the way in."""
    running = confined.deployment
    assert (redis.ready, redis.owner) == (True, Ref("StatefulSet", "redis"))
    assert (await running.incarnation(redis)).restarts == 0
    assert "serving hello" in [line async for line in running.logs(redis)]
    done = await running.exec(redis, "cat", stdin=b"what goes in", within=Budget.REQUEST.seconds())
    assert done.stdout == b"what goes in"
    for to in (redis, Ref("Service", "redis")):
        async with running.dial(to, PORT) as address:
            assert await ping(address) == b"+PONG\r\n"
    assert await running.secret(SecretRef("redis", "password")) == PASSWORD.encode()
    door = running.front()
    assert (door.server_name, door.ca_file.read_bytes()) == ("tiny.example", AUTHORITY)


OURS: Final = str(NAMESPACE["metadata"]["name"])
Call = Callable[[Client], Awaitable[object]]


@pytest.mark.parametrize(
    "call",
    [
        lambda api: api.get(Ref("Secret", "secrets"), "v1", namespace=OURS),
        lambda api: api.listed("v1", "Secret", namespace=OURS),
        lambda api: api.listed("v1", "Node"),
        lambda api: api.delete(Ref("Pod", "redis-0"), "v1", namespace=OURS),
        lambda api: api.apply(FILES | {"metadata": {"name": "files", "namespace": OURS}}),
    ],
    ids=["a Secret of somebody", "all Secrets", "nodes", "to delete", "to apply"],
)
async def test_the_role_is_for_nothing_else(call: Call, confined: Confined) -> None:
    """What is nobody of the run's, and whatever would change something: the API server refuses."""
    async with client(confined.cluster) as api:
        with pytest.raises(DeploymentError, match=r"403|forbidden"):
            await call(api)
