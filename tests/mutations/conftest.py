"""The runs that a session needs, begun before anything waits for one of them; and what they come to, in a few lines."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from fixtures.plugins.manifests import ALL_MUTANTS
from fixtures.targets.choice import LOCAL
from reports.catalogue import Catalogue, load_catalogue
from reports.record import RUN
from tests.mutations.breeds import SEEN_WITHOUT_DEPLOYMENT, SUITES, Breed
from tests.mutations.by_rule.breeding import Bred
from tests.mutations.deployed import Deployments
from tests.mutations.forked import forks
from tests.mutations.killing import summary
from tests.mutations.runs import Runs

SAMPLE = 3
"""How many mutants of each rule are run on every change."""

DEPLOYED_SAMPLE = 12
"""How many of those that need a deployment are run on every change: each costs half a minute of both cores."""


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The requirements."""
    return load_catalogue(SUITES, datetime.now(UTC).date())


@pytest.fixture(scope="session")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue
) -> Iterator[Runs]:
    """A run for all that this session asks for: those with a deployment begin first, the others run beside them."""
    breeds = [cast(Breed, each) for each in _asked_for(request.session, "breed")]
    bred = [cast(Bred, each) for each in _asked_for(request.session, "bred")]
    controls = [cast(str, each) for each in _asked_for(request.session, "control")]
    found, folder = Runs(), tmp_path_factory.mktemp("mutants")
    deployments = Deployments(folder / "deployed", request.config.getoption("--target"))
    try:
        for breed in breeds:
            if breed.needs_deployment(catalogue):
                found.mutants[breed.mutant.id] = deployments.mutant(breed)
        static = [
            (mutant.id, mutant.overlay, mutant.patch, mutant.requirements)
            for mutant in (breed.mutant for breed in breeds)
            if mutant.id not in found.mutants
        ]
        static += [(each.id, each.overlay, each.patch, each.expectation.requirements) for each in bred]
        to_the_end = request.config.getoption(ALL_MUTANTS)
        if not controls and not static:
            yield found
            return
        with forks(folder / "forked", (*SEEN_WITHOUT_DEPLOYMENT, *_memory(request.config, folder))) as asked:
            for overlay in controls:
                found.controls[overlay] = asked.submit(f"control-{overlay}", overlay, None)
            for name, overlay, patch, wanted in static:
                enough = () if to_the_end else wanted
                found.mutants[name] = asked.submit(name, overlay, patch, enough=enough)
            yield found
    finally:
        deployments.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Only what the session's target can show; and of each rule's, and of those with a deployment, only a sample,
    unless all are asked for, or some by name.
    """
    elsewhere = [item for item in items if _target_of(item) != config.getoption("--target")]
    _leave_out(config, items, set(elsewhere))
    if config.getoption(ALL_MUTANTS) or config.option.keyword or any("[" in each for each in config.args):
        return
    catalogue = load_catalogue(SUITES, datetime.now(UTC).date())
    rules: dict[str, list[pytest.Item]] = {}
    deployed: list[pytest.Item] = []
    for item in items:
        if isinstance(bred := _parameter(item, "bred"), Bred):
            rules.setdefault(bred.entry.rule, []).append(item)
        elif isinstance(breed := _parameter(item, "breed"), Breed) and breed.needs_deployment(catalogue):
            deployed.append(item)
    left_out = {item for group in rules.values() for item in sorted(group, key=_lot)[SAMPLE:]}
    left_out.update(sorted(deployed, key=_lot)[DEPLOYED_SAMPLE:])
    _leave_out(config, items, left_out)


def _leave_out(config: pytest.Config, items: list[pytest.Item], left_out: set[pytest.Item]) -> None:
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]


def _target_of(item: pytest.Item) -> str:
    breed = _parameter(item, "breed")
    return breed.mutant.target if isinstance(breed, Breed) else LOCAL


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The kill rate."""
    if rows := config.stash[RUN].mutants:
        for line in summary(rows):
            terminalreporter.write_line(line)


def _memory(config: pytest.Config, folder: Path) -> tuple[str, ...]:
    """Programs that were asked about a configuration are not asked the same again, where sessions know that option."""
    known = hasattr(config.option, "program_verdicts")
    return ("--program-verdicts", str(folder / "verdicts")) if known else ()


def _asked_for(session: pytest.Session, name: str) -> list[object]:
    return [item.callspec.params[name] for item in session.items if _has(item, name)]  # type: ignore[attr-defined]


def _has(item: pytest.Item, name: str) -> bool:
    return isinstance(item, pytest.Function) and hasattr(item, "callspec") and name in item.callspec.params


def _parameter(item: pytest.Item, name: str) -> object:
    return item.callspec.params[name] if _has(item, name) else None  # type: ignore[attr-defined]


def _lot(item: pytest.Item) -> str:
    """Draws by the test's name: the same each time, and from all over the overlay."""
    return hashlib.sha256(item.name.encode()).hexdigest()
