"""From a Service to the workload and the port behind it."""

import pytest

from fixtures.rendering.objects import Manifest, RenderingError
from fixtures.rendering.services import selected, target_port


def workload(name: str, labels: dict[str, str]) -> Manifest:
    ports = [{"name": "client", "containerPort": 8008}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "ports": ports}]}}
    return {"kind": "Deployment", "metadata": {"name": name}, "spec": {"template": template}}


def service(selector: dict[str, str] | None, **port: object) -> Manifest:
    return {
        "kind": "Service",
        "metadata": {"name": "s"},
        "spec": {"selector": selector, "ports": [{"name": "a", **port}]},
    }


A, B = workload("a", {"x": "1", "y": "1"}), workload("b", {"x": "1", "y": "2"})


def test_all_labels_must_fit() -> None:
    assert selected(service({"x": "1", "y": "2"}), [A, B]) == (B,)
    assert selected(service({"x": "1"}), [A, B]) == (A, B)
    assert selected(service({"x": "1", "z": "1"}), [A, B]) == ()


def test_no_selector_takes_nothing() -> None:
    assert selected(service(None), [A, B]) == selected(service({}), [A, B]) == ()


def test_the_target_is_named_numbered_or_left_out() -> None:
    assert target_port(service({}, port=80, targetPort="client"), "a", A) == 8008
    assert target_port(service({}, port=80, targetPort=9), "a", A) == 9
    assert target_port(service({}, port=80), "a", A) == 80


def test_an_unknown_port_names_those_there_are() -> None:
    with pytest.raises(RenderingError, match=r"Service/s spec\.ports: none is named 'b'; there are: a"):
        target_port(service({}, port=80), "b", A)


def test_a_target_that_no_container_has_is_named() -> None:
    with pytest.raises(RenderingError, match="Deployment/a has no container port named 'metrics'"):
        target_port(service({}, port=80, targetPort="metrics"), "a", A)
