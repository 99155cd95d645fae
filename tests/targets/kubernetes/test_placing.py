"""How rendered objects become those of one run in one namespace."""

from __future__ import annotations

import copy
from typing import Any

from fixtures.rendering.objects import Manifest, Ref
from fixtures.targets.kubernetes.placing import (
    CONTENT,
    RUN_LABEL,
    Placement,
    content_stamp,
    label_of,
    placed,
    ranked,
    users_of,
)

HERE = Placement("matrix-run", "run")
NAMESPACE: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "matrix"}}


def config_map(text: str) -> Manifest:
    """A ConfigMap with one file."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "files", "namespace": "matrix"},
        "data": {"file": text},
    }


def workload(**spec: Any) -> Manifest:
    """A Deployment whose pods mount that ConfigMap."""
    volumes = [{"name": "files", "configMap": {"name": "files"}}]
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [], "volumes": volumes}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "matrix"},
        "spec": {"template": template, **spec},
    }


BINDING: Manifest = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "reader", "namespace": "matrix"},
    "subjects": [
        {"kind": "ServiceAccount", "name": "it", "namespace": "matrix"},
        {"kind": "Group", "name": "all"},
    ],
}


def test_everything_moves_to_the_runs_namespace() -> None:
    """The namespace itself, what is in it, and who is named by it."""
    namespace, files, binding = placed([NAMESPACE, config_map("a"), BINDING], HERE)
    assert namespace["metadata"]["name"] == "matrix-run"
    assert "namespace" not in namespace["metadata"]
    assert files["metadata"]["namespace"] == "matrix-run"
    assert [each.get("namespace") for each in binding["subjects"]] == ["matrix-run", None]


def test_everything_is_labelled_and_nothing_given_is_changed() -> None:
    """The labels of pods stay: selectors and policies are about them."""
    given = [NAMESPACE, workload()]
    before = copy.deepcopy(given)
    found = placed(given, HERE)
    assert [each["metadata"]["labels"][RUN_LABEL] for each in found] == ["run", "run"]
    assert found[1]["spec"]["template"]["metadata"]["labels"] == {"app": "web"}
    assert given == before


def test_pods_roll_with_what_they_mount() -> None:
    """Another text of a mounted file is another template; of another file it is not."""
    first, second = (placed([config_map(text), workload()], HERE)[1] for text in ("a", "b"))
    stamps = [each["spec"]["template"]["metadata"]["annotations"][CONTENT] for each in (first, second)]
    assert stamps[0] != stamps[1]
    other = config_map("a") | {"metadata": {"name": "other", "namespace": "matrix"}}
    assert content_stamp(workload(), [other]) == ""


def test_users_of_a_file_are_known() -> None:
    """Who mounts it."""
    assert users_of([Ref("ConfigMap", "files")], [config_map("a"), workload()]) == (Ref("Deployment", "web"),)
    assert users_of([Ref("Secret", "files")], [config_map("a"), workload()]) == ()


def test_what_others_stand_on_is_sent_first() -> None:
    """Namespaces, then files, then workloads, whatever the order they are given in."""
    groups = ranked([workload(), config_map("a"), NAMESPACE])
    assert [[each["kind"] for each in group] for group in groups] == [
        ["Namespace"],
        ["ConfigMap"],
        ["Deployment"],
    ]


def test_names_are_labels_of_dns() -> None:
    """Whatever they are made of; two long ones that differ at the end still differ."""
    assert label_of("matrix", "20261126T120000Z-ab12cd") == "matrix-20261126t120000z-ab12cd"
    long = [label_of("a" * 70, end) for end in ("x", "y")]
    assert len(set(long)) == 2
    assert all(len(name) == 63 for name in long)
