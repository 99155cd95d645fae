"""What an overlay may differ in, and what is beyond that."""

from copy import deepcopy

from fixtures.rendering.objects import Manifest
from fixtures.rendering.rules.bounds import Bounds, beyond, unused

BOUNDS = Bounds.model_validate(
    {
        "allowed": [
            {
                "overlays": ["small"],
                "objects": ["Deployment/*"],
                "fields": ["spec.replicas", "spec.template.spec.containers[*].resources.*"],
                "reason": "sizes",
            },
            {"overlays": ["small"], "objects": ["ConfigMap/*"], "fields": ["70-*"], "reason": "own files"},
        ],
        "synapse": [{"overlays": ["small"], "keys": ["server_name"], "reason": "its own"}],
    }
)


def deployment(replicas: int = 2, memory: str = "1Gi", probe: int = 3, **drop_ins: str) -> list[Manifest]:
    container = {
        "name": "c",
        "resources": {"limits": {"memory": memory}},
        "readinessProbe": {"periodSeconds": probe},
    }
    workload = {"replicas": replicas, "template": {"spec": {"containers": [container]}}}
    files = {"10-a.yaml": "server_name: a\nrc: 1\n"} | {
        f"70-{name}.yaml": text for name, text in drop_ins.items()
    }
    return [
        {"kind": "Deployment", "metadata": {"name": "d"}, "spec": workload},
        {"kind": "ConfigMap", "metadata": {"name": "synapse-conf.d"}, "data": files},
    ]


def places(here: list[Manifest], overlay: str = "small") -> list[str]:
    return [f"{each.object} {each.field}" for each in beyond(BOUNDS, overlay, deployment(), here)]


def test_what_is_declared_may_differ() -> None:
    assert places(deployment(replicas=1, memory="2Gi", small="server_name: b")) == []


def test_for_the_overlay_that_declares_it_only() -> None:
    assert places(deployment(replicas=1), "other") == ["Deployment/d spec.replicas"]


def test_nothing_else_may() -> None:
    assert places(deployment(probe=9)) == [
        "Deployment/d spec.template.spec.containers[c].readinessProbe.periodSeconds"
    ]


def test_an_object_more_or_less_is_a_difference() -> None:
    more = [*deployment(), {"kind": "Service", "metadata": {"name": "s"}}]
    assert places(more) == ["Service/s object"]
    assert places(deepcopy(deployment())[1:]) == ["Deployment/d object"]


def test_a_file_that_may_differ_may_not_say_anything() -> None:
    assert places(deployment(small="rc: 2")) == ["ConfigMap/synapse-conf.d rc"]


def test_what_no_overlay_needs_is_named() -> None:
    assert unused(BOUNDS, deployment(), {"small": tuple(deployment(replicas=1))}) == ["own files"]
