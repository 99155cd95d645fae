"""Values of the wrong kind are named, and the object stays usable."""

from typing import Any

import pytest

from fixtures.rendering.shapes import shaped

CONTAINER = {"name": "c", "image": "a:1"}


def deployment(**spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [CONTAINER]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {"template": template, **spec},
    }


@pytest.mark.parametrize(
    ("spec", "field", "said", "instead"),
    [
        ({"replicas": "2"}, "spec.replicas", "is '2'", {"replicas": 2}),
        ({"serviceName": True}, "spec.serviceName", "is True", {"serviceName": "true"}),
        ({"selector": ["a"]}, "spec.selector", "is ['a']", {"selector": {}}),
        ({"template": {}}, "spec.template.spec", "is missing", {"template": {"spec": {"containers": []}}}),
    ],
)
def test_a_value_of_the_wrong_kind_is_named_and_replaced(
    spec: dict[str, Any], field: str, said: str, instead: dict[str, Any]
) -> None:
    whole, faults = shaped(deployment(**spec))
    assert [(fault.field, fault.fault) for fault in faults] == [(field, said)]
    assert whole["spec"] | instead == whole["spec"]


def test_null_is_the_same_as_absent_and_what_is_right_stays() -> None:
    right = deployment(replicas=2)
    assert shaped(right) == (right, ())
    assert shaped(deployment(replicas=2, strategy=None)) == (right, ())


def test_a_kind_of_another_group_is_left_alone() -> None:
    other = deployment(replicas="two") | {"apiVersion": "example.org/v1"}
    assert shaped(other) == (other, ())
