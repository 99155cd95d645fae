"""What the time line says of two looks at a pod."""

from __future__ import annotations

import pytest

from fixtures.rendering.objects import Manifest
from fixtures.targets.kubernetes.following import Life
from fixtures.targets.kubernetes.observing import happened, lives_of
from tests.targets.kubernetes.objects import container, pod

FIRST, SECOND = "containerd://1", "containerd://2"
RUNNING = {"running": {"startedAt": "2026-11-26T12:00:00Z"}}


def with_containers(*containers: dict[str, object], initial: bool = False) -> Manifest:
    """A pod with these container statuses."""
    kind = "initContainerStatuses" if initial else "containerStatuses"
    return pod("web-0", told={"containerStatuses": [], kind: list(containers)})


NOTHING = with_containers(container())
STARTED = with_containers(container(containerID=FIRST, state=RUNNING))
READY = with_containers(container(containerID=FIRST, state=RUNNING, ready=True))

CASES = {
    "a container starts": (NOTHING, STARTED, [("web-0/server", "starts")]),
    "nothing happens": (READY, READY, []),
    "it becomes ready": (STARTED, READY, [("web-0/server", "ready")]),
    "it is not ready any more": (READY, STARTED, [("web-0/server", "not ready")]),
    "it ends and starts again": (
        READY,
        with_containers(
            container(
                containerID=SECOND, restartCount=1, state=RUNNING, lastState={"terminated": {"exitCode": 137}}
            )
        ),
        [
            ("web-0/server", "exited with 137, starts again"),
            ("web-0/server", "starts"),
            ("web-0/server", "not ready"),
        ],
    ),
    "an init container is done": (
        with_containers(container(containerID=FIRST, state=RUNNING), initial=True),
        with_containers(container(containerID=FIRST, state={"terminated": {"exitCode": 0}}), initial=True),
        [("web-0/server", "done")],
    ),
    "an image cannot be pulled": (
        NOTHING,
        with_containers(container(state={"waiting": {"reason": "ErrImagePull"}})),
        [("web-0/server", "waits: ErrImagePull")],
    ),
    "a container is being made, which is no news": (
        NOTHING,
        with_containers(container(state={"waiting": {"reason": "ContainerCreating"}})),
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_happened(case: str) -> None:
    """Two looks, and the events between them."""
    before, after, events = CASES[case]
    assert list(happened(before, after)) == events


def test_a_new_pod_is_told_with_its_node() -> None:
    """Somebody looks for the first time."""
    assert list(happened(None, NOTHING)) == [("web-0", "is made"), ("web-0", "placed on node")]


def test_the_end_of_a_pod_is_told_once() -> None:
    """A pod that is being deleted still is at the next look."""
    leaving = READY | {"metadata": READY["metadata"] | {"deletionTimestamp": "2026-11-26T12:00:00Z"}}
    assert list(happened(READY, leaving)) == [("web-0", "is being deleted")]
    assert not list(happened(leaving, leaving))


def test_a_life_is_a_container_that_has_started() -> None:
    """One that waits has written nothing."""
    both = with_containers(container(containerID=FIRST, restartCount=3), container("sidecar"))
    assert list(lives_of(both)) == [Life("web-0", "server", FIRST, 3)]
