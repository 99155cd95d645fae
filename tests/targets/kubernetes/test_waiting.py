"""When a deployment is settled, read off the cluster's objects."""

from __future__ import annotations

import pytest

from fixtures.rendering.objects import Ref
from fixtures.targets.kubernetes.status import State, Status
from fixtures.targets.kubernetes.waiting import Failing, owner_of, unsettled
from tests.targets.kubernetes.objects import pod, stateful_set

REDIS = ("StatefulSet", "redis")
THERE = {Ref(*REDIS): stateful_set("redis", 2)}
PODS = [pod("redis-0", owner=REDIS), pod("redis-1", owner=REDIS)]


def test_it_is_settled_when_every_pod_is_there_and_ready() -> None:
    """A StatefulSet of two, two ready pods."""
    assert not unsettled(THERE.values(), THERE, PODS)


def test_an_object_that_nobody_has_made_is_waited_for() -> None:
    """Applied, and the list does not have it yet."""
    (ref, status), *_ = unsettled(THERE.values(), {}, []).items()
    assert (ref, status.reason) == (Ref(*REDIS), "is not there yet")


def test_a_status_of_before_does_not_count() -> None:
    """A pod was deleted; the StatefulSet's own status has not heard of it."""
    found = unsettled(THERE.values(), THERE, PODS[:1])
    assert found[Ref(*REDIS)].reason == "has 1 of 2 pods"


def test_a_pod_that_is_not_ready_is_named() -> None:
    """The StatefulSet has not heard of this either."""
    found = unsettled(THERE.values(), THERE, [PODS[0], pod("redis-1", owner=REDIS, ready=False)])
    assert list(found) == [Ref("Pod", "redis-1")]
    assert found[Ref("Pod", "redis-1")].state is State.IN_PROGRESS


def test_a_pod_that_leaves_is_no_pod() -> None:
    """Being deleted, or evicted and not swept up."""
    leaving = pod("redis-2", owner=REDIS, ready=False, deletionTimestamp="2026-11-26T12:00:00Z")
    evicted = pod("redis-3", owner=REDIS, told={"phase": "Failed", "reason": "Evicted"})
    assert not unsettled(THERE.values(), THERE, [*PODS, leaving, evicted])


def test_somebody_elses_pod_has_no_say() -> None:
    """A Job of a test that is under way beside the deployment."""
    other = pod("errand", owner=("Job", "errand"), ready=False)
    assert not unsettled(THERE.values(), THERE, [*PODS, other])


def test_the_owner_of_a_deployments_pod_is_the_deployment() -> None:
    """What owns the pod is a ReplicaSet, whose name ends in the hash that the pod is labelled with."""
    made = pod("haproxy-5d8-x", owner=("ReplicaSet", "haproxy-5d8"), labels={"pod-template-hash": "5d8"})
    assert owner_of(made) == Ref("Deployment", "haproxy")
    assert owner_of(pod("alone")) == Ref("Pod", "alone")
    assert owner_of(pod("db-1", owner=("Cluster", "postgresql"))) == Ref("Cluster", "postgresql")


REDIS_0 = Ref("Pod", "redis-0")
CRASHES = Status(State.FAILED, "ends again and again")
PULLED = Status(State.FAILED, "ErrImagePull", mends_within=20.0)
NEVER = Status(State.FAILED, "InvalidImageName", mends_within=0.0)


@pytest.mark.parametrize(
    ("status", "patience", "given_up_after"),
    [
        (CRASHES, 150.0, 150.4),
        (PULLED, 150.0, 20.4),
        (PULLED, 10.0, 10.4),
        (NEVER, 150.0, 0.4),
        (NEVER, None, None),
        (Status(State.IN_PROGRESS, "is Pending"), 150.0, None),
    ],
)
def test_what_has_failed_is_given_up(
    status: Status, patience: float | None, given_up_after: float | None
) -> None:
    """After the patience of the deployment; an image earlier, since nothing that is being made brings it."""
    failing, looks = Failing(patience), [round(0.4 * number, 1) for number in range(500)]
    assert next((now for now in looks if failing.hopeless({REDIS_0: status}, now)), None) == given_up_after


def test_what_recovers_begins_anew() -> None:
    """A pull that went through in between."""
    failing = Failing(20.0)
    assert failing.hopeless({REDIS_0: PULLED}, 0.0) is None
    assert failing.hopeless({}, 19.0) is None
    assert failing.hopeless({REDIS_0: PULLED}, 30.0) is None
    assert failing.hopeless({REDIS_0: PULLED}, 51.0) == REDIS_0
