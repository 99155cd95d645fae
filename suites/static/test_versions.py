"""That nothing runs which is known to be broken, and that a name stands for one program."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fixtures.plugins.evidence import Evidence
from fixtures.plugins.judging import Judge
from fixtures.plugins.manifests import MANIFESTS
from fixtures.rendering.catalogue import catalogue
from fixtures.rendering.rules.advisories import advisories, floating, unreviewed, vulnerable
from fixtures.rendering.rules.containerfiles import floating_bases
from reports.documents import shown


@pytest.mark.requirement("STA-015")
def test_no_image_has_a_known_vulnerability(judge_all: Judge, evidence: Evidence) -> None:
    """Precondition: overlays are rendered. Each image is above the floors of its program, on a maintained branch."""
    known, today = advisories(), datetime.now(UTC).date()
    evidence("reviewed", {each.repositories[0]: each.reviewed.isoformat() for each in known.programs})
    judge_all(lambda objects: vulnerable(objects, known, today))


@pytest.mark.requirement("STA-015")
def test_the_advisories_of_every_image_were_looked_up(ours: None, judge_all: Judge) -> None:
    """Precondition: overlays are rendered. Each image is in advisories.yaml. Of somebody else's nothing is known."""
    judge_all(lambda objects: unreviewed(objects, advisories()))


@pytest.mark.requirement("STA-015")
def test_every_image_of_the_catalogue_was_looked_up(ours: None) -> None:
    """Each image of the catalogue is in advisories.yaml, which has no other, and its tag stands for one release."""
    known, listed = advisories().by_repository, {each.repository: each.tag for each in catalogue().images}
    assert listed.keys() == known.keys(), (
        "images/catalogue.yaml and images/advisories.yaml must name the same"
    )
    unreadable = [f"{name}:{tag}" for name, tag in listed.items() if known[name].release(tag) is None]
    assert not unreadable, f"no release can be read from these tags: {', '.join(unreadable)}"


@pytest.mark.requirement("STA-016")
def test_images_are_named_by_one_release(judge_all: Judge) -> None:
    """Precondition: overlays are rendered. No image is called latest, or by a branch, or has neither tag nor digest."""
    judge_all(lambda objects: floating(objects, advisories()))


@pytest.mark.requirement("STA-048")
def test_what_we_build_on_has_a_digest(source_text: Callable[[Path], str], evidence: Evidence) -> None:
    """Every Containerfile: a base has its digest there, or whoever builds says it; a build without one ends."""
    files = sorted((MANIFESTS / "images").rglob("Containerfile"))
    evidence("files", [shown(file) for file in files])
    faults = [f"{shown(file)}: {fault}" for file in files for fault in floating_bases(source_text(file))]
    assert files
    assert not faults, "\n".join(faults)
