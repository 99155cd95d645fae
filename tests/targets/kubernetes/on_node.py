"""Small pods on a node, and questions to its API: what the tests of the node share.

Their image has nothing but the node's own `pause`; programs are this machine's, mounted from /usr.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fixtures.deployment.waiting import NotYet
from fixtures.rendering.objects import Manifest
from fixtures.rendering.programs import PROGRAMS
from fixtures.targets.kubernetes.cluster import Cluster
from fixtures.targets.kubernetes.providers.inotify import instances_left
from fixtures.targets.kubernetes.providers.node import INOTIFY_INSTANCES
from reports.model import NotRun, NotRunKind

KUBE: Final = PROGRAMS / "kubernetes-node" / "kube"
IMAGE: Final = "localhost/pause:node"
PYTHON: Final = ("/usr/bin/python3", "-S", "-c")
PORT: Final = 8080
LIMIT_S: Final = 60.0

# Answers each line with the address that it came from.
SERVER: Final = f"""
import socketserver

class Talk(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(self.client_address[0].encode() + b"\\n")

socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("0.0.0.0", {PORT}), Talk).serve_forever()
"""

# Says what a new connection meets: the answer, or the name of the error.
ASK: Final = """
import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), 1.0) as connection:
        connection.settimeout(1.0)
        connection.sendall(b"x\\n")
        print(connection.recv(100).decode().strip())
except OSError as error:
    print(type(error).__name__)
"""

# Talks on one connection and writes down how often it was answered.
TALK: Final = """
import socket, sys, time
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5.0)
connection.settimeout(None)
lines = connection.makefile("rwb")
for count in range(1, 10_000):
    lines.write(b"x\\n"); lines.flush(); lines.readline()
    print(count, flush=True)
    time.sleep(0.02)
"""


def need_programs() -> None:
    """NotRun where the node's programs were not set up: they take minutes to build."""
    if not KUBE.exists():
        raise NotRun(NotRunKind.UNAVAILABLE, "the programs of a node are set up by ./run with --target node")


def need_node() -> None:
    """NotRun where the node's programs were not set up, or other nodes have used the machine up."""
    need_programs()
    if instances_left(INOTIFY_INSTANCES) < INOTIFY_INSTANCES:
        raise NotRun(NotRunKind.UNAVAILABLE, "other nodes here have nearly all instances of inotify")


def pod(name: str, script: str = SERVER, *arguments: str, **spec: Any) -> Manifest:
    """A pod of the default namespace that runs a Python script; a server is ready when it listens."""
    host = {"usr": "/usr", "lib": "/lib", "lib64": "/lib64"}
    ready = (
        {"readinessProbe": {"tcpSocket": {"port": "talk"}, "periodSeconds": 1}} if script == SERVER else {}
    )
    volumes = [{"name": key, "hostPath": {"path": path}} for key, path in host.items()]
    mounts = [{"name": key, "mountPath": path, "readOnly": True} for key, path in host.items()]
    container = {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": [*PYTHON, script, *arguments],
        "ports": [{"name": "talk", "containerPort": PORT}],
        "volumeMounts": [*mounts, *spec.pop("mounts", ())],
        **ready,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "containers": [container],
            "volumes": [*volumes, *spec.pop("volumes", ())],
            "terminationGracePeriodSeconds": 0,
            **spec,
        },
    }


def service(name: str, app: str, **spec: Any) -> Manifest:
    """A Service that leads from port 80 to the pods of `app`."""
    ports = [{"name": "talk", "port": 80, "targetPort": "talk"}]
    spec = {"selector": {"app": app}, "ports": ports, **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


@dataclass(frozen=True)
class Api:
    """The API of a node, by its own kubectl."""

    cluster: Cluster

    async def kubectl(self, *words: str, stdin: str = "", code: int = 0) -> str:
        """What it prints; it has to end with `code`."""
        command = [str(KUBE), "kubectl", f"--kubeconfig={self.cluster.kubeconfig}", *words]
        done = await asyncio.to_thread(
            subprocess.run, command, input=stdin, text=True, capture_output=True, timeout=LIMIT_S, check=False
        )
        assert done.returncode == code, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    async def apply(self, *objects: Manifest) -> None:
        """Apply objects."""
        await self.kubectl(
            "apply", "-f", "-", stdin=json.dumps({"kind": "List", "apiVersion": "v1", "items": objects})
        )

    async def delete(self, *objects: Manifest) -> None:
        """Delete objects, and wait until they are gone."""
        text = json.dumps({"kind": "List", "apiVersion": "v1", "items": objects})
        await self.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=text)

    async def get(self, *words: str) -> Mapping[str, Any]:
        """One object, or a list of them."""
        found: Mapping[str, Any] = json.loads(await self.kubectl("get", "-o", "json", *words))
        return found

    async def address_of(self, name: str) -> str:
        """The address of a pod that is ready; NotYet, while it is not."""
        found = await self.get("pod", name)
        conditions = {each["type"]: each["status"] for each in found["status"].get("conditions", ())}
        if conditions.get("Ready") != "True":
            raise NotYet(f"pod {name}: {found['status']}")
        return str(found["status"]["podIP"])

    async def ask(self, source: str, address: str, port: int = PORT) -> str:
        """What a new connection from a pod meets: the answer, or the name of the error."""
        said = await self.kubectl("exec", source, "--", *PYTHON, ASK, address, str(port))
        return said.strip()
