"""From rules to mutants: each place of an overlay that a rule is about, with the requirement that must notice. Pure.

`rules.yaml` beside this file says which. `python -m tests.mutations.by_rule.breeding ID…` prints mutants as a file that
`--mutant FILE:ID` takes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from fixtures.deployment.mutants import Mutant
from fixtures.deployment.patch import Patch
from fixtures.rendering.findings import Objects
from fixtures.rendering.kustomize import render
from reports.documents import load_model
from tests.mutations.breeds import OVERLAYS
from tests.mutations.by_rule import containers, files, policies, references, services
from tests.mutations.by_rule.breaks import Break, Predicate, Rule

RULES_FILE = Path(__file__).with_name("rules.yaml")
BRED_IN = ("local", "production", "ccu-20k")
"""The overlays, in this order: in a later one only those places that no earlier one has, or where nothing broke."""

_MODULES = (containers, references, services, policies, files)
RULES: Mapping[str, Rule] = {name: rule for module in _MODULES for name, rule in module.RULES.items()}
PREDICATES: Mapping[str, Predicate] = {n: p for module in _MODULES for n, p in module.PREDICATES.items()}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Expectation(_Part):
    """What must turn red. Or why nothing can: nothing is broken (`equivalent`), or nobody promised it (`unguarded`)."""

    requirements: tuple[str, ...] = ()
    equivalent: str | None = None
    unguarded: str | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Expectation:
        if sum(map(bool, (self.requirements, self.equivalent, self.unguarded))) != 1:
            raise ValueError("give exactly one of: requirements, equivalent, unguarded")
        return self


class Elsewhere(Expectation):
    """What is expected at those places that a predicate singles out."""

    when: str


class RuleEntry(Expectation):
    """A rule, by its name, with its story and what must notice it; the first exception that holds decides."""

    rule: str
    story: str
    level: Literal["static", "routing"] = "static"
    also: tuple[str, ...] = ()
    exceptions: tuple[Elsewhere, ...] = ()

    @model_validator(mode="after")
    def _is_known(self) -> RuleEntry:
        if self.rule not in RULES:
            raise ValueError(f"there is no rule {self.rule!r}; there are: {', '.join(RULES)}")
        for exception in self.exceptions:
            if exception.when not in PREDICATES:
                raise ValueError(f"no predicate {exception.when!r}; there are: {', '.join(PREDICATES)}")
        return self


class RuleFile(_Part):
    """`rules.yaml`."""

    rules: tuple[RuleEntry, ...]


@dataclass(frozen=True)
class Candidate:
    """A place broken in one overlay."""

    overlay: str
    broken: Break
    objects: Objects

    def expectation(self, entry: RuleEntry) -> Expectation:
        """What must come of it: the first exception that holds decides."""
        if not entry.exceptions:
            return entry
        after = Patch(edits=self.broken.edits).apply(self.objects)
        found = (each for each in entry.exceptions if PREDICATES[each.when](self.broken, self.objects, after))
        return next(found, entry)


@dataclass(frozen=True)
class Bred:
    """A place that a rule is about, in each overlay that has it. What is expected there takes a moment to find out."""

    entry: RuleEntry
    candidates: tuple[Candidate, ...]

    @property
    def id(self) -> str:
        """`readiness-probe-removed-deployment-haproxy-haproxy`."""
        return f"{self.entry.rule}-{self.candidates[0].broken.name}"

    @cached_property
    def chosen(self) -> tuple[Candidate, Expectation]:
        """The first overlay in which something breaks, else the last; and what is expected."""
        found = [(each, each.expectation(self.entry)) for each in self.candidates[:1]]
        for each in self.candidates[1:]:
            if found[-1][1].equivalent:
                found.append((each, each.expectation(self.entry)))
        return found[-1]

    @property
    def expectation(self) -> Expectation:
        """What must turn red, or why nothing may."""
        return self.chosen[1]

    @property
    def overlay(self) -> str:
        """Where it is broken."""
        return self.chosen[0].overlay

    @property
    def patch(self) -> Patch:
        """What is broken."""
        return Patch(edits=self.chosen[0].broken.edits)

    @property
    def mutant(self) -> Mutant:
        """As if somebody had written it; only of one that a requirement must notice."""
        broken = self.chosen[0].broken
        return Mutant(
            id=self.id,
            story=f"{self.entry.story} ({f'{broken.object} {broken.place}'.strip()})",
            requirements=self.expectation.requirements,
            level=self.entry.level,
            overlay=self.overlay,
            also=self.entry.also,
            rule=self.entry.rule,
            patch=self.patch,
        )


def load_rules(path: Path = RULES_FILE) -> tuple[RuleEntry, ...]:
    """The rules of a file; DocumentError with file and line when it is wrong."""
    return load_model(path, RuleFile).rules


def breed(entries: Iterable[RuleEntry], overlays: Mapping[str, Objects]) -> Iterator[Bred]:
    """Every place that each rule is about in any of the overlays, which are given in the order of BRED_IN."""
    for entry in entries:
        places = dict[Break, list[Candidate]]()
        for overlay, objects in overlays.items():
            for broken in RULES[entry.rule](objects):
                places.setdefault(broken, []).append(Candidate(overlay, broken, objects))
        yield from (Bred(entry, tuple(candidates)) for candidates in places.values())


def shipped() -> dict[str, Objects]:
    """The overlays in which is bred."""
    return {name: render(OVERLAYS / name) for name in BRED_IN}


def main(identifiers: list[str]) -> int:
    """Prints the mutants of these ids."""
    wanted = [each for each in breed(load_rules(), shipped()) if each.id in identifiers]
    mutants = [each.mutant.model_dump(mode="json") for each in wanted if each.expectation.requirements]
    yaml.safe_dump({"mutants": mutants}, sys.stdout, sort_keys=False, width=120)
    return 0 if wanted else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
