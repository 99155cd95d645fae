"""Rules about what each container says of itself. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fixtures.deployment.containers import placed_containers
from fixtures.rendering.findings import Objects
from fixtures.rendering.objects import Manifest, pod_template_of, workloads
from tests.mutations.by_rule.breaks import Break, Predicate, Rule, Step, edited, pod_steps, put, removed

ACTIONS = ("httpGet", "tcpSocket", "grpc")

Change = Callable[[Manifest, tuple[str | int, ...]], Iterator[tuple[str, list[Step]]]]
"""What is broken of a container's spec that lies at these steps: for each thing its name, and the operations."""


def of_containers(change: Change) -> Rule:
    """The rule that breaks each container of each workload in this way."""

    def rule(objects: Objects) -> Iterator[Break]:
        for workload in workloads(objects):
            for placed in placed_containers([workload]):
                kind, _, index = placed.place.rstrip("]").partition("[")
                for what, steps in change(placed.spec, (*pod_steps(workload), kind, int(index))):
                    place = f"{placed.spec['name']} {what}"  # no two containers of a pod have one name
                    yield edited(workload, place, *steps, container=placed)

    return rule


def of_pods(change: Change) -> Rule:
    """The rule that breaks the spec of each workload's pods in this way."""

    def rule(objects: Objects) -> Iterator[Break]:
        for workload in workloads(objects):
            for what, steps in change(pod_template_of(workload)["spec"], pod_steps(workload)):
                yield edited(workload, what, *steps)

    return rule


def without(*path: str) -> Change:
    """A field is removed, where it is there."""

    def change(spec: Manifest, at: tuple[str | int, ...]) -> Iterator[tuple[str, list[Step]]]:
        value: Any = spec
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if value is not None:
            yield "", [removed(*at, *path)]

    return change


def with_value(value: Any, *path: str) -> Change:
    """A field gets this value, whether it is there or not; so get those above it that are missing."""

    def change(spec: Manifest, at: tuple[str | int, ...]) -> Iterator[tuple[str, list[Step]]]:
        steps, here = list[Step](), spec
        for depth, step in enumerate(path[:-1], 1):
            if step not in here:
                steps.append(put({}, *at, *path[:depth]))
            here = here.get(step) or {}
        if here.get(path[-1]) != value:
            yield "", [*steps, put(value, *at, *path)]

    return change


def each(**changes: Change) -> Change:
    """All of these changes, one at a time, by what they are about."""

    def change(spec: Manifest, at: tuple[str | int, ...]) -> Iterator[tuple[str, list[Step]]]:
        for about, one in changes.items():
            yield from ((about, steps) for _, steps in one(spec, at))

    return change


def _probe_port(spec: Manifest, at: tuple[str | int, ...]) -> Iterator[tuple[str, list[Step]]]:
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        for action in ACTIONS:
            if action in spec.get(kind, {}):
                yield kind, [put("mutant", *at, kind, action, "port")]


def _limit_below_request(spec: Manifest, at: tuple[str | int, ...]) -> Iterator[tuple[str, list[Step]]]:
    if "memory" in spec.get("resources", {}).get("limits", {}):
        yield "", [put("1Mi", *at, "resources", "limits", "memory")]


def _image_tag(spec: Manifest, at: tuple[str | int, ...]) -> Iterator[tuple[str, list[Step]]]:
    name = spec["image"].partition("@")[0].rpartition(":")[0]
    yield "", [put(f"{name}:0.0.0-mutant", *at, "image")]


def _command_by_path(spec: Manifest, at: tuple[str | int, ...]) -> Iterator[tuple[str, list[Step]]]:
    if spec.get("command"):
        yield "", [put(f"/usr/local/bin/{spec['command'][0]}", *at, "command", 0)]


def _capability(spec: Manifest, at: tuple[str | int, ...]) -> Iterator[tuple[str, list[Step]]]:
    if "capabilities" in spec.get("securityContext", {}):
        yield "", [put(["NET_ADMIN"], *at, "securityContext", "capabilities", "add")]


def _node_directory(spec: Manifest, at: tuple[str | int, ...]) -> Iterator[tuple[str, list[Step]]]:
    volumes = [*(spec.get("volumes") or []), {"name": "mutant", "hostPath": {"path": "/etc"}}]
    yield "", [put(volumes, *at, "volumes")]


RULES: Mapping[str, Rule] = {
    "readiness-probe-removed": of_containers(without("readinessProbe")),
    "liveness-probe-removed": of_containers(without("livenessProbe")),
    "startup-probe-removed": of_containers(without("startupProbe")),
    "probe-port-unknown": of_containers(_probe_port),
    "uid-zero": of_containers(with_value(0, "securityContext", "runAsUser")),
    "root-allowed": of_containers(with_value(False, "securityContext", "runAsNonRoot")),
    "root-file-system-writable": of_containers(
        with_value(False, "securityContext", "readOnlyRootFilesystem")
    ),
    "escalation-allowed": of_containers(with_value(True, "securityContext", "allowPrivilegeEscalation")),
    "privileged": of_containers(with_value(True, "securityContext", "privileged")),
    "seccomp-removed": of_pods(without("securityContext", "seccompProfile")),
    "seccomp-unconfined": of_containers(
        with_value({"type": "Unconfined"}, "securityContext", "seccompProfile")
    ),
    "capability-added": of_containers(_capability),
    "capabilities-kept": of_containers(without("securityContext", "capabilities", "drop")),
    "namespace-of-the-node": of_pods(
        each(
            network=with_value(True, "hostNetwork"),
            pid=with_value(True, "hostPID"),
            ipc=with_value(True, "hostIPC"),
        )
    ),
    "directory-of-the-node": of_pods(_node_directory),
    "memory-limit-removed": of_containers(without("resources", "limits", "memory")),
    "memory-limit-too-low": of_containers(_limit_below_request),
    "request-removed": of_containers(
        each(
            cpu=without("resources", "requests", "cpu"),
            memory=without("resources", "requests", "memory"),
        )
    ),
    "image-tag-unknown": of_containers(_image_tag),
    "command-by-path": of_containers(_command_by_path),
    "command-removed": of_containers(without("command")),
}


def _serves(broken: Break, before: Objects, after: Objects) -> bool:
    """The container has a port: what serves is watched by its readiness."""
    return broken.container is not None and bool(broken.container.spec.get("ports"))


PREDICATES: Mapping[str, Predicate] = {"serves": _serves}
