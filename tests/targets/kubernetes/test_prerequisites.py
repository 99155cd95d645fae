"""What an overlay needs of a cluster, and what is applied for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.plugins.manifests import OPTIONAL, as_shipped
from fixtures.rendering.catalogue import lookup
from fixtures.rendering.kustomize import render
from fixtures.rendering.objects import (
    RenderingError,
    containers,
    group_of,
    of_kind,
    pod_template_of,
    workloads,
)
from fixtures.targets.kubernetes.prerequisites import KNOWN, adapted, needed, prerequisites
from reports.documents import load_yaml
from tests.targets.kubernetes.composed import images_of
from tests.targets.kubernetes.on_node import need_programs

OVERLAYS = Path(__file__).parents[3] / "manifests" / "overlays"
VALUES = OVERLAYS.parent / "values"
OPERATORS = sorted(name for name, known in KNOWN.items() if known.operator)


def test_the_small_overlay_needs_nothing() -> None:
    assert needed(render(OVERLAYS / "ephemeral")).names == ()


def test_production_needs_its_operators_and_what_cannot_be_had_is_named() -> None:
    found = needed(render(OVERLAYS / "production"))
    assert found.names == ("cloudnative-pg", "prometheus-operator")
    assert list(found.missing) == ["barmancloud.cnpg.io"]


def test_every_optional_component_is_known_too() -> None:
    names = {name for overlay in OPTIONAL for name in needed(as_shipped(overlay)).names}
    assert names == set(KNOWN)


def test_a_group_that_nobody_knows_is_missing() -> None:
    found = needed([{"apiVersion": "example.com/v1", "kind": "Thing"}])
    assert found.missing == {"example.com": "no prerequisite here brings it"}


def test_an_unknown_prerequisite_is_refused() -> None:
    with pytest.raises(RenderingError, match="'istio' is not known; use cert-manager, cloudnative-pg"):
        prerequisites(["istio"])


def test_images_that_are_there_already_are_taken() -> None:
    pod = {"spec": {"containers": [{"name": "a", "image": "i", "imagePullPolicy": "Always"}]}}
    given = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {"template": pod},
    }
    changed = adapted(given)
    assert pod_template_of(changed)["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert pod["spec"]["containers"][0]["imagePullPolicy"] == "Always"


def test_definitions_come_alone_where_no_operator_is_needed() -> None:
    found = prerequisites(["gateway-api", "prometheus-operator"])
    assert {manifest["kind"] for manifest in found} == {"CustomResourceDefinition"}
    assert {manifest["spec"]["group"] for manifest in found} == {
        "gateway.networking.k8s.io",
        "monitoring.coreos.com",
    }


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_comes_whole_and_in_the_order_of_application(name: str) -> None:
    """Together with others: namespace, definitions of all, the rest, webhooks last.

    Its images are in the catalogue, and are not pulled anew.
    """
    need_programs()  # a chart is rendered by a Helm that takes minutes to build
    found = prerequisites([name, "prometheus-operator"])
    kinds = [manifest["kind"] for manifest in found]
    assert kinds[0] == "Namespace"
    definitions = [index for index, kind in enumerate(kinds) if kind == "CustomResourceDefinition"]
    assert definitions == list(range(1, len(definitions) + 1))
    assert kinds[-1] == "ValidatingWebhookConfiguration"
    assert KNOWN[name].group in {found[index]["spec"]["group"] for index in definitions}
    assert not [manifest for manifest in found if group_of(manifest) == KNOWN[name].group]
    for image in images_of(found):
        assert lookup(image).layout is not None, image
    for workload in workloads(found):
        for _, container in containers(pod_template_of(workload)["spec"]):
            assert container["imagePullPolicy"] == "IfNotPresent"


def test_cert_manager_is_installed_as_an_operator_would() -> None:
    """With the values that are shipped, but one pod of each: memory, priority, and what the webhook may ask."""
    need_programs()
    found = prerequisites(["cert-manager"])
    values = load_yaml(VALUES / "cert-manager.yaml")
    programs = {
        "cert-manager": values,
        **{f"cert-manager-{name}": values[name] for name in ("webhook", "cainjector")},
    }
    deployments = {each["metadata"]["name"]: each["spec"] for each in of_kind(found, "Deployment")}
    assert deployments.keys() == programs.keys()
    for name, asked in programs.items():
        spec = deployments[name]["template"]["spec"]
        assert deployments[name]["replicas"] == 1
        assert spec["containers"][0]["resources"] == asked["resources"], name
        assert spec["priorityClassName"] == values["global"]["priorityClassName"]
        assert spec.get("topologySpreadConstraints") == asked.get("topologySpreadConstraints"), name
    [egress] = [
        each["spec"] for each in of_kind(found, "NetworkPolicy") if each["spec"]["policyTypes"] == ["Egress"]
    ]
    assert egress["egress"] == values["webhook"]["networkPolicy"]["egress"]
