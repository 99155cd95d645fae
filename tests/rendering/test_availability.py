"""Pods can be moved: budgets never block a drain for ever, spreading never blocks a rollout."""

from pathlib import Path

import pytest

from fixtures.rendering.kustomize import render
from fixtures.rendering.objects import Manifest, Ref, labels_of, of_kind, pod_template_of, workloads
from fixtures.rendering.policies import label_selector_matches

COMPONENTS = Path(__file__).parents[2] / "manifests" / "components"
MINE = {"synapse", "haproxy", "element-web"}

Objects = tuple[Manifest, ...]


def test_a_budget_leaves_a_pod_to_go(every_workload: Objects) -> None:
    budgets = list(of_kind(every_workload, "PodDisruptionBudget"))
    assert len(budgets) >= 8
    for budget in budgets:
        spec = budget["spec"]
        (workload,) = (
            each
            for each in workloads(every_workload)
            if label_selector_matches(spec["selector"], labels_of(pod_template_of(each)))
        )
        replicas = workload["spec"].get("replicas", 1)
        assert spec.get("maxUnavailable", 0) >= 1 or spec["minAvailable"] < replicas, Ref.of(budget)
        assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow", Ref.of(budget)


def test_only_the_main_process_has_no_budget(every_workload: Objects) -> None:
    selectors = [each["spec"]["selector"] for each in of_kind(every_workload, "PodDisruptionBudget")]
    without = {
        Ref.of(each).name
        for each in workloads(every_workload)
        if labels_of(each)["app.kubernetes.io/name"] in MINE
        and not any(label_selector_matches(one, labels_of(pod_template_of(each))) for one in selectors)
    }
    assert without == {"synapse-main"}


def test_spreading_is_a_wish_about_the_pods_themselves(every_workload: Objects) -> None:
    for workload in workloads(every_workload):
        template = pod_template_of(workload)
        for constraint in template["spec"].get("topologySpreadConstraints", ()):
            assert constraint["whenUnsatisfiable"] == "ScheduleAnyway", Ref.of(workload)
            assert constraint["labelSelector"]["matchLabels"] == labels_of(template), Ref.of(workload)
        if labels_of(workload)["app.kubernetes.io/name"] in MINE:
            assert "required" not in str(template["spec"].get("affinity", {})), Ref.of(workload)


def test_the_grace_is_longer_than_the_hook(every_workload: Objects) -> None:
    for workload in workloads(every_workload):
        spec = pod_template_of(workload)["spec"]
        if labels_of(workload)["app.kubernetes.io/name"] in MINE:
            assert spec["priorityClassName"] in {
                each["metadata"]["name"] for each in of_kind(every_workload, "PriorityClass")
            }
            assert spec["terminationGracePeriodSeconds"] >= 30
            assert "preStop" in spec["containers"][0]["lifecycle"], Ref.of(workload)


@pytest.mark.parametrize("name", ["synchrotron", "generic-worker", "media-repository"])
def test_an_autoscaler_is_about_a_workload_whose_pods_nobody_names(
    every_workload: Objects, name: str
) -> None:
    scalers = {Ref.of(each).name: each for each in render(COMPONENTS / "autoscaling" / "autoscalers")}
    assert scalers.keys() == {"synchrotron", "generic-worker", "media-repository"}
    target = scalers[name]["spec"]["scaleTargetRef"]
    assert Ref(target["kind"], target["name"]) in {Ref.of(each) for each in workloads(every_workload)}
    assert scalers[name]["spec"]["minReplicas"] >= 1
