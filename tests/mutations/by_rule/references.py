"""Rules about what pods name: ConfigMaps, Secrets, their keys, claims. And about objects as a whole. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fixtures.deployment.patch import RemovedObject
from fixtures.rendering.findings import Objects
from fixtures.rendering.objects import (
    Manifest,
    Ref,
    base_name,
    find,
    is_custom,
    of_kind,
    pod_template_of,
    workloads,
)
from tests.mutations.by_rule.breaks import Break, Predicate, Rule, edited, pod_steps, put

# The field that names an object, by the field that holds it.
NAMED_BY: Mapping[str, str] = {
    "configMap": "name",
    "secret": "secretName",
    "persistentVolumeClaim": "claimName",
    "configMapKeyRef": "name",
    "secretKeyRef": "name",
    "configMapRef": "name",
    "secretRef": "name",
}


def _references(value: Any, at: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Manifest]]:
    """Everything below that names an object, with the way to it."""
    if isinstance(value, dict):
        for key, below in value.items():
            if key in NAMED_BY and isinstance(below, dict):
                yield (*at, key), below
            yield from _references(below, (*at, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _references(below, (*at, index))


def renamed(objects: Objects) -> Iterator[Break]:
    """Each object that a pod names gets another name there."""
    for workload in workloads(objects):
        for way, reference in _references(pod_template_of(workload)["spec"], ()):
            # In a projected volume a Secret goes by `name`.
            field = next((each for each in (NAMED_BY[str(way[-1])], "name") if each in reference), None)
            if field is not None and not reference.get("optional"):
                place = f"{'.'.join(map(str, way))} {base_name(reference[field])}"
                yield edited(workload, place, put("mutant", *pod_steps(workload), *way, field))


def key_renamed(objects: Objects) -> Iterator[Break]:
    """Each key that a pod asks for is spelt differently."""
    for workload in workloads(objects):
        for way, reference in _references(pod_template_of(workload)["spec"], ()):
            at, place = (*pod_steps(workload), *way), ".".join(map(str, way))
            if reference.get("optional"):
                continue
            if "key" in reference:
                yield edited(workload, f"{place} {reference['key']}", put("mutant", *at, "key"))
            for index, item in enumerate(reference.get("items") or ()):
                yield edited(workload, f"{place} {item['key']}", put("mutant", *at, "items", index, "key"))


def dropped(kind: str) -> Rule:
    """The rule that leaves out each object of a kind."""

    def rule(objects: Objects) -> Iterator[Break]:
        for manifest in of_kind(objects, kind):
            name = Ref.of(manifest).name
            ref = Ref(kind, base_name(name) if kind == "ConfigMap" else name)
            yield Break(ref, "", (RemovedObject(remove=str(ref)),))

    return rule


def field_unknown(objects: Objects) -> Iterator[Break]:
    """Each object gets a field, beside its known ones, that its kind does not have."""
    for manifest in objects:
        inside = ("spec",) if isinstance(manifest.get("spec"), dict) else ()
        yield edited(manifest, "", put("typo", *inside, "mutantField"))


RULES: Mapping[str, Rule] = {
    "reference-renamed": renamed,
    "key-renamed": key_renamed,
    "configmap-dropped": dropped("ConfigMap"),
    "service-dropped": dropped("Service"),
    "disruption-budget-dropped": dropped("PodDisruptionBudget"),
    "priority-class-dropped": dropped("PriorityClass"),
    "field-unknown": field_unknown,
}


def _is_custom(broken: Break, before: Objects, after: Objects) -> bool:
    """The object is of a kind that an operator brings."""
    found = find(before, broken.object)
    return found is not None and is_custom(found)


def _crd_is_unknown(broken: Break, before: Objects, after: Objects) -> bool:
    """The object is of a kind whose CRD is in no package."""
    found = find(before, broken.object)
    return found is not None and found["kind"] == "ObjectStore"


PREDICATES: Mapping[str, Predicate] = {"crd-unknown": _crd_is_unknown, "custom-resource": _is_custom}
