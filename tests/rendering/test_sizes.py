"""Sizes: what is generated is what is there, it fits the database, and it fits the rest of the deployment."""

import re
from functools import cache
from typing import Any

import pytest
from pydantic import ValidationError

from fixtures.rendering.footprint import README, cores, footprint, table, with_table
from fixtures.rendering.kustomize import render
from fixtures.rendering.objects import Manifest, Ref, RenderingError, find, of_kind, workloads
from fixtures.rendering.overlay import synapse_configuration
from fixtures.rendering.references import references, unresolved
from fixtures.rendering.secrets import load_declarations
from fixtures.rendering.sizes import OVERLAYS, RESERVED, SHARE, Size, load_sizes, wanted
from reports.documents import parse_yaml

SIZES = load_sizes()
NAMES = sorted(path.parent.name for path in OVERLAYS.glob("*/kustomization.yaml"))
SIZED = [(name, overlay) for name, size in SIZES.items() for overlay in size.overlays]


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


def test_what_is_generated_is_what_is_there() -> None:
    texts = wanted(SIZES)
    there = {path for path in OVERLAYS.glob("*/size/**/*") if path.is_file()}
    assert there == texts.keys(), "run python -m fixtures.rendering.sizes"
    for path, text in texts.items():
        assert path.read_text() == text, f"{path}: run python -m fixtures.rendering.sizes"


def test_the_table_in_the_readme_is_what_the_overlays_ask_for() -> None:
    readme = README.read_text()
    assert with_table(readme, table()) == readme, "run python -m fixtures.rendering.footprint"


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


@pytest.mark.parametrize(("size", "name"), SIZED)
def test_replicas_come_from_the_size(size: str, name: str) -> None:
    objects, declared = overlay(name), SIZES[size]
    scaled = {Ref.of(each).name for each in of_kind(objects, "HorizontalPodAutoscaler")}
    rendered = {Ref.of(each).name: each["spec"].get("replicas") for each in workloads(objects)}
    for workload, one in {**declared.synapse, **declared.others}.items():
        maximum = getattr(one, "maximum", None)
        assert rendered[workload] == (None if maximum else one.replicas), workload
        assert (workload in scaled) == (maximum is not None), workload


@pytest.mark.parametrize(("size", "name"), SIZED)
def test_every_synapse_process_has_a_pool_of_its_size(size: str, name: str) -> None:
    objects, declared = overlay(name), SIZES[size].synapse
    processes = {
        Ref.of(each).name for each in workloads(objects) if "synapse-start" in str(each["spec"]["template"])
    }
    assert processes == declared.keys()
    for process, one in declared.items():
        at = "synapse-conf.d" if process == "synapse-main" else f"synapse-{process}"
        config_map = find(objects, Ref("ConfigMap", at))
        assert config_map is not None, at
        settings = parse_yaml(config_map["data"]["50-size.yaml"], at)
        assert settings["database"]["args"]["cp_max"] == one.pool, process
        assert settings["database"]["args"]["passfile"] == "/run/synapse/pgpass", process


@pytest.mark.parametrize(("size", "name"), SIZED)
def test_the_database_takes_the_connections_of_the_size(size: str, name: str) -> None:
    objects, declared = overlay(name), SIZES[size].database
    cluster = find(objects, Ref("Cluster", "postgresql"))
    if cluster is not None:
        assert cluster["spec"]["postgresql"]["parameters"]["max_connections"] == str(declared.max_connections)
    else:
        config_map = find(objects, Ref("ConfigMap", "postgresql-conf.d"))
        assert config_map is not None
        assert f"max_connections = {declared.max_connections}\n" in config_map["data"]["50-size.conf"]


@pytest.mark.parametrize(("size", "name"), SIZED)
def test_the_edge_knows_as_many_workers_as_there_may_be(size: str, name: str) -> None:
    config_map = find(overlay(name), Ref("ConfigMap", "haproxy-conf.d"))
    assert config_map is not None
    text = "".join(config_map["data"].values())
    places = {
        pool: int(count)
        for count, pool in re.findall(r'server-template \S+ 1-(\d+) "_client\._tcp\.([\w-]+)\.', text)
    }
    for process, one in SIZES[size].synapse.items():
        assert process not in places or places[process] >= one.most, process
    assert len(re.findall(r"(?m)^ {4}maxconn ", text)) == 1, "HAProxy takes the first maxconn only"


@pytest.mark.parametrize(("size", "name"), SIZED)
def test_every_duty_is_given_to_a_pod_that_is_there(size: str, name: str) -> None:
    settings, declared = synapse_configuration(overlay(name)), SIZES[size].synapse
    pods = {f"{process}-{number}" for process, one in declared.items() for number in range(one.replicas)}
    given = set(settings["federation_sender_instances"])
    for writers in settings["stream_writers"].values():
        given |= {writers} if isinstance(writers, str) else set(writers)
    assert given <= pods
    assert set(settings["instance_map"]) == (given - set(settings["federation_sender_instances"])) | {"main"}
    for process in ("event-persister", "federation-sender", "stream-writer"):
        idle = {pod for pod in pods if pod.rpartition("-")[0] == process} - given
        assert not idle, f"{idle} would have nothing to do"


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
