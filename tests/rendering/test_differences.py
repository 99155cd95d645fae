"""In what one overlay differs from another is said object by object, without what follows from something else."""

from copy import deepcopy
from pathlib import Path
from typing import Any

from fixtures.rendering.differences import SHOWN_LINES, differences
from fixtures.rendering.kustomize import render
from fixtures.rendering.objects import Manifest

MANIFESTS = Path(__file__).parents[2] / "manifests"


def config_map(suffix: str, **files: str) -> Manifest:
    name = f"synapse-conf-{suffix}"
    return {"kind": "ConfigMap", "metadata": {"name": name, "namespace": suffix}, "data": files}


def workload(config: str = "2222222222", **settings: Any) -> Manifest:
    containers = [
        {"name": "log", "image": "log:1"},
        {"name": "synapse", "resources": {"limits": {"memory": "2Gi"}}} | settings,
    ]
    volumes = [{"name": "conf", "configMap": {"name": f"synapse-conf-{config}"}}]
    spec = {"replicas": 2, "template": {"spec": {"containers": containers, "volumes": volumes}}}
    return {"kind": "Deployment", "metadata": {"name": "sync"}, "spec": spec}


def told(production: list[Manifest], here: list[Manifest]) -> list[tuple[str, str, str | None, str | None]]:
    found = differences(production, here)
    return [(each.object, each.field, each.production, each.here) for each in found]


def test_the_same_objects_have_no_differences_in_any_order() -> None:
    left = [workload(), config_map("2222222222", a="x: 1")]
    assert told(left, deepcopy(left)[::-1]) == []


def test_what_only_one_has_is_named_whole() -> None:
    service: Manifest = {"kind": "Service", "metadata": {"name": "db"}}
    assert told([workload()], [service]) == [
        ("Deployment/sync", "", "there, 2 replicas", None),
        ("Service/db", "", None, "there"),
    ]


def test_a_field_is_found_by_the_name_of_its_container_not_by_its_place() -> None:
    here = workload(resources={"limits": {"memory": "1Gi"}}, args=["-v"])
    here["spec"]["template"]["spec"]["containers"].reverse()
    del here["spec"]["replicas"]
    containers = "spec.template.spec.containers[synapse]"
    assert sorted(told([workload(limits={"x": "y"})], [here]), key=str) == [
        ("Deployment/sync", "spec.replicas", "2", None),
        ("Deployment/sync", f"{containers}.args", None, '["-v"]'),
        ("Deployment/sync", f"{containers}.limits", '{"x": "y"}', None),
        ("Deployment/sync", f"{containers}.resources.limits.memory", "2Gi", "1Gi"),
    ]


def test_of_a_configuration_file_only_the_lines_that_differ_are_told() -> None:
    """Not the suffixes of the names, not the namespace, not the references to them, not comments."""
    left = [workload(), config_map("2222222222", a="# one\nx: 1\ny: 2\n", same="z", gone="w: 1\n")]
    right = [workload("4444444444"), config_map("4444444444", a="# two\nx: 1\ny: 3\n", same="z")]
    assert told(left, right) == [
        ("ConfigMap/synapse-conf", "a", "y: 2", "y: 3"),
        ("ConfigMap/synapse-conf", "gone", "w: 1", None),
    ]


def test_of_a_long_file_the_rest_is_counted() -> None:
    long = "".join(f"k{number}: 1\n" for number in range(SHOWN_LINES + 3))
    [(_, _, before, here)] = told([config_map("2222222222", a=long)], [config_map("2222222222")])
    assert here is None
    assert before is not None
    assert before.splitlines()[-1] == "… 3 more lines"
    assert len(before.splitlines()) == SHOWN_LINES + 1


def test_production_differs_from_the_local_overlay_in_size_and_stores(
    local_objects: tuple[Manifest, ...],
) -> None:
    found = list(differences(render(MANIFESTS / "overlays" / "production"), local_objects))
    told_of = {(each.object, each.field) for each in found}
    assert ("ConfigMap/redis-conf.d", "50-size.conf") in told_of
    assert ("Cluster/postgresql", "") in told_of
    assert ("Service/postgresql-rw", "") in told_of
    assert not list(differences(local_objects, local_objects))
