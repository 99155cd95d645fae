"""Small pods of a real image on a node of this machine: what tests of the target share."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fixtures.deployment.interface import Address, Deployment
from fixtures.rendering.catalogue import catalogue
from fixtures.rendering.objects import Manifest
from fixtures.targets.kubernetes.bringing import kubernetes_deployment
from fixtures.targets.kubernetes.cluster import Cluster
from fixtures.targets.kubernetes.images.caching import cache_folder
from fixtures.targets.kubernetes.images.composer import composed
from fixtures.targets.kubernetes.providers.node import node_cluster
from tests.targets.kubernetes.on_node import need_programs

IMAGE = next(each.name for each in catalogue().images if each.repository.endswith("/redis"))
PASSWORD = "correct-horse-battery"
SERVE = 'echo "serving $(cat /files/greeting)"; exec redis-server --port 6379 --save "" --protected-mode no'
PORT = "redis"


def container(command: str, **more: Any) -> Manifest:
    """A container that is as confined as ours are."""
    security = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    resources = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}}
    words = ["sh", "-c", command]
    return {
        "name": "main",
        "image": IMAGE,
        "command": words,
        "securityContext": security,
        "resources": resources,
    } | more


def pod_spec(main: Manifest, **more: Any) -> Manifest:
    """Of a pod that mounts the ConfigMap and the Secret."""
    mounts = [{"name": "files", "mountPath": "/files"}, {"name": "secrets", "mountPath": "/secrets"}]
    scratch = {"name": "scratch", "mountPath": "/scratch"}
    return {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 999,
            "fsGroup": 999,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [main | {"volumeMounts": [*mounts, scratch]}],
        "volumes": [
            {"name": "files", "configMap": {"name": "files"}},
            {"name": "secrets", "secret": {"secretName": "secrets"}},
            {"name": "scratch", "emptyDir": {}},
        ],
    } | more


def workload(kind: str, name: str, main: Manifest, *, replicas: int = 1) -> Manifest:
    """A Deployment or StatefulSet of such pods."""
    labels = {"app": name}
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod_spec(main)},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec | ({"serviceName": name} if kind == "StatefulSet" else {}),
    }


SERVER = container(
    SERVE,
    ports=[{"name": PORT, "containerPort": 6379}, {"name": "nobody", "containerPort": 6380}],
    readinessProbe={"tcpSocket": {"port": PORT}, "periodSeconds": 1},
)
WATCHER = container("exec sleep infinity # haproxy")

OBJECTS: tuple[Manifest, ...] = (
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tiny"}},
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "files"}, "data": {"greeting": "hello"}},
    {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "secrets"},
        "stringData": {"password": PASSWORD},
    },
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "redis"},
        "spec": {"selector": {"app": "redis"}, "ports": [{"name": PORT, "port": 16379, "targetPort": PORT}]},
    },
    workload("StatefulSet", "redis", SERVER),
    workload("Deployment", "watcher", WATCHER),
)


@contextlib.asynccontextmanager
async def tiny_node(folder: Path) -> AsyncIterator[Cluster]:
    """A node with the one image."""
    need_programs()
    made = await asyncio.to_thread(composed, [IMAGE], cache_folder() / "images")
    async with node_cluster(
        name="tiny", folder=folder, archives=made.archives, keep=False, on_event=lambda _: None
    ) as there:
        yield there


@contextlib.asynccontextmanager
async def deployed(
    cluster: Cluster, folder: Path, *objects: Manifest, keep: bool = False, within: float = 120.0
) -> AsyncIterator[Deployment]:
    """These objects on the cluster, as those of a run."""
    async with kubernetes_deployment(
        cluster,
        objects,
        folder=folder,
        server_name="tiny.example",
        run=folder.name,
        begin=time.time(),
        within=within,
        on_event=lambda _: None,
        keep=keep,
    ) as running:
        yield running


async def ping(address: Address) -> bytes:
    """What a server answers."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    with contextlib.closing(writer):
        writer.write(b"PING\r\n")
        return await reader.readline()
