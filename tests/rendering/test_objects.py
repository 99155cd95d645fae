"""Names, templates and containers of Kubernetes objects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.rendering.objects import (
    Manifest,
    Ref,
    RenderingError,
    base_name,
    containers,
    find,
    pod_template_of,
    workloads,
)

HASH_LETTERS = "2456789bcdfghkmt"
names = st.from_regex(r"[a-z]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True)
suffixes = st.text(HASH_LETTERS, min_size=10, max_size=10)


@given(names, suffixes)
def test_the_suffix_of_kustomize_is_cut_off(name: str, suffix: str) -> None:
    assert base_name(f"{name}-{suffix}") == name


@pytest.mark.parametrize(
    "name",
    ["synapse-conf.d", "postgresql-main", "haproxy-2456789b", "a-2456789bcx", "a2456789bcd", "a-2456789bc"],
)
def test_names_without_a_suffix_stay(name: str) -> None:
    assert base_name(name) == name


@pytest.mark.parametrize("manifest", [{}, {"kind": "Pod"}, {"kind": "Pod", "metadata": {"name": 3}}])
def test_an_object_without_kind_or_name_is_refused(manifest: dict[str, object]) -> None:
    with pytest.raises(RenderingError, match="give it both"):
        Ref.of(manifest)


def test_the_template_of_a_cron_job_lies_deeper() -> None:
    template: Manifest = {"spec": {"containers": []}}
    job = {
        "kind": "CronJob",
        "metadata": {"name": "c"},
        "spec": {"jobTemplate": {"spec": {"template": template}}},
    }
    assert pod_template_of(job) is template


def test_a_workload_without_a_template_is_refused() -> None:
    with pytest.raises(RenderingError, match="Deployment/d has no pod template"):
        pod_template_of({"kind": "Deployment", "metadata": {"name": "d"}, "spec": {}})


def test_init_containers_come_first_and_say_their_place() -> None:
    spec = {"containers": [{"name": "b"}], "initContainers": [{"name": "a"}, {"name": "c"}]}
    assert [(place, container["name"]) for place, container in containers(spec)] == [
        ("initContainers[0]", "a"),
        ("initContainers[1]", "c"),
        ("containers[0]", "b"),
    ]


def test_only_what_makes_pods_is_a_workload() -> None:
    kinds = ["Service", "Deployment", "ConfigMap", "StatefulSet", "CronJob"]
    assert [each["kind"] for each in workloads({"kind": kind} for kind in kinds)] == [
        "Deployment",
        "StatefulSet",
        "CronJob",
    ]


def test_a_generated_config_map_is_found_by_the_name_in_its_generator() -> None:
    generated = {"kind": "ConfigMap", "metadata": {"name": "conf-2456789bcd"}}
    service = {"kind": "Service", "metadata": {"name": "conf-2456789bcd"}}
    assert find([service, generated], Ref("ConfigMap", "conf")) is generated
    assert find([service, generated], Ref("Service", "conf")) is None
