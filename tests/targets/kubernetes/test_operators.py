"""Which operators a cluster of our own gets for an overlay, and when there is nothing to see of them."""

import pytest

from fixtures.deployment.interface import Absent, DeploymentError
from fixtures.rendering.catalogue import MANIFESTS
from fixtures.rendering.kustomize import render
from fixtures.rendering.objects import of_kind
from fixtures.targets.kubernetes.capabilities import without_operators
from fixtures.targets.kubernetes.operators import operators_for

OVERLAYS = MANIFESTS / "overlays"


def test_an_overlay_without_their_objects_gets_none_and_shows_nothing_of_them() -> None:
    objects = render(OVERLAYS / "ephemeral")
    assert operators_for(objects) == ()
    assert without_operators(objects) == Absent(
        "the overlay has no Cluster: deploy one with its operators, such as staging"
    )


def test_what_cannot_be_had_is_said_before_there_is_a_cluster() -> None:
    with pytest.raises(DeploymentError, match=r"^objects of barmancloud\.cnpg\.io cannot be served here: "):
        operators_for(render(OVERLAYS / "production"))


def test_the_rehearsal_of_production_shows_all_of_them() -> None:
    assert without_operators(render(OVERLAYS / "staging")) is None


@pytest.mark.parametrize("kind", ["Cluster", "Certificate", "HorizontalPodAutoscaler"])
def test_the_kind_that_lacks_is_named(kind: str) -> None:
    staging = render(OVERLAYS / "staging")
    lacking = [each for each in staging if each not in of_kind(staging, kind)]
    assert without_operators(lacking) == Absent(
        f"the overlay has no {kind}: deploy one with its operators, such as staging"
    )
