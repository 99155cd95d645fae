"""The shipped overlay, rendered once."""

from pathlib import Path

import pytest

from fixtures.rendering.kustomize import render
from fixtures.rendering.objects import Manifest

LOCAL = Path(__file__).parents[2] / "manifests" / "overlays" / "local"


@pytest.fixture(scope="session")
def local_objects() -> tuple[Manifest, ...]:
    """The objects of the overlay `local`."""
    return render(LOCAL)
