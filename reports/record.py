"""The record of a run while it grows, and the report that comes of it."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from reports.catalogue import Catalogue
from reports.censor import Censor, censored
from reports.model import (
    DeploymentEntry,
    Difference,
    Entry,
    Evidence,
    Mutant,
    NotRunKind,
    Reason,
    Report,
    RequirementEntry,
    ResourceEntry,
    Run,
    Series,
    Slo,
    TestEntry,
    Verdict,
    worst,
)


class Phase(Entry):
    """What one phase of a test showed; it travels with pytest's own report, also between processes."""

    when: Literal["setup", "call", "teardown"]
    verdict: Verdict
    duration_s: float
    requirements: tuple[str, ...]
    reason: Reason | None = None
    evidence: tuple[Evidence, ...] = ()
    series: tuple[Series, ...] = ()
    basis: str | None = None


@dataclass
class TestLog:
    """Which tests there are, which were left out, and what each phase of the others showed."""

    __test__ = False  # not a test for pytest

    collected: dict[str, tuple[str, ...]] = field(default_factory=dict)
    deselected: dict[str, str] = field(default_factory=dict)
    phases: dict[str, list[Phase]] = field(default_factory=dict)

    def entries(self, interruption: str) -> Iterator[TestEntry]:
        """Every test, in the order of collection; `interruption` is why some of them did not run to their end."""
        for test, requirements in self.collected.items():
            if test in self.deselected:
                reason = Reason(kind=NotRunKind.DESELECTED, text=self.deselected[test])
                yield TestEntry(id=test, outcome=Verdict.NOT_RUN, requirements=requirements, reason=reason)
            else:
                yield _test(test, requirements, self.phases.get(test, []), interruption)

    def series(self) -> Iterator[Series]:
        """What the tests measured, in the order of collection."""
        for test in self.collected:
            for phase in self.phases.get(test, []):
                yield from phase.series


def _test(name: str, requirements: tuple[str, ...], phases: list[Phase], interruption: str) -> TestEntry:
    outcome = worst(phase.verdict for phase in phases)
    reason = next((phase.reason for phase in phases if phase.verdict is outcome), None)
    # Only a test that was called and cleaned up has passed.
    ran = {"call", "teardown"} <= {phase.when for phase in phases}
    if not phases or (outcome is Verdict.PASSED and not ran):
        outcome = Verdict.NOT_RUN
        reason = Reason(kind=NotRunKind.INTERRUPTED, text=interruption)
    return TestEntry(
        id=name,
        outcome=outcome,
        duration_s=round(sum(phase.duration_s for phase in phases), 3),
        setup_s=round(sum(phase.duration_s for phase in phases if phase.when == "setup"), 3),
        requirements=requirements,
        reason=reason,
        evidence=tuple(entry for phase in phases for entry in phase.evidence),
        basis=next((phase.basis for phase in reversed(phases) if phase.basis), None),
    )


@dataclass
class RunRecord:
    """What is known of a run so far; plugins fill it in, the session's end turns it into report.json.

    `directory` is the run's own folder: logs and dumps may be left there. It exists unless pytest was only asked
    to list something. `promises` says whether the suites were looked at, `breaches` which of their rules were broken.
    `censor` is applied to every free text before anything is written.
    """

    directory: Path
    id: str
    started: datetime
    command: tuple[str, ...] = ()
    seed: int | None = None
    target: str | None = None
    overlay: str | None = None
    mutant: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    deployment: DeploymentEntry = field(default_factory=DeploymentEntry)
    mutants: list[Mutant] = field(default_factory=list)
    slos: list[Slo] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    coverage: dict[str, tuple[str, ...]] = field(default_factory=dict)
    resources: list[ResourceEntry] = field(default_factory=list)
    outside_packets: int | None = None
    error: str | None = None
    interruption: str | None = None
    promises: bool = False
    breaches: tuple[str, ...] = ()
    censor: Censor = str
    catalogue: Catalogue | None = None
    tests: TestLog = field(default_factory=TestLog)

    @classmethod
    def begin(cls, folder: Path, command: tuple[str, ...], seed: int | None) -> "RunRecord":
        """A record of a run that starts now; its id sorts by time and is unique."""
        started = datetime.now(UTC)
        name = f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        return cls(directory=folder / name, id=name, started=started, command=command, seed=seed)

    def report(self, exit_code: int | None) -> Report:
        """The report of what is known now, censored; `exit_code` is None while the run goes on."""
        interruption = self.interruption or self.error or "the run ended before this test had run to its end"
        tests = tuple(self.tests.entries(interruption))
        report = Report.of(
            run=Run(
                id=self.id,
                started=self.started,
                duration_s=round((datetime.now(UTC) - self.started).total_seconds(), 3),
                target=self.target,
                overlay=self.overlay,
                mutant=self.mutant,
                seed=self.seed,
                versions=self.versions,
                differences=tuple(self.differences),
                command=self.command,
                exit_code=exit_code,
                error=self.error,
            ),
            requirements=_requirements(self.catalogue, tests),
            tests=tests,
            deployment=self.deployment,
            slos=tuple(self.slos) or None,
            series=(*self.series, *self.tests.series()) or None,
            mutants=tuple(self.mutants) or None,
            coverage=self.coverage or None,
            resources=tuple(self.resources) or None,
            outside_packets=self.outside_packets,
        )
        return Report.model_validate(censored(report.model_dump(mode="json"), self.censor))


def _requirements(catalogue: Catalogue | None, tests: tuple[TestEntry, ...]) -> Iterator[RequirementEntry]:
    if catalogue is None:
        return
    proofs: dict[str, list[TestEntry]] = {}
    for test in tests:
        for name in test.requirements:
            proofs.setdefault(name, []).append(test)
    for name, requirement in catalogue.requirements.items():
        found = proofs.get(name, [])
        verdict = worst(test.outcome for test in found)
        yield RequirementEntry(
            id=name,
            area=catalogue.areas[name],
            text=requirement.text,
            source=requirement.source,
            requires=requirement.requires,
            covers=requirement.covers,
            verdict=verdict,
            tests=tuple(test.id for test in found),
            reason=next((test.reason for test in found if test.outcome is verdict), None)
            if found
            else Reason(kind=NotRunKind.DESELECTED, text="none of its tests was part of this run"),
        )


RUN = pytest.StashKey[RunRecord]()
"""`config.stash[RUN]` is the RunRecord of the session."""
