"""What may be changed by its role."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from fixtures.deployment.changeable import Changeable
from fixtures.deployment.interface import DeploymentError, Pod
from fixtures.deployment.roles import Role
from fixtures.rendering.objects import Manifest, Ref, workloads
from fixtures.rendering.replicas import fewest


class Kept(Changeable):
    """Becomes what it is told at once."""

    def __init__(self, *objects: Manifest) -> None:
        self.objects = objects

    async def become(self, objects: Sequence[Manifest]) -> None:
        self.objects = tuple(objects)

    async def pods(self, role: Role) -> Sequence[Pod]:
        """As many of each workload as it or its autoscaler says."""
        return [
            Pod(f"{ref.name}-{number}", ref, role, address="192.0.2.1", ready=True, containers=("redis",))
            for ref, workload in ((Ref.of(each), each) for each in workloads(self.objects))
            for number in range(fewest(workload, self.objects))
        ]

    async def settled(self, *, within: float) -> None:
        """It always is."""


def redis(name: str) -> Manifest:
    spec: dict[str, Any] = {"containers": [{"name": "redis", "image": "redis:8"}]}
    return {
        "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": {"replicas": 2, "template": {"spec": spec}},
    }


def autoscaler(of: str) -> Manifest:
    spec = {"scaleTargetRef": {"kind": "StatefulSet", "name": of}, "minReplicas": 2, "maxReplicas": 8}
    return {"kind": "HorizontalPodAutoscaler", "metadata": {"name": of}, "spec": spec}


async def test_the_one_that_plays_the_role_is_scaled_and_back() -> None:
    before = (redis("a"), autoscaler("b"))
    deployment = Kept(*before)
    async with deployment.scaled(Role.REDIS, 0):
        assert deployment.objects[0]["spec"]["replicas"] == 0
        assert deployment.objects[1] == before[1]
    assert deployment.objects == before


async def test_an_autoscaler_is_told_instead_of_its_workload() -> None:
    """What the workload says would be taken back; on a cluster it is the autoscaler's field, and refused."""
    before = (autoscaler("a"), redis("a"))
    deployment = Kept(*before)
    async with deployment.scaled(Role.REDIS, 5):
        bounds = deployment.objects[0]["spec"]
        assert (bounds["minReplicas"], bounds["maxReplicas"]) == (5, 5)
        assert deployment.objects[1] == before[1]
    assert deployment.objects == before


async def test_an_autoscaler_keeps_one_pod() -> None:
    with pytest.raises(
        DeploymentError, match="HorizontalPodAutoscaler/a keeps at least one pod; take it out"
    ):
        async with Kept(redis("a"), autoscaler("a")).scaled(Role.REDIS, 0):
            pytest.fail("it was taken")


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        ((), "no workload of the deployment plays the role redis"),
        (
            (redis("a"), redis("b")),
            "several workloads play the role redis, and one is changed at a time: StatefulSet/a, StatefulSet/b",
        ),
    ],
    ids=["nobody", "two"],
)
async def test_whoever_else_plays_the_role_is_not_changed_by_chance(
    objects: tuple[Manifest, ...], said: str
) -> None:
    with pytest.raises(DeploymentError, match=said):
        async with Kept(*objects).scaled(Role.REDIS, 0):
            pytest.fail("it was taken")
