"""The suites must be seen to go red: each mutant breaks the manifests, and the requirement for it must notice."""

from collections import Counter

import pytest

from fixtures.deployment.mutants import Mutant
from fixtures.deployment.patch import Patch, PatchError
from fixtures.plugins.manifests import MANIFESTS
from fixtures.rendering.kustomize import render
from reports.catalogue import Catalogue
from reports.documents import shown
from reports.model import MutantOutcome
from reports.record import RUN
from tests.mutations.breeds import OVERLAYS as FOLDER_OF_OVERLAYS
from tests.mutations.breeds import ROOT, SUITES, Breed, place, written
from tests.mutations.by_rule.breeding import BRED_IN, RULES_FILE, Bred, breed, load_rules, shipped
from tests.mutations.killing import Finding, judge
from tests.mutations.runs import Runs

OVERLAYS = shipped()
WRITTEN = written()
RULES = load_rules()
BRED = tuple(breed(RULES, OVERLAYS))


def test_every_requirement_has_a_mutant_of_its_own(catalogue: Catalogue) -> None:
    guarded = {requirement for breed in WRITTEN for requirement in breed.mutant.requirements}
    bare = [f"{each} ({catalogue.areas[each]})" for each in catalogue.requirements if each not in guarded]
    assert not bare, (
        f"never seen to turn red: {', '.join(bare)}; write a mutant in tests/mutations/<area>.yaml"
    )


def test_every_mutant_names_requirements_that_there_are(catalogue: Catalogue) -> None:
    named = [(breed.where, (*breed.mutant.requirements, *breed.mutant.also)) for breed in WRITTEN]
    for rule in RULES:
        also = (*rule.also, *(name for each in rule.exceptions for name in each.requirements))
        named.append((place(RULES_FILE, f"- rule: {rule.rule}"), (*rule.requirements, *also)))
    unknown = [
        f"{where}: {name} is not in the catalogue"
        for where, names in named
        for name in names
        if name not in catalogue.requirements
    ]
    assert not unknown, "\n".join(unknown)


def test_ids_of_mutants_are_unique() -> None:
    times = Counter([*(breed.mutant.id for breed in WRITTEN), *(bred.id for bred in BRED)])
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
    patches = [(breed.where, breed.mutant.id, breed.mutant.overlay, breed.mutant.patch) for breed in WRITTEN]
    patches += [
        (shown(RULES_FILE), bred.id, each.overlay, Patch(edits=each.broken.edits))
        for bred in BRED
        for each in bred.candidates
    ]
    rest = {overlay for _, _, overlay, _ in patches} - OVERLAYS.keys()
    known = {**OVERLAYS, **{name: render(FOLDER_OF_OVERLAYS / name) for name in rest}}
    misfits = []
    for where, name, overlay, patch in patches:
        try:
            texts = {each: (MANIFESTS / each).read_text(encoding="utf-8") for each in patch.sources}
            edited = {each: patch.apply_to_source(each, text) for each, text in texts.items()}
            if (patch.apply(known[overlay]), edited) == (known[overlay], texts):
                misfits.append(f"{where}: {name}: changes nothing")
        except PatchError as error:
            misfits.append(f"{where}: {name}: {error}")
    assert not misfits, "\n".join(misfits)


def test_every_rule_and_every_exception_is_about_something() -> None:
    idle = [
        f"{place(RULES_FILE, f'- rule: {rule.rule}')}: no place of {' or '.join(BRED_IN)} is there for {expected}"
        for rule in RULES
        for expected in (rule, *rule.exceptions)
        if not any(bred.entry is rule and bred.expectation is expected for bred in BRED)
    ]
    assert not idle, "\n".join(idle)


@pytest.mark.parametrize("control", BRED_IN)
def test_unbroken_manifests_turn_nothing_red(control: str, runs: Runs) -> None:
    """The control: what is red unbroken would kill every mutant. `pytest suites/` is that of all others."""
    finding = runs.controls[control].result()
    assert finding.unusable is None, finding.unusable
    assert not finding.red, f"red without any mutant: {', '.join(sorted(finding.red))}\n{finding.output}"


@pytest.mark.parametrize("breed", WRITTEN, ids=lambda breed: breed.mutant.id)
def test_the_mutant_is_noticed(breed: Breed, runs: Runs, pytestconfig: pytest.Config) -> None:
    """What must see the mutant is run against it; every requirement that it names turns red."""
    judged(breed.mutant, breed.where, runs.mutants[breed.mutant.id].result(), pytestconfig)


@pytest.mark.parametrize("bred", BRED, ids=lambda bred: bred.id)
def test_the_broken_place_is_noticed(bred: Bred, runs: Runs, pytestconfig: pytest.Config) -> None:
    """A place that a rule breaks: what it names turns red.

    Where nothing breaks, or nobody promised anything, nothing turns red: no excuse outlives its reason.
    """
    finding, where = runs.mutants[bred.id].result(), place(RULES_FILE, f"- rule: {bred.entry.rule}")
    if bred.expectation.requirements:
        judged(bred.mutant, where, finding, pytestconfig)
        return
    assert finding.unusable is None, f"{where}: {bred.id}: {finding.unusable}"
    assert not finding.red, (
        f"{where}: {bred.id}: {', '.join(sorted(finding.red))} turned red, though the file says "
        f"{bred.expectation.unguarded or bred.expectation.equivalent!r}; "
        f"write requirements: [...] instead, or narrow the exception\n{finding.output}"
    )


def judged(mutant: Mutant, where: str, finding: Finding, config: pytest.Config) -> None:
    """Adds a row to the kill matrix; fails unless the mutant was killed."""
    row = judge(mutant, finding)
    config.stash[RUN].mutants.append(row)
    assert row.outcome is MutantOutcome.KILLED, (
        f"{where}: {row.id}: {row.outcome}: {row.reason}. The story: {mutant.story}\n{finding.output}"
    )
