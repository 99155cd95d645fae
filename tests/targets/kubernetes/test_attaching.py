"""Attaching to a namespace asks the API server, and never tells it anything. In memory: no cluster is made."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.deployment.interface import DeploymentError, Event, FrontDoor, SecretRef
from fixtures.deployment.roles import Role
from fixtures.rendering.objects import Manifest, Ref
from fixtures.targets.attaching import Attachment
from fixtures.targets.kubernetes import attaching
from fixtures.targets.kubernetes.attaching import AttachedKubernetes, attached_to
from fixtures.targets.kubernetes.cluster import Cluster

WORD = "a-word-that-nobody-knows"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
CLUSTER = Cluster(provider="kubeconfig", kubeconfig=Path("nowhere"))


def made(kind: str, name: str, **fields: Any) -> Manifest:
    version = "apps/v1" if kind == "StatefulSet" else "v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}} | fields


MAIN = {"name": "main", "image": "docker.io/library/redis:8", "command": ["redis-server"]}
RENDERED = (
    made("Namespace", "matrix"),
    made("StatefulSet", "redis", spec={"template": {"spec": {"containers": [MAIN]}}}),
    made("Service", "redis", spec={}),
)
POD = made(
    "Pod",
    "redis-0",
    spec={"containers": [MAIN], "nodeName": "n"},
    status={"containerStatuses": [{"name": "main", "containerID": "c", "ready": True}]},
)
ANOTHER = POD | {"metadata": {"name": "another-0", "uid": "2"}}
POD["metadata"] |= {
    "uid": "1",
    "ownerReferences": [{"kind": "StatefulSet", "name": "redis", "controller": True}],
}
SECRET = made("Secret", "words", type="Opaque", data={"word": base64.b64encode(WORD.encode()).decode()})
SECRET["metadata"] |= {"annotations": {LAST_APPLIED: "all of it again"}, "resourceVersion": "7"}


class ReadOnly:
    """What a namespace holds; there is no call that writes, and no log is opened."""

    def __init__(self, *objects: Manifest) -> None:
        self.objects, self.cluster, self.namespaces = objects, CLUSTER, set[str | None]()

    async def version(self) -> str:
        return "v1.35.4"

    async def get(self, ref: Ref, version: str, *, namespace: str | None) -> Manifest | None:
        self.namespaces.add(namespace)
        found = (each for each in self.objects if (each["apiVersion"], Ref.of(each)) == (version, ref))
        return next(found, None)

    async def listed(self, version: str, kind: str, *, namespace: str | None = None) -> tuple[Manifest, ...]:
        self.namespaces.add(namespace)
        return tuple(each for each in self.objects if (each["apiVersion"], each["kind"]) == (version, kind))


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> ReadOnly:
    """A namespace in which all runs, beside what somebody else has there."""
    there = ReadOnly(*RENDERED[1:], POD, ANOTHER, SECRET, made("Service", "somebody-else-s"))

    @contextlib.asynccontextmanager
    async def client(_: Cluster) -> AsyncIterator[ReadOnly]:
        yield there

    monkeypatch.setattr(attaching, "client", client)
    return there


def wanted(folder: Path) -> Attachment:
    return Attachment("prod", "tiny.example", RENDERED, ("words",), folder, run="R1", begin=0.0)


async def test_objects_are_the_rendered_ones_and_secrets_the_read_ones(api: ReadOnly, tmp_path: Path) -> None:
    """In the namespace that was asked for, and of a Secret without what `kubectl apply` wrote beside it."""
    events = list[Event]()
    async with attached_to(CLUSTER, wanted(tmp_path), on_event=events.append) as running:
        assert await running.get(Ref("StatefulSet", "redis")) is RENDERED[1]
        assert await running.secret(SecretRef("words", "word")) == WORD.encode()
        assert LAST_APPLIED not in str(running.objects)
        assert [pod.name for pod in await running.pods(Role.REDIS)] == ["redis-0"], (
            "the other one is not rendered"
        )
        assert running.prefix == "conformance-r1-"
        assert running.observer.follower.censor(WORD.encode()) == b"[secret words/word]"
        assert running.timeline == [], "that pods are there already is nothing that happened"
        running.observer.tell("redis-0", "is gone")
        with pytest.raises(DeploymentError, match="restart: this deployment is attached to"):
            await running.restart(Role.REDIS)
    assert api.namespaces == {"prod"}
    assert [each.event for each in events] == ["is gone"]
    assert list(tmp_path.iterdir()) == [], "somebody's logs were copied"


@pytest.mark.parametrize("lost", [POD, SECRET, RENDERED[1], RENDERED[2]], ids=lambda each: each["kind"])
async def test_what_is_not_there_is_named(lost: Manifest, api: ReadOnly, tmp_path: Path) -> None:
    """Pods come and go; the rest is the deployment."""
    api.objects = tuple(each for each in api.objects if each is not lost)
    refusal = (
        contextlib.nullcontext() if lost is POD else pytest.raises(DeploymentError, match=str(Ref.of(lost)))
    )
    with refusal:
        async with attached_to(CLUSTER, wanted(tmp_path), on_event=lambda _: None):
            pass


@pytest.mark.parametrize("authority", [b"", b"-----BEGIN CERTIFICATE-----"], ids=["none", "one"])
async def test_a_front_door_that_cannot_be_checked_is_told(
    authority: bytes, api: ReadOnly, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has a certificate of some authority has to say of which."""

    async def open_door(deployment: AttachedKubernetes, _: contextlib.AsyncExitStack) -> None:
        (file := tmp_path / "ca.pem").write_bytes(authority)
        deployment.door = FrontDoor("tiny.example", "192.0.2.1", 443, 8448, file)

    monkeypatch.setattr(attaching, "open_door", open_door)
    refusal = (
        contextlib.nullcontext()
        if authority
        else pytest.raises(DeploymentError, match=r"no Secret has a ca\.crt")
    )
    with refusal:
        async with attached_to(CLUSTER, wanted(tmp_path), on_event=lambda _: None):
            pass
