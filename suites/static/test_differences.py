"""That what is tested is what ships: overlays differ from production in declared things only."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from fixtures.plugins.judging import Tell
from fixtures.plugins.manifests import OVERLAYS, PRODUCTION
from fixtures.rendering.findings import Finding, Objects
from fixtures.rendering.rules.bounds import Bounds, beyond, load_bounds, unused
from reports.model import NotRun, NotRunKind


@pytest.fixture(scope="module")
def bounds() -> Bounds:
    """In what overlays may differ from production."""
    return load_bounds(Path(__file__).with_name("differences.yaml"))


@pytest.fixture
def others(ours: None, overlays: Mapping[str, Objects]) -> dict[str, Objects]:
    """Every overlay but production; not run where there is no production to compare with."""
    if PRODUCTION.name not in overlays:
        raise NotRun(
            NotRunKind.NOT_JUDGED,
            "the overlay is not of this repository: there is nothing to compare it with",
        )
    return {name: objects for name, objects in overlays.items() if name != PRODUCTION.name}


@pytest.mark.requirement("STA-018")
def test_overlays_differ_from_production_as_declared(
    bounds: Bounds, overlays: Mapping[str, Objects], others: Mapping[str, Objects], tell: Tell
) -> None:
    """Precondition: overlays are rendered. Each is compared with production, field by field, file by file."""
    found: dict[Finding, tuple[str, ...]] = {}
    for name, objects in others.items():
        for finding in beyond(bounds, name, overlays[PRODUCTION.name], objects):
            found[finding] = (*found.get(finding, ()), name)
    tell(found)


@pytest.mark.requirement("STA-018")
def test_nothing_is_declared_that_no_overlay_needs(
    bounds: Bounds, overlays: Mapping[str, Objects], others: dict[str, Objects]
) -> None:
    """Precondition: as before, every overlay of the repository. Each entry of the list covers a difference."""
    if missing := {file.parent.name for file in OVERLAYS.glob("*/kustomization.yaml")} - overlays.keys():
        names = ", ".join(sorted(missing))
        raise NotRun(NotRunKind.NOT_JUDGED, f"what {names} needs is not known: it is not judged in this run")
    needless = unused(bounds, overlays[PRODUCTION.name], others)
    assert not needless, f"differences.yaml: no overlay needs these: {'; '.join(needless)}; take them out"
