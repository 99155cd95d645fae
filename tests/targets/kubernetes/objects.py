"""Objects that tests of the target read: small ones, as an API server gives them."""

from __future__ import annotations

from typing import Any

from fixtures.rendering.objects import Manifest


def pod(
    name: str,
    *,
    ready: bool = True,
    owner: tuple[str, str] | None = None,
    told: dict[str, Any] | None = None,
    **metadata: Any,
) -> Manifest:
    """A running pod of an owner (kind, name)."""
    owners = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    container = {
        "name": "server",
        "ready": ready,
        "restartCount": 0,
        "containerID": f"containerd://{name}",
        "state": {"running": {}},
    }
    status = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": str(ready)}],
        "containerStatuses": [container],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "uid": f"uid-{name}", "ownerReferences": owners, **metadata},
        "spec": {"nodeName": "node", "containers": [{"name": "server", "image": "image"}]},
        "status": status | (told or {}),
    }


def container(name: str = "server", **more: Any) -> dict[str, Any]:
    """The status of a container."""
    return {"name": name, "restartCount": 0, "ready": False, "state": {}, **more}


def stateful_set(name: str, replicas: int) -> Manifest:
    """One whose own status says that all is well."""
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name, "generation": 1},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": []}}},
        "status": {"observedGeneration": 1, "replicas": replicas, "readyReplicas": replicas},
    }
