"""What tests without a deployment can see of the manifests, by area.

Where a fault changes nothing that the tests of an area look at, their verdict is that of the unbroken manifests, which
the control of the session has shown to be green: they need not run again for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, Final

from fixtures.deployment.roles import Role, role_of
from fixtures.rendering.findings import Objects
from fixtures.rendering.objects import (
    Manifest,
    Ref,
    base_name,
    labels_of,
    of_kind,
    pod_template_of,
    workloads,
)

SERVERS: Final = frozenset(Role) - {
    Role.POSTGRESQL,
    Role.REDIS,
    Role.REDIS_PROXY,
    Role.OBJECT_STORAGE,
    Role.OBJECT_STORAGE_BACKEND,
}
"""HAProxy and the processes of Synapse: of the others, routing sees the Services only."""

_OF_CONTAINERS: Final = ("name", "command", "args", "env", "ports", "volumeMounts", "lifecycle")


def of_routing(objects: Objects) -> object:
    """Services and pods behind them, and what HAProxy and Synapse are told."""
    seen: list[Any] = [_service(each) for each in of_kind(objects, "Service")]
    for workload in workloads(objects):
        template = pod_template_of(workload)
        spec, labels = template["spec"], labels_of(template)
        told = role_of(template) in SERVERS
        seen.append(
            (
                Ref.of(workload),
                workload["spec"].get("replicas"),
                labels,
                spec.get("terminationGracePeriodSeconds"),
                [_container(each, told) for each in spec["containers"]],
                spec.get("volumes") if told else None,
                [_files(volume, objects) for volume in spec.get("volumes") or ()] if told else None,
            )
        )
    return seen


def of_networks(objects: Objects) -> object:
    """Policies, namespaces, operators' clusters, and the labels and ports of pods."""
    policies = list(of_kind(objects, "NetworkPolicy", "Namespace", "Cluster"))
    pods = [
        (
            Ref.of(workload),
            labels_of(pod_template_of(workload)),
            [each.get("ports") for each in pod_template_of(workload)["spec"]["containers"]],
        )
        for workload in workloads(objects)
    ]
    return policies, pods


SIGHTS: Final[Mapping[PurePath, Callable[[Objects], object]]] = {
    PurePath("suites/routing"): of_routing,
    PurePath("suites/network"): of_networks,
}
"""By folder; tests of every other one see everything."""


def unseen(test: PurePath, unbroken: Mapping[Any, Objects], broken: Mapping[Any, Objects]) -> bool:
    """Whether a test, by its path, sees no difference between overlays as they are and as they are broken."""
    sight = SIGHTS.get(test.parent)
    return sight is not None and all(sight(unbroken[name]) == sight(broken[name]) for name in unbroken)


def _service(service: Manifest) -> tuple[Ref, Any]:
    return Ref.of(service), service.get("spec")


def _container(container: Manifest, told: bool) -> dict[str, Any]:
    fields = _OF_CONTAINERS if told else ("ports",)
    return {field: container.get(field) for field in fields}


def _files(volume: Manifest, objects: Objects) -> Any:
    name = (volume.get("configMap") or {}).get("name")
    for config_map in of_kind(objects, "ConfigMap"):
        if name is not None and base_name(Ref.of(config_map).name) == base_name(name):
            return config_map.get("data")
    return None
