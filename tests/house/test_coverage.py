"""Nothing that is shipped goes without a promise: each part of the manifests is named by some requirement."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from fixtures.rendering.coverage import Inventory, coverage, void
from fixtures.rendering.kustomize import render
from fixtures.rendering.routes import load_routes
from fixtures.rendering.secrets import load_declarations
from fixtures.rendering.sizes import OVERLAYS
from reports.catalogue import load_catalogue

SUITES = Path(__file__).parents[2] / "suites"
CONFIG_MAP = {"kind": "ConfigMap", "metadata": {"name": "c-2456789bcd"}, "data": {"a": "1", "b": "2"}}
SERVICE = {"kind": "Service", "metadata": {"name": "s"}}
SMALL = Inventory.of([[CONFIG_MAP, SERVICE]], load_routes(), others=["Secret/x"])


@pytest.fixture(scope="module")
def covers() -> dict[str, tuple[str, ...]]:
    """What each requirement says that it is about."""
    catalogue = load_catalogue(SUITES, datetime.now(UTC).date())
    return {name: requirement.covers for name, requirement in catalogue.requirements.items()}


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    """Everything in the overlays, the routes, and the Secrets that are declared."""
    overlays = [render(folder) for folder in sorted(OVERLAYS.iterdir())]
    declared = [f"Secret/{name}" for name in load_declarations().keys()]  # noqa: SIM118 - no mapping
    return Inventory.of(overlays, load_routes(), declared)


def test_everything_is_covered(inventory: Inventory, covers: dict[str, tuple[str, ...]]) -> None:
    bare = [subject for subject, requirements in coverage(inventory, covers).items() if not requirements]
    assert not bare, "no requirement is about these; name them in its `covers`, or write one:\n" + "\n".join(
        bare
    )


def test_every_entry_names_something(inventory: Inventory, covers: dict[str, tuple[str, ...]]) -> None:
    faults = void(inventory, covers)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("entry", "meant"),
    [
        ("Service/s", {"Service/s"}),
        ("ConfigMap/c", {"ConfigMap/c/a", "ConfigMap/c/b"}),
        ("ConfigMap/c/a", {"ConfigMap/c/a"}),
        ("Secret/x", set()),
        ("route/sync", {"route/sync"}),
        ("manifests/secrets.yaml", set()),
        ("Service/t", None),
        ("ConfigMap/c/z", None),
        ("route/nowhere", None),
        ("manifests/nowhere", None),
        ("nothing", None),
    ],
)
def test_an_entry_is_a_name_or_a_path(entry: str, meant: set[str] | None) -> None:
    assert SMALL.meant(entry) == meant


def test_the_table_of_routes_is_all_routes() -> None:
    found = SMALL.meant("manifests/main-instance/03-haproxy/routes.yaml")
    assert found == frozenset(f"route/{route.name}" for route in load_routes().routes)


def test_a_folder_is_what_is_written_below_it(inventory: Inventory) -> None:
    found = inventory.meant("manifests/infrastructure/02-redis/server") or frozenset()
    assert {"StatefulSet/redis", "Service/redis-peers", "ConfigMap/redis-conf.d/10-base.conf"} <= found
    assert "StatefulSet/postgresql" not in found


def test_what_is_not_covered_and_what_names_nothing_is_told() -> None:
    told = coverage(SMALL, {"A-001": ["Service/s", "ConfigMap/c/a"], "A-002": ["Service/s"]})
    assert (told["Service/s"], told["ConfigMap/c/a"], told["ConfigMap/c/b"]) == (
        ("A-001", "A-002"),
        ("A-001",),
        (),
    )
    assert void(SMALL, {"A-001": ["Service/s", "Service/t"]}) == (
        "A-001 covers Service/t: there is no such object, file or route; correct or remove it",
    )
