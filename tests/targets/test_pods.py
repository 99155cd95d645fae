"""Pods, variables and contents as manifests declare them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.rendering.contents import contents, quantity
from fixtures.rendering.environment import PodFacts, environment, expand
from fixtures.rendering.objects import Ref, RenderingError
from fixtures.rendering.pods import pod_template, port_number, selects
from tests.targets.local.conftest import container, pod, pod_spec, workload

FACTS = PodFacts(
    "web-0", "matrix", "u-1", "198.18.0.5", {"app": "web", "a.b/c": "d"}, "198.18.0.1", "web-0", "web"
)
STORE: Mapping[tuple[str, str], dict[str, bytes]] = {
    ("ConfigMap", "files"): {"a": b"1", "bad": b"\xff", "zero": b"x\0--bind\0/"},
    ("Secret", "door"): {"password": b"hush"},
}


def variables(*env: dict[str, Any], **fields: Any) -> dict[str, str]:
    """The variables of a container that declares these."""
    made = environment(
        {"env": env, **fields}, ("/a", "/b"), {"LANG": "C"}, FACTS, lambda *ref: STORE.get(ref)
    )
    return {name: value for name, value in made.items() if name not in ("PATH", "HOSTNAME", "HOME", "LANG")}


def of(name: str, **source: Any) -> dict[str, Any]:
    return {"name": name, "valueFrom": source}


class TestVariables:
    def test_begin_with_what_every_container_has(self) -> None:
        """PATH, HOSTNAME, HOME, and the image's."""
        assert environment({}, ("/a", "/b"), {"LANG": "C"}, FACTS, lambda *_: None) == {
            "PATH": "/a:/b",
            "HOSTNAME": "web-0",
            "HOME": "/tmp",
            "LANG": "C",
        }

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("metadata.name", "web-0"),
            ("metadata.namespace", "matrix"),
            ("metadata.uid", "u-1"),
            ("status.podIP", "198.18.0.5"),
            ("spec.nodeName", "local"),
            ("metadata.labels['app']", "web"),
            ("metadata.labels['a.b/c']", "d"),
            ("metadata.labels['none']", ""),
        ],
    )
    def test_tell_a_pod_about_itself(self, path: str, value: str) -> None:
        """The downward API."""
        assert variables(of("X", fieldRef={"fieldPath": path})) == {"X": value}

    def test_come_from_whole_objects_with_a_prefix_and_are_overridden(self) -> None:
        """envFrom first, in its order; env wins."""
        whole = [
            {"prefix": "P_", "secretRef": {"name": "door"}},
            {"configMapRef": {"name": "gone", "optional": True}},
        ]
        assert variables({"name": "P_password", "value": "mine"}, envFrom=whole[:1]) == {"P_password": "mine"}
        assert variables(envFrom=whole) == {"P_password": "hush"}

    def test_that_are_optional_are_left_out(self) -> None:
        """Object or key missing: no variable."""
        gone = of("X", secretKeyRef={"name": "gone", "key": "k", "optional": True})
        no_key = of("Y", configMapKeyRef={"name": "files", "key": "k", "optional": True})
        assert variables(gone, no_key) == {}

    @pytest.mark.parametrize(
        ("source", "said"),
        [
            ({"secretKeyRef": {"name": "gone", "key": "k"}}, "env X: there is no Secret gone"),
            ({"secretKeyRef": {"name": "door", "key": "k"}}, "env X: Secret door has no key k"),
            (
                {"configMapKeyRef": {"name": "files", "key": "bad"}},
                "env X: the value is not UTF-8; mount it as a file",
            ),
            (
                {"configMapKeyRef": {"name": "files", "key": "zero"}},
                "env X: a variable cannot hold a NUL byte; mount",
            ),
        ],
    )
    def test_that_cannot_be_had_are_named(self, source: dict[str, Any], said: str) -> None:
        """One line. A NUL would add arguments of the writer's choice to the sandbox's."""
        with pytest.raises(RenderingError, match=f"^{said}"):
            variables(of("X", **source))

    def test_refer_to_earlier_ones_only(self) -> None:
        """`$(B)` before B stays as it is."""
        assert variables({"name": "A", "value": "$(B)"}, {"name": "B", "value": "$(A)!"}) == {
            "A": "$(B)",
            "B": "$(B)!",
        }


class TestReference:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("$(A)", "1"),
            ("x$(A)y$(A)", "x1y1"),
            ("$$(A)", "$(A)"),
            ("$$$(A)", "$1"),
            ("$$$$(A)", "$$(A)"),
            ("$(NO)", "$(NO)"),
            ("$A ${A} $(A", "$A ${A} $(A"),
            ("$(a b)", "$(a b)"),
            ("$", "$"),
        ],
    )
    def test_is_expanded_as_kubernetes_does(self, text: str, value: str) -> None:
        """Known names, and `$$` for a dollar sign."""
        assert expand(text, {"A": "1"}) == value

    @given(st.text("$(A)x", max_size=12))
    def test_can_always_be_escaped(self, text: str) -> None:
        """Doubling every dollar sign protects any text."""
        assert expand(text.replace("$", "$$"), {"A": "1", "x": "2"}) == text


class TestContents:
    @given(st.dictionaries(st.text("ab.", min_size=1), st.binary(max_size=9)))
    def test_are_decoded(self, values: dict[str, bytes]) -> None:
        """data of a Secret and binaryData of a ConfigMap are base64."""
        encoded = {key: base64.b64encode(value).decode() for key, value in values.items()}
        assert contents({"kind": "Secret", "data": encoded}) == values
        assert contents({"kind": "ConfigMap", "binaryData": encoded}) == values

    def test_of_plain_text_win(self) -> None:
        """stringData over data, as the API server merges them."""
        assert contents({"kind": "Secret", "data": {"a": "eA=="}, "stringData": {"a": "y", "b": "z"}}) == {
            "a": b"y",
            "b": b"z",
        }
        assert contents({"kind": "ConfigMap", "data": {"a": "é"}}) == {"a": "é".encode()}
        assert contents({"kind": "ConfigMap", "data": None}) == {}


class TestQuantity:
    @pytest.mark.parametrize(
        ("text", "size"),
        [
            ("64Mi", 64 << 20),
            ("1Gi", 1 << 30),
            ("1.5Ki", 1536),
            ("2k", 2000),
            ("3M", 3_000_000),
            (7, 7),
            ("0", 0),
        ],
    )
    def test_is_bytes(self, text: str | int, size: int) -> None:
        """Binary and decimal units."""
        assert quantity(text) == size

    @pytest.mark.parametrize("text", ["", "Mi", "1ki", "-1", "1 Gi", "1MB", "100m", "one"])
    def test_is_refused(self, text: str) -> None:
        """With the text."""
        with pytest.raises(ValueError, match="is not a quantity"):
            quantity(text)


class TestTemplate:
    def test_of_a_statefulset_names_its_pods(self) -> None:
        """By ordinal, with labels, service and claims."""
        made = pod_template(
            workload("StatefulSet", "db", pod_spec(container("x")), replicas=3, serviceName="dbs")
        )
        assert made.names() == ("db-0", "db-1", "db-2")
        assert (made.owner, made.service, made.labels, made.stable_names) == (
            Ref("StatefulSet", "db"),
            "dbs",
            {"app": "db"},
            True,
        )

    def test_of_a_deployment_changes_its_fingerprint_with_the_template(self) -> None:
        """Names of pods tell templates apart; replicas are no part of it."""
        one, two, other = (
            pod_template(workload("Deployment", "web", pod_spec(container(command)), replicas=replicas))
            for command, replicas in (("x", 1), ("x", 2), ("y", 1))
        )
        assert one.fingerprint() == two.fingerprint() != other.fingerprint()
        assert not one.stable_names

    @pytest.mark.parametrize(
        ("manifest", "limit"),
        [
            (workload("Job", "j", pod_spec(container("x"))), 6),
            (workload("Job", "j", pod_spec(container("x")), backoffLimit=0), 0),
            (workload("Deployment", "d", pod_spec(container("x"))), None),
            (pod("p", pod_spec(container("x"))), None),
            (pod("p", pod_spec(container("x"), restartPolicy="Always")), None),
            (pod("p", pod_spec(container("x"), restartPolicy="Never")), 0),
        ],
    )
    def test_says_whether_its_pods_end(self, manifest: dict[str, Any], limit: int | None) -> None:
        """Jobs, and bare pods that must not be restarted."""
        assert pod_template(manifest).backoff_limit == limit


@pytest.mark.parametrize(
    ("selector", "labels", "taken"),
    [
        ({"a": "1"}, {"a": "1", "b": "2"}, True),
        ({"a": "1", "b": "2"}, {"a": "1"}, False),
        ({}, {"a": "1"}, False),
        (None, {}, False),
    ],
)
def test_selector_takes_pods_with_all_its_labels(
    selector: dict[str, str] | None, labels: dict[str, str], *, taken: bool
) -> None:
    """And none when there is no selector."""
    assert selects(selector, labels) is taken


def test_port_is_found_by_name() -> None:
    """In any container; a number is itself."""
    spec = pod_spec(container("x"), {**container("y"), "ports": [{"name": "client", "containerPort": 8080}]})
    assert port_number(spec, "client") == 8080
    assert port_number(spec, 81) == 81
    with pytest.raises(LookupError, match="no container port is named 'smtp'"):
        port_number(spec, "smtp")
