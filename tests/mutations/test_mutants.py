"""The suites must be seen to go red: each mutant breaks the manifests, and the requirement for it must notice."""

from collections import Counter
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from fixtures.deployment.patch import PatchError
from fixtures.rendering.kustomize import render
from fixtures.rendering.objects import Manifest
from reports.catalogue import Catalogue, load_catalogue
from reports.documents import shown
from reports.model import MutantOutcome
from reports.record import RUN
from tests.mutations.killing import ROOT, SUITES, Breed, Finding, breeds, judge, run_all, run_suites

BREEDS = breeds()


@pytest.fixture(scope="module")
def shipped() -> tuple[Manifest, ...]:
    """The objects of the overlay `local`, unbroken."""
    return render(ROOT / "manifests" / "overlays" / "local")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The requirements."""
    return load_catalogue(SUITES, datetime.now(UTC).date())


def test_every_requirement_has_a_mutant(catalogue: Catalogue) -> None:
    guarded = {requirement for breed in BREEDS for requirement in breed.mutant.requirements}
    bare = [f"{each} ({catalogue.areas[each]})" for each in catalogue.requirements if each not in guarded]
    assert not bare, (
        f"never seen to turn red: {', '.join(bare)}; write a mutant in tests/mutations/<area>.yaml"
    )


def test_every_mutant_names_requirements_that_there_are(catalogue: Catalogue) -> None:
    unknown = [
        f"{shown(breed.file)}:{breed.line}: {breed.mutant.id} names {requirement}, which is not in the catalogue"
        for breed in BREEDS
        for requirement in breed.mutant.requirements
        if requirement not in catalogue.requirements
    ]
    assert not unknown, "\n".join(unknown)


def test_ids_of_mutants_are_unique() -> None:
    times = Counter(breed.mutant.id for breed in BREEDS)
    twice = [mutant for mutant, count in times.items() if count > 1]
    assert not twice, f"used more than once: {', '.join(twice)}"


def test_every_file_is_named_after_an_area() -> None:
    assert not [shown(breed.file) for breed in BREEDS if not (SUITES / breed.file.stem).is_dir()]


def test_every_named_test_is_there() -> None:
    missing = [
        f"{shown(breed.file)}:{breed.line}: {breed.mutant.id} names {test}, which is no file of a suite"
        for breed in BREEDS
        for test in breed.tests
        if not (ROOT / test.partition("::")[0]).exists() or not test.startswith("suites/")
    ]
    assert not missing, "\n".join(missing)


def test_every_patch_fits_the_local_overlay(shipped: tuple[Manifest, ...]) -> None:
    misfits = []
    for breed in BREEDS:
        try:
            assert breed.mutant.patch.apply(shipped) != shipped, f"{breed.mutant.id} changes nothing"
        except PatchError as error:
            misfits.append(f"{shown(breed.file)}:{breed.line}: {breed.mutant.id}: {error}")
    assert not misfits, "\n".join(misfits)


def test_unbroken_manifests_turn_nothing_red(tmp_path: Path) -> None:
    """The control: what is red unbroken would kill every mutant. `pytest suites/` is that of tests that disturb."""
    files = {test.partition("::")[0] for breed in BREEDS for test in breed.tests}
    finding = run_suites(tuple(sorted(files)), tmp_path)
    assert finding.unusable is None, finding.unusable
    assert not finding.red, f"red without any mutant: {', '.join(sorted(finding.red))}\n{finding.output}"


@pytest.fixture(scope="session")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Future[Finding]]:
    """A run under way for each mutant that this session asks for."""
    chosen: list[Breed] = [
        cast(Breed, item.callspec.params["breed"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and "breed" in item.fixturenames
    ]
    return run_all(chosen, tmp_path_factory.mktemp("mutants"))


@pytest.mark.parametrize("breed", BREEDS, ids=lambda breed: breed.mutant.id)
def test_the_mutant_is_noticed(
    breed: Breed, runs: dict[str, Future[Finding]], pytestconfig: pytest.Config
) -> None:
    """What must see the mutant is run against it; every requirement that it names turns red."""
    finding = runs[breed.mutant.id].result()
    row = judge(breed, finding)
    pytestconfig.stash[RUN].mutants.append(row)
    assert row.outcome is MutantOutcome.KILLED, (
        f"{shown(breed.file)}:{breed.line}: {row.id}: {row.outcome}: {row.reason}. "
        f"The story: {breed.mutant.story}\n{finding.output}"
    )
