"""The suites must be seen to go red: each mutant breaks the manifests, and the requirement for it must notice."""

from collections import Counter

import pytest

from fixtures.deployment.patch import PatchError
from fixtures.rendering.findings import Objects
from reports.catalogue import Catalogue
from reports.documents import shown
from reports.model import MutantOutcome
from reports.record import RUN
from tests.mutations.breeds import ROOT, SUITES, Breed, written
from tests.mutations.by_rule.breeding import BRED_IN, RULES_FILE, Bred, breed, by_rule, load_rules, shipped
from tests.mutations.killing import judge
from tests.mutations.runs import Runs

OVERLAYS = shipped()
WRITTEN = written()
BRED = tuple(breed(load_rules(), OVERLAYS))
BREEDS = (*WRITTEN, *by_rule(BRED))


def test_every_requirement_has_a_mutant_of_its_own(catalogue: Catalogue) -> None:
    guarded = {requirement for breed in WRITTEN for requirement in breed.mutant.requirements}
    bare = [f"{each} ({catalogue.areas[each]})" for each in catalogue.requirements if each not in guarded]
    assert not bare, (
        f"never seen to turn red: {', '.join(bare)}; write a mutant in tests/mutations/<area>.yaml"
    )


def test_every_mutant_names_requirements_that_there_are(catalogue: Catalogue) -> None:
    unknown = {
        f"{breed.where}: {breed.mutant.rule or breed.mutant.id} names {requirement}, which is not in the catalogue"
        for breed in BREEDS
        for requirement in (*breed.mutant.requirements, *breed.mutant.also)
        if requirement not in catalogue.requirements
    }
    assert not unknown, "\n".join(sorted(unknown))


def test_ids_of_mutants_are_unique() -> None:
    times = Counter(breed.mutant.id for breed in BREEDS)
    twice = [mutant for mutant, count in times.items() if count > 1]
    assert not twice, f"used more than once: {', '.join(twice)}"


def test_every_file_is_named_after_an_area() -> None:
    assert not [shown(breed.file) for breed in WRITTEN if not (SUITES / breed.file.stem).is_dir()]


def test_every_named_test_is_there() -> None:
    missing = [
        f"{breed.where}: {breed.mutant.id} names {test}, which is no file of a suite"
        for breed in WRITTEN
        for test in breed.tests
        if not (ROOT / test.partition("::")[0]).exists() or not test.startswith("suites/")
    ]
    assert not missing, "\n".join(missing)


def test_every_patch_fits_its_overlay() -> None:
    misfits = [line for breed in BREEDS for line in misfit(breed, OVERLAYS[breed.mutant.overlay])]
    assert not misfits, "\n".join(misfits)


def misfit(breed: Breed, objects: Objects) -> list[str]:
    """Why the mutant's patch breaks nothing, in a line; empty when it does."""
    try:
        changes = breed.mutant.patch.apply(objects) != objects
    except PatchError as error:
        return [f"{breed.where}: {breed.mutant.id}: {error}"]
    return [] if changes else [f"{breed.where}: {breed.mutant.id}: changes nothing"]


@pytest.mark.parametrize("control", [None, *BRED_IN], ids=["deployed", *BRED_IN])
def test_unbroken_manifests_turn_nothing_red(control: str | None, runs: Runs) -> None:
    """The control: what is red unbroken would kill every mutant. `pytest suites/` is that of tests that disturb."""
    finding = runs.controls[control].result()
    assert finding.unusable is None, finding.unusable
    assert not finding.red, f"red without any mutant: {', '.join(sorted(finding.red))}\n{finding.output}"


@pytest.mark.parametrize("breed", BREEDS, ids=lambda breed: breed.mutant.id)
def test_the_mutant_is_noticed(breed: Breed, runs: Runs, pytestconfig: pytest.Config) -> None:
    """What must see the mutant is run against it; every requirement that it names turns red."""
    finding = runs.mutants[breed.mutant.id].result()
    row = judge(breed.mutant, finding)
    pytestconfig.stash[RUN].mutants.append(row)
    assert row.outcome is MutantOutcome.KILLED, (
        f"{breed.where}: {row.id}: {row.outcome}: {row.reason}. "
        f"The story: {breed.mutant.story}\n{finding.output}"
    )


@pytest.mark.parametrize(
    "bred", [each for each in BRED if not each.expectation.requirements], ids=lambda bred: bred.id
)
def test_what_nobody_promised_turns_nothing_red(bred: Bred, runs: Runs) -> None:
    """Places that a rule breaks without harm, or without anybody's promise. Strict: no excuse outlives its reason."""
    finding = runs.mutants[bred.id].result()
    excuse = bred.expectation.unguarded or bred.expectation.equivalent
    assert finding.unusable is None, f"{bred.id}: {finding.unusable}"
    assert not finding.red, (
        f"{shown(RULES_FILE)}: {bred.id}: {', '.join(sorted(finding.red))} turned red, though the file says "
        f"{excuse!r}; write requirements: [...] instead, or narrow the exception\n{finding.output}"
    )


def test_every_rule_and_every_exception_is_about_something() -> None:
    used = {(each.entry.rule, getattr(each.expectation, "when", None)) for each in BRED}
    idle = [
        f"{rule.rule}{f', when {when}' if when else ''}"
        for rule in load_rules()
        for when in (None, *(each.when for each in rule.exceptions))
        if (rule.rule, when) not in used
    ]
    assert not idle, (
        f"{shown(RULES_FILE)}: no place of {' or '.join(BRED_IN)} is there for: {'; '.join(idle)}"
    )
