"""Every way in which an object can need another one."""

import re
from typing import Any

import pytest

from fixtures.rendering.objects import Manifest, Ref
from fixtures.rendering.references import Reference, references, unresolved


def deployment(spec: dict[str, Any]) -> Manifest:
    return {
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {"template": {"spec": {"containers": [], **spec}}},
    }


D = Ref("Deployment", "d")
AT = "spec.template.spec"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            {"volumes": [{"name": "v", "configMap": {"name": "c"}}]},
            Reference(D, f"{AT}.volumes[0].configMap", Ref("ConfigMap", "c")),
        ),
        (
            {"volumes": [{"name": "v", "secret": {"secretName": "s", "items": [{"key": "k", "path": "p"}]}}]},
            Reference(D, f"{AT}.volumes[0].secret.items[0].key", Ref("Secret", "s"), "k"),
        ),
        (
            {"volumes": [{"name": "v", "secret": {"secretName": "s", "optional": True}}]},
            Reference(D, f"{AT}.volumes[0].secret", Ref("Secret", "s"), None, optional=True),
        ),
        (
            {"volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "s"}}]}}]},
            Reference(D, f"{AT}.volumes[0].projected.sources[0].secret", Ref("Secret", "s")),
        ),
        (
            {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "p"}}]},
            Reference(
                D, f"{AT}.volumes[0].persistentVolumeClaim.claimName", Ref("PersistentVolumeClaim", "p")
            ),
        ),
        (
            {
                "initContainers": [
                    {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}
                ]
            },
            Reference(D, f"{AT}.initContainers[0].env[0].valueFrom.secretKeyRef", Ref("Secret", "s"), "k"),
        ),
        (
            {"containers": [{"envFrom": [{"configMapRef": {"name": "c"}}]}]},
            Reference(D, f"{AT}.containers[0].envFrom[0].configMapRef", Ref("ConfigMap", "c")),
        ),
        ({"serviceAccountName": "a"}, Reference(D, f"{AT}.serviceAccountName", Ref("ServiceAccount", "a"))),
        (
            {"imagePullSecrets": [{"name": "s"}]},
            Reference(D, f"{AT}.imagePullSecrets[0].name", Ref("Secret", "s")),
        ),
    ],
)
def test_a_reference_says_where_it_is(spec: dict[str, Any], expected: Reference) -> None:
    assert references([deployment(spec)]) == (expected,)


def test_an_ingress_needs_its_certificate() -> None:
    ingress = {"kind": "Ingress", "metadata": {"name": "i"}, "spec": {"tls": [{"secretName": "t"}]}}
    assert [each.target for each in references([ingress])] == [Ref("Secret", "t")]


def test_fields_and_downward_values_are_no_references() -> None:
    env = [
        {"name": "A", "value": "x"},
        {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]
    assert references([deployment({"containers": [{"env": env}]})]) == ()


CONFIG: Manifest = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": ""}}


def one_file(kind: str, key: str, *, optional: bool = False) -> Manifest:
    name = {"configMap": "name", "secret": "secretName"}[kind]
    source = {name: kind[0], "items": [{"key": key, "path": "p"}], "optional": optional}
    return deployment({"volumes": [{"name": "v", kind: source}]})


@pytest.mark.parametrize(
    ("workload", "fault"),
    [
        (one_file("configMap", "k"), None),
        (one_file("configMap", "other"), "has no such key"),
        (one_file("configMap", "other", optional=True), None),
        (one_file("secret", "k"), None),
        (one_file("secret", "other"), "has no such key"),
        (deployment({"serviceAccountName": "default"}), None),
        (deployment({"serviceAccountName": "a"}), "no such object; render it"),
        (deployment({"imagePullSecrets": [{"name": "pull"}]}), r"declare it in secrets\.yaml"),
    ],
)
def test_a_reference_resolves_when_it_is_rendered_or_declared(workload: Manifest, fault: str | None) -> None:
    faults = list(unresolved([workload, CONFIG], {"s": frozenset({"k"})}))
    assert len(faults) == (fault is not None)
    if fault is not None:
        assert re.search(fault, str(faults[0]))
