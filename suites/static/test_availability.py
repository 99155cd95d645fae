"""That pods can be moved, replaced and multiplied."""

from collections.abc import Iterator

import pytest

from fixtures.plugins.judging import Judge
from fixtures.rendering.findings import Finding, Objects
from fixtures.rendering.objects import Ref, of_kind, pod_template_of, workloads
from fixtures.rendering.rules.availability import blocked_drains, idle_autoscalers, stuck_rollouts


@pytest.mark.requirement("STA-021")
def test_a_drain_takes_one_pod_after_the_other(judge: Judge) -> None:
    """Precondition: the overlays are rendered. Each budget is about one workload and lets a pod of it go.

    Each workload that has several pods, also when its autoscaler has as few as it may, has a budget.
    """
    judge(blocked_drains)


@pytest.mark.requirement("STA-021")
def test_pods_that_are_not_ready_hold_up_no_drain(ours: None, judge: Judge) -> None:
    """Precondition: our overlays are rendered. Each budget lets pods go that serve nobody anyway."""

    def patient(objects: Objects) -> Iterator[Finding]:
        for budget in of_kind(objects, "PodDisruptionBudget"):
            policy = budget["spec"].get("unhealthyPodEvictionPolicy")
            if policy != "AlwaysAllow":
                fault = f"is {policy!r}: a pod that never gets ready blocks the drain of its node"
                yield Finding(Ref.of(budget), "spec.unhealthyPodEvictionPolicy", fault, "write AlwaysAllow")

    judge(patient)


@pytest.mark.requirement("STA-022")
def test_a_rollout_ends_and_leaves_somebody_serving(judge: Judge) -> None:
    """Precondition: the overlays are rendered. One pod can always be replaced, never all at once, and ends in peace."""
    judge(stuck_rollouts)


@pytest.mark.requirement("STA-022")
def test_pods_are_spread_but_never_refuse_to_run_for_it(ours: None, judge: Judge) -> None:
    """Precondition: our overlays are rendered. Spreading is a wish, and each has a priority that is there."""

    def refusing(objects: Objects) -> Iterator[Finding]:
        priorities = {Ref.of(each).name for each in of_kind(objects, "PriorityClass")}
        for workload in workloads(objects):
            spec = pod_template_of(workload)["spec"]
            at = "spec.template.spec"
            for index, term in enumerate(spec.get("topologySpreadConstraints") or ()):
                if term["whenUnsatisfiable"] != "ScheduleAnyway":
                    field = f"{at}.topologySpreadConstraints[{index}].whenUnsatisfiable"
                    fault = f"is {term['whenUnsatisfiable']}: on a small cluster pods stay pending"
                    yield Finding(Ref.of(workload), field, fault, "write ScheduleAnyway")
            name = spec.get("priorityClassName")
            if name is not None and name not in priorities:
                fault = f"names {name!r}, and there is no such PriorityClass"
                yield Finding(Ref.of(workload), f"{at}.priorityClassName", fault, "correct the name")

    judge(refusing)


@pytest.mark.requirement("STA-025")
def test_autoscalers_can_scale(judge: Judge) -> None:
    """Precondition: the overlays are rendered. Each has a target, room to scale, and requests to measure by."""
    judge(idle_autoscalers)
