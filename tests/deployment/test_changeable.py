"""What may be changed by its role."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from fixtures.deployment.changeable import Changeable
from fixtures.deployment.interface import DeploymentError
from fixtures.deployment.roles import Role
from fixtures.rendering.objects import Manifest


class Kept(Changeable):
    """Becomes what it is told at once."""

    def __init__(self, *objects: Manifest) -> None:
        self.objects = objects

    async def become(self, objects: Sequence[Manifest]) -> None:
        self.objects = tuple(objects)

    async def settled(self, *, within: float) -> None:
        """It always is."""


def redis(name: str) -> Manifest:
    spec: dict[str, Any] = {"containers": [{"name": "redis", "image": "redis:8"}]}
    return {
        "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": {"replicas": 2, "template": {"spec": spec}},
    }


async def test_the_one_that_plays_the_role_is_scaled() -> None:
    deployment = Kept(redis("a"))
    await deployment.scale(Role.REDIS, 0)
    assert deployment.objects[0]["spec"]["replicas"] == 0


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
        await Kept(*objects).scale(Role.REDIS, 0)
