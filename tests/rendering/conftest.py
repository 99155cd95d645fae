"""The shipped overlay, rendered once, and everything that the repository has in one."""

import os
from pathlib import Path

import pytest
import yaml

from fixtures.rendering.kustomize import render
from fixtures.rendering.laying_out import lay_out
from fixtures.rendering.objects import Manifest
from fixtures.rendering.overlay import front_hosts
from fixtures.rendering.secrets import load_declarations, mint

MANIFESTS = Path(__file__).parents[2] / "manifests"
LOCAL = MANIFESTS / "overlays" / "local"


@pytest.fixture(scope="session")
def local_objects() -> tuple[Manifest, ...]:
    """The objects of the overlay `local`."""
    return render(LOCAL)


def everything(folder: Path, *, object_storage: str) -> tuple[Manifest, ...]:
    """Every base together with what is optional: more than any overlay has, but for one of two object stores."""
    bases = [
        MANIFESTS / "namespace",
        MANIFESTS / "config" / "synapse",
        MANIFESTS / "infrastructure" / "02-redis",
        MANIFESTS / "infrastructure" / "04-networking",
        *sorted((MANIFESTS / "main-instance").iterdir()),
    ]
    components = [MANIFESTS / "components" / name for name in ("plain-postgresql", "stream-writers")]
    (components if "components" in object_storage else bases).append(MANIFESTS / object_storage)
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "matrix",
        "resources": [
            os.path.relpath(path, folder) for path in bases if (path / "kustomization.yaml").is_file()
        ],
        "components": [os.path.relpath(path, folder) for path in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return render(folder)


@pytest.fixture(
    scope="session", params=["infrastructure/03-object-storage", "components/single-object-storage"]
)
def every_workload(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Manifest, ...]:
    """Everything, once with each object store."""
    return everything(tmp_path_factory.mktemp("everything"), object_storage=request.param)


@pytest.fixture(scope="session")
def laid_out(local_objects: tuple[Manifest, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every ConfigMap and Secret as a folder, paths inside the files bent to where they lie now."""
    secrets = mint(load_declarations(), hosts=front_hosts(local_objects))
    return lay_out(local_objects, secrets, tmp_path_factory.mktemp("pod"))
