"""What the rendered manifests hold."""

import pytest

from fixtures.deployment.containers import PlacedContainer, placed_containers
from fixtures.rendering.objects import Manifest


@pytest.fixture(scope="session")
def every_container(objects: tuple[Manifest, ...]) -> tuple[PlacedContainer, ...]:
    """All containers of the overlay; there are some."""
    found = tuple(placed_containers(objects))
    assert found, "the overlay renders no container: there is nothing to judge"
    return found
