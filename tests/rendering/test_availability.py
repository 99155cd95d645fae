"""What our own pods have so that they can be moved; budgets and rollouts themselves are judged in `suites/static`."""

from fixtures.rendering.objects import Manifest, Ref, labels_of, of_kind, pod_template_of, workloads
from fixtures.rendering.policies import label_selector_matches

MINE = {"synapse", "haproxy", "element-web"}

Objects = tuple[Manifest, ...]


def test_only_the_main_process_has_no_budget(every_workload: Objects) -> None:
    selectors = [each["spec"]["selector"] for each in of_kind(every_workload, "PodDisruptionBudget")]
    without = {
        Ref.of(each).name
        for each in workloads(every_workload)
        if labels_of(each)["app.kubernetes.io/name"] in MINE
        and not any(label_selector_matches(one, labels_of(pod_template_of(each))) for one in selectors)
    }
    assert without == {"synapse-main"}


def test_the_grace_is_longer_than_the_hook(every_workload: Objects) -> None:
    for workload in workloads(every_workload):
        spec = pod_template_of(workload)["spec"]
        if labels_of(workload)["app.kubernetes.io/name"] in MINE:
            assert spec["priorityClassName"] in {
                each["metadata"]["name"] for each in of_kind(every_workload, "PriorityClass")
            }
            assert spec["terminationGracePeriodSeconds"] >= 30
            assert "preStop" in spec["containers"][0]["lifecycle"], Ref.of(workload)
