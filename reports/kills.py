"""The kill matrix, cut for people: what escaped first, then area by area. Pure, no markup."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reports.catalogue import AREAS
from reports.model import Mutant, MutantOutcome, Report

_AREA_OF = {prefix: area for area, prefix in AREAS.items()}
_ORDER = (
    MutantOutcome.SURVIVED,
    MutantOutcome.ERROR,
    MutantOutcome.WRONG_DIAGNOSIS,
    MutantOutcome.KILLED,
)
"""What an author of tests must look at first."""


@dataclass(frozen=True)
class Guard:
    """A requirement, and how many of the mutants that it had to notice it did notice."""

    requirement: str
    noticed: int
    mutants: int


@dataclass(frozen=True)
class Herd:
    """Mutants that belong together: those of an area, or all of them."""

    name: str
    mutants: tuple[Mutant, ...]

    @property
    def counts(self) -> Mapping[MutantOutcome, int]:
        """How many came to which outcome."""
        found = Counter(mutant.outcome for mutant in self.mutants)
        return {outcome: found[outcome] for outcome in MutantOutcome}

    @property
    def known(self) -> int:
        """How many runs say anything: of those in error nothing is known, neither way."""
        return len(self.mutants) - self.counts[MutantOutcome.ERROR]

    @property
    def duration_s(self) -> float:
        """Seconds of all their runs."""
        return sum(mutant.duration_s for mutant in self.mutants)

    @property
    def guards(self) -> list[Guard]:
        """Every requirement that had to notice one of them, the least watchful first."""
        noticed: dict[str, list[bool]] = {}
        for mutant in self.mutants:
            for requirement in mutant.requirements:
                noticed.setdefault(requirement, []).append(requirement in mutant.red)
        found = [Guard(name, sum(each), len(each)) for name, each in noticed.items()]
        return sorted(found, key=lambda guard: (guard.noticed - guard.mutants, guard.requirement))


def all_mutants(report: Report) -> Herd:
    """Every mutant of a report, what escaped first."""
    return Herd("all", _sorted(report.mutants or ()))


def escaped(report: Report) -> list[Mutant]:
    """The mutants that were not killed: survivors, those in error, wrong diagnoses."""
    return [each for each in all_mutants(report).mutants if each.outcome is not MutantOutcome.KILLED]


def by_area(report: Report) -> list[Herd]:
    """The mutants by the area of the first requirement that must notice them, in the catalogue's order."""
    found: dict[str, list[Mutant]] = {}
    for mutant in all_mutants(report).mutants:
        found.setdefault(_area(mutant), []).append(mutant)
    return [Herd(name, tuple(found[name])) for name in (*AREAS, "other") if name in found]


def _area(mutant: Mutant) -> str:
    prefix = mutant.requirements[0].partition("-")[0] if mutant.requirements else ""
    return _AREA_OF.get(prefix, "other")


def _sorted(mutants: Iterable[Mutant]) -> tuple[Mutant, ...]:
    return tuple(sorted(mutants, key=lambda mutant: (_ORDER.index(mutant.outcome), mutant.id)))
