"""What a rule breaks at one place, and the small steps of which breaks are made. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fixtures.deployment.containers import PlacedContainer
from fixtures.deployment.patch import Edit, ObjectEdit
from fixtures.rendering.findings import Objects
from fixtures.rendering.objects import Manifest, Ref, base_name, template_path

Step = dict[str, Any]


@dataclass(frozen=True)
class Break:
    """One thing broken at one place of one object. Two are the same when they are at the same place."""

    object: Ref
    place: str  # where in the object, in words that make it unique
    edits: tuple[Edit, ...] = field(compare=False)
    container: PlacedContainer | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The place as part of an id: `deployment-haproxy-haproxy`."""
        words = f"{self.object} {self.place}".lower()
        return "-".join("".join(c if c.isalnum() and c.isascii() else " " for c in words).split())


Rule = Callable[[Objects], Iterator[Break]]
"""A rule looks at all objects of one overlay, and breaks every place that it is about, one at a time."""

Predicate = Callable[[Break, Objects, Objects], bool]
"""What singles out some of a rule's places: the break, the objects before it, and after it."""


def pointer(*steps: str | int) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def removed(*steps: str | int) -> Step:
    """The operation that removes what lies there."""
    return {"op": "remove", "path": pointer(*steps)}


def put(value: Any, *steps: str | int) -> Step:
    """The operation that puts a value there, whether there is one or not; its parent must be there."""
    return {"op": "add", "path": pointer(*steps), "value": value}


def edited(manifest: Manifest, place: str, *steps: Step, container: PlacedContainer | None = None) -> Break:
    """A break by JSON6902 operations on one object."""
    ref = Ref.of(manifest)
    if ref.kind == "ConfigMap":  # by the name that its content does not change
        ref = Ref(ref.kind, base_name(ref.name))
    return Break(ref, place, (ObjectEdit(object=str(ref), operations=steps),), container)


def pod_steps(workload: Manifest) -> tuple[str, ...]:
    """Where the pod's spec of a workload lies."""
    return (*template_path(workload["kind"]), "spec")
