"""Tiny manifests, and a deployment of them that most tests of the local target share."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures.deployment.interface import Event, Pod, Reach
from fixtures.deployment.roles import Role
from fixtures.rendering.objects import Manifest, Ref
from fixtures.rendering.programs import Program
from fixtures.targets.local import control
from fixtures.targets.local.target import LocalDeployment, local_deployment

IMAGE = "tiny:1"
# By these names of images workloads are recognised as playing a role; all are the same program.
ROLES = {Role.REDIS: "tiny/redis:1", Role.POSTGRESQL: "tiny/postgres:1"}
PROGRAMS = {
    image: Program(("/usr/local/bin", "/usr/bin", "/bin"), {"FROM_IMAGE": "yes"}, ())
    for image in (IMAGE, *ROLES.values())
}
SECRET = "correct-horse-battery"
UID = 991

# Answers 503 for a path as long as there is a file of that name in /scratch; ends with 7 when asked to.
SERVER = """
import http.server, os, signal, sys, time

def end(*_):
    print("ending", flush=True)
    sys.exit(7)

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if os.path.exists("/scratch" + self.path) else 200)
        self.end_headers()
        self.wfile.write(os.environ["HOSTNAME"].encode() + b"\\n")
    def log_message(self, *_):
        pass

signal.signal(signal.SIGTERM, end)
print("serving", os.environ.get("PASSWORD"), flush=True)
http.server.ThreadingHTTPServer(("", 8080), Answer).serve_forever()
"""
SERVE = ("python3", "-S", "-c", SERVER)
FOREVER = ("sh", "-c", "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done")


def container(*command: str, name: str = "main", **fields: Any) -> Manifest:
    """A container of the one tiny image."""
    return {"name": name, "image": IMAGE, "command": list(command), **fields}


def server(name: str = "main", **fields: Any) -> Manifest:
    """A container that runs SERVER on a port named `client`, and has /scratch."""
    ports = [{"name": "client", "containerPort": 8080}]
    mounts = [{"name": "scratch", "mountPath": "/scratch"}, *fields.pop("volumeMounts", ())]
    return container(*SERVE, name=name, ports=ports, volumeMounts=mounts, **fields)


def pod_spec(*containers: Manifest, **fields: Any) -> Manifest:
    """A pod's spec with an identity of its own and a /scratch to mount."""
    volumes = [{"name": "scratch", "emptyDir": {}}, *fields.pop("volumes", ())]
    identity = {"runAsUser": UID, "runAsGroup": UID}
    return {"containers": list(containers), "securityContext": identity, "volumes": volumes, **fields}


def pod(name: str, spec: Manifest, **labels: str) -> Manifest:
    """A bare pod, labelled with its name."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name, **labels}},
        "spec": spec,
    }


def workload(kind: str, name: str, spec: Manifest, **fields: Any) -> Manifest:
    """A Deployment, StatefulSet, DaemonSet or Job whose pods are labelled with its name."""
    template = {"metadata": {"labels": {"app": name}}, "spec": spec}
    selector = {} if kind == "Job" else {"selector": {"matchLabels": {"app": name}}}
    version = "batch/v1" if kind == "Job" else "apps/v1"
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name},
        "spec": {**selector, "template": template, **fields},
    }


def service(name: str, app: str | None = None, **fields: Any) -> Manifest:
    """A Service named `name` that leads from port 80 to the port `client` of the pods of `app`."""
    ports = [{"name": "client", "port": 80, "targetPort": "client"}]
    spec = {"selector": {"app": app or name}, "ports": ports, **fields}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def doors() -> list[Manifest]:
    """The ports of a front door."""
    numbers = (("https", 443), ("federation", 8448))
    return [{"name": name, "port": number, "targetPort": "client"} for name, number in numbers]


def config_map(name: str, **data: str) -> Manifest:
    """A ConfigMap; two underscores in a key stand for a dot."""
    files = {key.replace("__", "."): value for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": files}


def secret(name: str, **data: str) -> Manifest:
    """A Secret of plain text."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def policy(name: str, **spec: Any) -> Manifest:
    """A NetworkPolicy in the default namespace; of all pods unless it says which."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": {}, **spec},
    }


def ready_when(path: str, **fields: Any) -> Manifest:
    """A probe that asks SERVER for `path`."""
    return {"httpGet": {"path": path, "port": "client"}, "periodSeconds": 1, "failureThreshold": 1, **fields}


@dataclass(frozen=True)
class Rig:
    """A running deployment, with questions that only these tests ask."""

    deployment: LocalDeployment
    folder: Path

    async def pods(self, kind: str, name: str) -> list[Pod]:
        """The pods of a workload that are not being deleted, by name."""
        status = await self.deployment._ask("status")
        pods = [self.deployment._pod(entry) for entry in status["pods"] if not entry["deleting"]]
        return sorted((p for p in pods if p.owner == Ref(kind, name)), key=lambda p: p.name)

    async def pod(self, kind: str, name: str) -> Pod:
        """The only pod of a workload."""
        [found] = await self.pods(kind, name)
        return found

    async def sh(self, where: Pod, script: str, *, code: int = 0, container: str | None = None) -> str:
        """What a shell in the pod prints; it has to end with `code`."""
        done = await self.deployment.exec(where, "sh", "-c", script, container=container, within=10)
        assert done.exit_code == code, f"{script}: {done}"
        return done.stdout.decode().strip()

    async def log(self, where: Pod, **which: Any) -> list[str]:
        """The lines of a container's log."""
        return [line async for line in self.deployment.logs(where, **which)]

    async def uids(self) -> dict[str, str]:
        """Which pods there are, each with the identity that its successor does not have."""
        status = await self.deployment._ask("status")
        return {entry["name"]: entry["uid"] for entry in status["pods"] if not entry["deleting"]}

    async def reach(self, source: Pod, to: Pod, port: int | str, *, within: float = 0.4) -> Reach:
        """What a new connection from one pod to another meets."""
        asked = {"source": source.name, "pod": to.name, "port": port, "within": within}
        return Reach((await self.deployment._ask("probe", **asked))["reach"])

    async def events(self) -> list[tuple[str, str]]:
        """Everything that has happened so far, object and event; everything has to be ready."""
        request = {"operation": "settle", "within": 10, "from_start": True}
        events: list[tuple[str, str]] = []
        async with control.connection(self.deployment.node.control, request) as lines:
            while "event" in (line := await anext(lines)):
                events.append((line["event"]["object"], line["event"]["event"]))
        return events


@asynccontextmanager
async def rig(
    objects: Sequence[Manifest], folder: Path, *, within: float = 20, told: list[Event] | None = None
) -> AsyncIterator[Rig]:
    """A deployment of these objects; `told` gets what happens, also when it comes to nothing."""
    events = [] if told is None else told
    async with local_deployment(
        objects,
        folder=folder,
        server_name="tiny.example",
        begin=time.time(),
        within=within,
        on_event=events.append,
        find_programs=lambda _: PROGRAMS,
    ) as deployment:
        assert events == deployment.timeline
        yield Rig(deployment, folder)


def shared_objects() -> list[Manifest]:
    """One of everything that the target knows."""
    password = {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "door", "key": "password"}}}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "4Mi"}}}
    claimed = [{"name": "data", "mountPath": "/data"}]
    return [
        config_map("files", first="1", second="2", third__txt="3"),
        secret("door", password=SECRET),
        workload(
            "Deployment",
            "web",
            pod_spec(server(readinessProbe=ready_when("/web"), env=[password])),
            replicas=2,
        ),
        service("web"),
        service("web-pods", "web", clusterIP="None"),
        service("nobody"),
        service("front", "web", type="LoadBalancer", ports=doors()),
        workload(
            "StatefulSet",
            "db",
            pod_spec(
                server(volumeMounts=claimed),
                securityContext={"runAsUser": UID, "runAsGroup": UID, "fsGroup": 500},
            ),
            replicas=2,
            serviceName="db",
            volumeClaimTemplates=[{"metadata": {"name": "data"}, "spec": claim}],
        ),
        service("db", clusterIP="None"),
        workload("Job", "once", pod_spec(container("sh", "-c", "echo done once"), restartPolicy="Never")),
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "kept"}, "spec": claim},
        _on_every_node(),
        _policy(),
        pod(
            "alive",
            pod_spec(
                server(livenessProbe=ready_when("/dead"), startupProbe=ready_when("/up", failureThreshold=9)),
                terminationGracePeriodSeconds=3,
            ),
        ),
        _everything(password),
        _closed(),
    ]


def _on_every_node() -> Manifest:
    """A DaemonSet with files of several objects in one volume."""
    items = [{"key": "first", "path": "deep/1", "mode": 0o400}]
    sources = [
        {"configMap": {"name": "files", "items": items}},
        {"secret": {"name": "door"}},
        {"configMap": {"name": "gone", "optional": True}},
    ]
    both = {"name": "both", "projected": {"sources": sources, "defaultMode": 0o440}}
    mounts = [{"name": "both", "mountPath": "/both"}]
    return workload("DaemonSet", "node", pod_spec(container(*FOREVER, volumeMounts=mounts), volumes=[both]))


def _policy() -> Manifest:
    """Every field of a NetworkPolicy, about pods that are not there."""
    block = {"ipBlock": {"cidr": "198.18.0.0/15", "except": ["198.18.0.0/16"]}}
    expression = {"key": "app", "operator": "In", "values": ["a"]}
    pods = {
        "podSelector": {"matchExpressions": [expression]},
        "namespaceSelector": {"matchLabels": {"a": "b"}},
    }
    ports = [{"protocol": "TCP", "port": 80, "endPort": 90}, {"port": "client"}]
    return policy(
        "some",
        podSelector={"matchLabels": {"app": "nobody"}},
        policyTypes=["Ingress", "Egress"],
        ingress=[{"from": [block, pods], "ports": ports}],
        egress=[{"to": [block, pods], "ports": ports}],
    )


def _everything(password: Manifest) -> Manifest:
    def field(name: str, path: str) -> Manifest:
        return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}

    once = "echo b >> /scratch/order; echo try; test -e /scratch/tried || { touch /scratch/tried; exit 3; }"
    scratch = {"name": "scratch", "mountPath": "/scratch"}
    return pod(
        "everything",
        pod_spec(
            container(
                *(
                    "sh",
                    "-c",
                    "trap 'echo bye; exit 0' TERM; echo \"$0 $MADE\"; while :; do sleep 0.1; done",
                    "$(MADE)-$$(MADE)",
                ),
                workingDir="/files",
                env=[
                    {"name": "COLOUR", "value": "red"},
                    {"name": "MADE", "value": "$(COLOUR)er"},
                    field("POD_NAME", "metadata.name"),
                    field("POD_IP", "status.podIP"),
                    field("APP", "metadata.labels['app']"),
                    password,
                ],
                envFrom=[{"prefix": "F_", "configMapRef": {"name": "files"}}],
                lifecycle={"preStop": {"exec": {"command": ["sh", "-c", "echo stopping > /kept/hook"]}}},
                volumeMounts=[
                    scratch,
                    {"name": "files", "mountPath": "/files"},
                    {"name": "some", "mountPath": "/some"},
                    {"name": "files", "mountPath": "/etc/one.conf", "subPath": "first"},
                    {"name": "small", "mountPath": "/small"},
                    {"name": "kept", "mountPath": "/kept"},
                    {"name": "kept", "mountPath": "/part", "subPath": "part"},
                    {"name": "door", "mountPath": "/door"},
                ],
            ),
            container(*FOREVER, name="side", volumeMounts=[scratch]),
            initContainers=[
                container("sh", "-c", "echo a >> /scratch/order", name="a", volumeMounts=[scratch]),
                container("sh", "-c", once, name="b", volumeMounts=[scratch]),
                container("sh", "-c", "echo c >> /scratch/order", name="c", volumeMounts=[scratch]),
            ],
            volumes=[
                {"name": "files", "configMap": {"name": "files"}},
                {
                    "name": "some",
                    "configMap": {
                        "name": "files",
                        "items": [
                            {"key": "first", "path": "deep/1", "mode": 0o440},
                            {"key": "second", "path": "2"},
                        ],
                        "defaultMode": 0o444,
                    },
                },
                {"name": "small", "emptyDir": {"sizeLimit": "64Ki", "medium": "Memory"}},
                {"name": "kept", "persistentVolumeClaim": {"claimName": "kept"}},
                {"name": "door", "secret": {"secretName": "door", "defaultMode": 0o440}},
            ],
            securityContext={"runAsUser": UID, "runAsGroup": UID, "fsGroup": 500},
        ),
    )


def _closed() -> Manifest:
    """A pod without fsGroup and with all doors shut."""
    return pod(
        "closed",
        pod_spec(
            container(
                *FOREVER,
                securityContext={
                    "readOnlyRootFilesystem": True,
                    "allowPrivilegeEscalation": False,
                    "runAsNonRoot": True,
                },
                volumeMounts=[
                    {"name": "door", "mountPath": "/door"},
                    {"name": "kept", "mountPath": "/claim"},
                ],
            ),
            volumes=[
                {"name": "door", "secret": {"secretName": "door", "defaultMode": 0o400}},
                {"name": "kept", "persistentVolumeClaim": {"claimName": "closed"}},
            ],
        ),
    )


CLOSED_CLAIM: Manifest = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "closed"},
    "spec": {"resources": {"requests": {"storage": "1Mi"}}},
}


@pytest.fixture(scope="session")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    """A deployment of `shared_objects`; whoever breaks something waits until it is settled again."""
    async with rig([*shared_objects(), CLOSED_CLAIM], tmp_path_factory.mktemp("shared")) as made:
        yield made
