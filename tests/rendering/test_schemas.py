"""Objects against schemas: Kubernetes' own, those of CRDs, and the rules of CRDs."""

from typing import Any

import pytest

from fixtures.rendering.objects import Manifest
from fixtures.rendering.rules.cel import evaluations
from fixtures.rendering.rules.crds import CustomKind, closed, defaulted
from fixtures.rendering.rules.schemas import misfits, versions

SERVICE: Manifest = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "s"},
    "spec": {"ports": [{"port": 80, "targetPort": "http"}]},
}


def test_the_versions_begin_where_they_are_said_to() -> None:
    assert versions()[0] == "1.28"
    assert "1.36" in versions()


def test_an_object_that_fits_has_no_finding() -> None:
    assert list(misfits(SERVICE)) == []


def test_a_field_of_newer_versions_names_the_older_ones() -> None:
    (finding,) = misfits(SERVICE | {"spec": SERVICE["spec"] | {"trafficDistribution": "PreferClose"}})
    assert finding.field == "spec"
    assert "'trafficDistribution' was unexpected" in finding.fault
    assert "(Kubernetes 1.28, 1.29)" in finding.fault


def test_a_kind_of_some_versions_is_a_finding() -> None:
    policy = {
        "apiVersion": "flowcontrol.apiserver.k8s.io/v1beta3",
        "kind": "FlowSchema",
        "metadata": {"name": "f"},
    }
    (finding, *_) = misfits(policy)
    assert finding.field == "apiVersion"
    assert "1.32 to 1.37 has no FlowSchema" in finding.fault


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "metadata": {"type": "object"},
        "spec": {
            "type": "object",
            "properties": {
                "size": {"type": "integer", "default": 3},
                "port": {"x-kubernetes-int-or-string": True},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "note": {"type": "string", "nullable": True},
                "namespace": {"type": "string"},
                "list": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"a": {"type": "string"}}},
                },
                "map": {"type": "object", "additionalProperties": {"type": "string"}},
            },
            "x-kubernetes-validations": [
                {"rule": "self.size > 2", "message": "too small"},
                {"rule": "!has(self.__namespace__) || self.__namespace__ == 'a'", "message": "not a"},
                {"rule": "!has(self.note) || isURL(self.note)"},
                {"rule": "self.size >= oldSelf.size"},
            ],
        },
    },
}
KIND = CustomKind(("example.test/v1", "Thing"), SCHEMA)


def thing(**spec: Any) -> Manifest:
    return {
        "apiVersion": "example.test/v1",
        "kind": "Thing",
        "metadata": {"name": "t", "labels": {}},
        "spec": spec,
    }


@pytest.mark.parametrize(
    "spec",
    [
        {"port": 80},
        {"port": "http"},
        {"free": {"any": 1}},
        {"note": None},
        {"list": [{"a": "x"}]},
        {"map": {"k": "v"}},
    ],
    ids=str,
)
def test_what_the_server_would_keep_fits(spec: dict[str, Any]) -> None:
    whole = SCHEMA | {"properties": SCHEMA["properties"] | {"apiVersion": {}, "kind": {}}}
    assert list(CustomKind(KIND.api_kind, whole).misfits(thing(**spec))) == []


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"siz": 3}, "spec"),
        ({"port": []}, "spec.port"),
        ({"list": [{"b": "x"}]}, "spec.list[0]"),
        ({"map": {"k": 1}}, "spec.map.k"),
    ],
    ids=str,
)
def test_what_it_would_drop_or_refuse_does_not(spec: dict[str, Any], field: str) -> None:
    assert field in {finding.field for finding in KIND.misfits(thing(**spec))}


def test_closing_leaves_the_schema_as_it_was() -> None:
    before = repr(SCHEMA)
    closed(SCHEMA, root=True)
    assert repr(SCHEMA) == before


def test_defaults_are_in_what_is_stored() -> None:
    assert defaulted(thing(), SCHEMA)["spec"] == {"size": 3}


def test_rules_hold_break_or_were_not_evaluated() -> None:
    seen = {each.rule: each for each in evaluations(KIND, thing(size=2, namespace="b", note="x"))}
    assert [each.holds for each in seen.values()] == [False, False, None]
    assert seen["self.size > 2"].why == "too small"
    assert "isURL" in seen["!has(self.note) || isURL(self.note)"].why


def test_a_rule_sees_defaults() -> None:
    assert [each.holds for each in evaluations(KIND, thing())] == [True, True, True]
