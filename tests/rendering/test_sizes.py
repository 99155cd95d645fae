"""Sizes: what is generated is what is there, it fits the database, and it fits the rest of the deployment."""

from functools import cache
from typing import Any

import pytest
from pydantic import ValidationError

from fixtures.rendering.footprint import cores, footprint, with_table
from fixtures.rendering.kustomize import render
from fixtures.rendering.objects import Manifest, RenderingError
from fixtures.rendering.overlay import synapse_configuration
from fixtures.rendering.references import references, unresolved
from fixtures.rendering.secrets import load_declarations
from fixtures.rendering.sizes import OVERLAYS, RESERVED, SHARE, Size, load_sizes

SIZES = load_sizes()
NAMES = sorted(path.parent.name for path in OVERLAYS.glob("*/kustomization.yaml"))


@cache
def overlay(name: str) -> tuple[Manifest, ...]:
    return render(OVERLAYS / name)


def changed(name: str = "1k", **fields: Any) -> dict[str, Any]:
    """A shipped size with other fields; `a__b=1` reaches inside."""
    size = SIZES[name].model_dump()
    for path, value in fields.items():
        *steps, last = path.split("__")
        inner = size
        for step in steps:
            inner = inner[step.replace("_", "-") if step.replace("_", "-") in inner else step]
        inner[last] = value
    return size


def test_a_readme_without_a_place_for_the_table_is_told() -> None:
    with pytest.raises(RenderingError, match="put them back"):
        with_table("# The deployment\n", "")


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"synapse__synchrotron__maximum": 16}, r"at most 85 % are allowed|at most 85% are allowed"),
        ({"database__max_connections": 180}, "max_connections larger"),
        ({"synapse__event_persister__maximum": 4}, "cannot be scaled by itself"),
        ({"synapse__synchrotron__maximum": 1}, "less than replicas"),
        ({"redis_memory": "1000mb"}, "over 70 %"),
        ({"front_connections": 200000}, "do not fit"),
        ({"synapse__generic_worker__memory": "9Gi"}, "more than memory_limit"),
    ],
)
def test_a_size_that_cannot_work_is_refused(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        Size.model_validate(changed(**fields))


def test_a_rolling_deployment_counts_one_pod_more() -> None:
    size = SIZES["1k"]
    by_hand = sum(
        ((process.maximum or process.replicas) + (process.kind == "Deployment")) * process.pool
        for process in size.synapse.values()
    )
    assert size.connections == by_hand
    assert by_hand <= SHARE * (size.database.max_connections - RESERVED)


@pytest.mark.parametrize("name", NAMES)
def test_every_overlay_is_complete(name: str) -> None:
    objects = overlay(name)
    assert not list(unresolved(objects, load_declarations().keys()))
    names = [(each["kind"], each["metadata"]["name"]) for each in objects]
    assert len(names) == len(set(names))
    assert synapse_configuration(objects)["server_name"]


def test_every_declared_secret_has_the_consumers_of_all_overlays() -> None:
    found: dict[str, set[str]] = {}
    for name in NAMES:
        for reference in references(overlay(name)):
            if reference.target.kind == "Secret":
                found.setdefault(reference.target.name, set()).add(str(reference.owner))
    declared = {each.name: set(each.consumers) for each in load_declarations().secrets}
    for name, consumers in found.items():
        assert consumers <= declared[name], name


def test_cores_are_read() -> None:
    assert cores("500m") == 0.5
    assert cores("2") == 2.0
    assert footprint(()).pods == 0
