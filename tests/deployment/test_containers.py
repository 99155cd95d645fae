"""What holds for a container, from itself or from its pod."""

from typing import Any

from fixtures.deployment.containers import placed_containers
from fixtures.rendering.objects import Manifest


def workload(kind: str, spec: dict[str, Any]) -> Manifest:
    return {"kind": kind, "metadata": {"name": "w"}, "spec": {"template": {"spec": spec}}}


def test_a_container_has_what_it_leaves_out_from_its_pod() -> None:
    context = {"runAsUser": 1, "runAsNonRoot": True}
    own = {"name": "b", "securityContext": {"runAsUser": 0}}
    (inherits, overrides) = placed_containers(
        [workload("Deployment", {"securityContext": context, "containers": [{"name": "a"}, own]})]
    )
    assert (inherits.security("runAsUser"), overrides.security("runAsUser")) == (1, 0)
    assert overrides.security("runAsNonRoot") is True


def test_what_serves_is_known_from_what_ends() -> None:
    spec = {
        "initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}],
        "containers": [{"name": "c"}],
    }
    found = [*placed_containers([workload("StatefulSet", spec), workload("Job", spec)])]
    assert [each.long_running for each in found] == [False, True, True, False, True, False]


def test_bare_pods_count_and_other_objects_do_not() -> None:
    pod = {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]}}
    service = {"kind": "Service", "metadata": {"name": "s"}, "spec": {}}
    assert [str(each) for each in placed_containers([service, pod])] == ["Pod/p containers[0] 'c'"]
