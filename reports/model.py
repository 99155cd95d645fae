"""What a run found: verdicts, typed reasons for what did not run, and the shape of report.json.

This is the one module of `reports` that every other room may import. The published form of these models is
`report.schema.json` beside this file; `python -m reports.schema` writes it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from reports.changes import Comparison
from reports.entry import Entry, Json, Text
from reports.requested import ResourceEntry
from reports.verdicts import NotRun, NotRunKind, Verdict, worst

__all__ = [
    "Comparison",
    "DeploymentEntry",
    "Difference",
    "Entry",
    "Event",
    "Evidence",
    "ImageVersion",
    "Json",
    "LeftOut",
    "Memory",
    "Mutant",
    "MutantOutcome",
    "NotRun",
    "NotRunKind",
    "Reason",
    "Report",
    "RequirementEntry",
    "ResourceEntry",
    "Run",
    "Series",
    "Slo",
    "SloOutcome",
    "Summary",
    "TestEntry",
    "Text",
    "Verdict",
    "worst",
]

SCHEMA_VERSION = 1


class Reason(Entry):
    """Why a verdict is what it is. `kind` is there exactly when the verdict is `not_run`."""

    text: Text
    kind: NotRunKind | None = None
    link: Text | None = None

    def __str__(self) -> str:
        kind = f"{self.kind}: " if self.kind else ""
        link = f" ({self.link})" if self.link else ""
        return f"{kind}{self.text}{link}"


class Evidence(Entry):
    """Something that a test saw, kept for the auditor."""

    name: Text
    value: Json


class TestEntry(Entry):
    """One test; its outcome is the worst of set-up, call and clean-up. Durations are in seconds."""

    __test__ = False  # not a test for pytest

    id: Text
    outcome: Verdict
    duration_s: NonNegativeFloat = 0.0
    setup_s: NonNegativeFloat = Field(0.0, description="of duration_s: making what the test stands on")
    requirements: tuple[Text, ...] = ()
    reason: Reason | None = None
    evidence: tuple[Evidence, ...] = ()
    basis: Text | None = Field(None, description="what a number rests on: measured, modelled, …")

    @model_validator(mode="after")
    def _reason_is_typed(self) -> Self:
        _require_typed(self.id, self.outcome, self.reason)
        return self


class RequirementEntry(Entry):
    """One requirement; its verdict is the worst of its tests in this run, `not_run` when there are none."""

    id: Text
    area: Text
    text: Text
    source: Text
    requires: tuple[Text, ...] = Field((), description="capabilities that a target must have")
    covers: tuple[Text, ...] = Field((), description="what of the manifests it guards")
    verdict: Verdict
    tests: tuple[Text, ...] = ()
    reason: Reason | None = None

    @model_validator(mode="after")
    def _reason_is_typed(self) -> Self:
        _require_typed(self.id, self.verdict, self.reason)
        return self


def _require_typed(subject: str, verdict: Verdict, reason: Reason | None) -> None:
    typed = reason is not None and reason.kind is not None
    if typed != (verdict is Verdict.NOT_RUN):
        raise ValueError(f"{subject}: {verdict} with the reason {reason}: exactly what is not_run has a kind")


class Difference(Entry):
    """One thing in which the overlay that ran differs from production."""

    object: Text
    field: Text
    production: Text | None = None
    here: Text | None = None
    reason: Text | None = None


class Run(Entry):
    """What was run, on what, and how it ended. `exit_code` is null in the report of a run that was killed."""

    id: Text
    started: AwareDatetime
    duration_s: NonNegativeFloat = 0.0
    target: Text | None = None
    overlay: Text | None = None
    mutant: Text | None = Field(None, description="what was broken on purpose, FILE:ID")
    seed: int | None = None
    versions: Mapping[Text, Text] = {}
    differences: tuple[Difference, ...] = ()
    command: tuple[Text, ...] = ()
    exit_code: int | None = None
    error: Text | None = Field(None, description="why the run as a whole did not come to its end")


class Event(Entry):
    """Something that happened to an object while the deployment started, in seconds after the start."""

    at_s: NonNegativeFloat
    object: Text
    event: Text


class Memory(Entry):
    """The memory of one pod or container in bytes: proportional set size at the end, peak, and limit."""

    object: Text
    used_bytes: NonNegativeInt | None = None
    peak_bytes: NonNegativeInt | None = None
    limit_bytes: NonNegativeInt | None = None


class ImageVersion(Entry):
    """The version that an image's name claims, and the one that really ran under that name."""

    name: Text
    claimed: Text
    real: Text | None = None
    note: Text | None = None


class LeftOut(Entry):
    """Something that the target knowingly leaves out, and why that is so."""

    what: Text
    why: Text


class DeploymentEntry(Entry):
    """The deployment that was tested."""

    surroundings: Mapping[Text, Text] = Field(
        {}, description="what the deployment stands on: version of Kubernetes, what enforces NetworkPolicies"
    )
    timeline: tuple[Event, ...] = ()
    memory: tuple[Memory, ...] = ()
    versions: tuple[ImageVersion, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


class MutantOutcome(StrEnum):
    """What became of a mutant, worst first."""

    ERROR = "error"
    SURVIVED = "survived"
    """A hole in the suite: the thing is broken and nothing turned red."""
    WRONG_DIAGNOSIS = "wrong_diagnosis"
    """Only requirements that do not guard this thing turned red."""
    KILLED = "killed"


class Mutant(Entry):
    """A row of the kill matrix: what was broken on purpose, what had to turn red, and what did."""

    id: Text
    requirements: tuple[Text, ...]
    level: Literal["static", "routing", "live"]
    rule: Text | None = Field(None, description="the rule that bred it; null: written by hand")
    red: tuple[Text, ...] = ()
    unrelated: tuple[Text, ...] = Field(
        (), description="of those that turned red: they neither had to nor are about the same thing"
    )
    outcome: MutantOutcome
    duration_s: NonNegativeFloat = 0.0
    reason: Text | None = None


class SloOutcome(StrEnum):
    """How a service level objective was met, worst first."""

    INVALID = "invalid"
    FAIL = "fail"
    WARN = "warn"
    PASS = "pass"


class Slo(Entry):
    """A service level objective, what it asked for and what was seen; `basis` is the rung of the number."""

    id: Text
    text: Text
    outcome: SloOutcome
    unit: Text = ""
    limit: float | None = None
    value: float | None = None
    basis: Text | None = None
    reason: Text | None = None


MOST_POINTS = 1000
Coordinate = Annotated[float, Field(ge=-1e12, le=1e12)]


class Series(Entry):
    """A row of measured numbers: one line of a plot. Series of one plot with the same axes share a picture."""

    plot: Text = Field(description="what the picture is of")
    name: Text = Field(description="what this line of it is of")
    x: Text = Field(description="what the first number of a point is, with its unit")
    y: Text = Field(description="what the second one is, with its unit")
    points: tuple[tuple[Coordinate, Coordinate], ...] = Field(min_length=1, max_length=MOST_POINTS)
    test: Text | None = Field(None, description="the test that measured it")


class Summary(Entry):
    """How many requirements and tests came to which verdict; each verdict is named, also with 0."""

    requirements: Mapping[Verdict, NonNegativeInt]
    tests: Mapping[Verdict, NonNegativeInt]

    @classmethod
    def of(cls, requirements: Iterable[RequirementEntry], tests: Iterable[TestEntry]) -> Self:
        """The counts of these entries."""
        return cls(
            requirements=_counts(entry.verdict for entry in requirements),
            tests=_counts(entry.outcome for entry in tests),
        )


def _counts(verdicts: Iterable[Verdict]) -> dict[Verdict, int]:
    found = Counter(verdicts)
    return {verdict: found[verdict] for verdict in Verdict}


_OPTIONAL = ("slos", "series", "mutants", "coverage", "resources", "outside_packets", "comparison")


class Report(Entry):
    """The one record of a run; all else is derived from it. A report that contradicts itself is invalid."""

    schema_version: Literal[1] = Field(alias="schema", description="version of this format")
    run: Run
    summary: Summary
    requirements: tuple[RequirementEntry, ...] = ()
    tests: tuple[TestEntry, ...] = ()
    deployment: DeploymentEntry = DeploymentEntry()
    slos: tuple[Slo, ...] | None = None
    series: tuple[Series, ...] | None = None
    mutants: tuple[Mutant, ...] | None = None
    coverage: Mapping[Text, tuple[Text, ...]] | None = Field(
        None, description="what the manifests hold, each with the requirements that cover it"
    )
    resources: tuple[ResourceEntry, ...] | None = Field(
        None, description="what the homeserver registers, each with how this run asked for it"
    )
    outside_packets: NonNegativeInt | None = Field(
        None, description="packets that would have left the machine, counted and dropped"
    )
    comparison: Comparison | None = Field(None, description="what is other than in an earlier run")

    @classmethod
    def of(
        cls,
        run: Run,
        requirements: Iterable[RequirementEntry],
        tests: Iterable[TestEntry],
        deployment: DeploymentEntry | None = None,
        **more: Any,
    ) -> Self:
        """A report with its summary counted; `more` are the optional keys."""
        requirements, tests = tuple(requirements), tuple(tests)
        return cls(
            schema_version=SCHEMA_VERSION,
            run=run,
            summary=Summary.of(requirements, tests),
            requirements=requirements,
            tests=tests,
            deployment=deployment or DeploymentEntry(),
            **more,
        )

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.summary != Summary.of(self.requirements, self.tests):
            raise ValueError("summary: the counts are not those of requirements and tests")
        outcomes = {test.id: test.outcome for test in self.tests}
        if len(outcomes) != len(self.tests):
            raise ValueError("tests: an id appears twice")
        for entry in self.requirements:
            unknown = [test for test in entry.tests if test not in outcomes]
            if unknown:
                raise ValueError(f"requirements: {entry.id} names {unknown[0]}, which is not in tests")
            expected = worst(outcomes[test] for test in entry.tests)
            if entry.verdict is not expected:
                raise ValueError(f"requirements: {entry.id} is {entry.verdict}, but its tests say {expected}")
        for series in self.series or ():
            if series.test is not None and series.test not in outcomes:
                raise ValueError(f"series: {series.name} names {series.test}, which is not in tests")
        return self

    @model_serializer(mode="wrap")
    def _without_absent_keys(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        document: dict[str, Any] = serialize(self)
        return {key: value for key, value in document.items() if key not in _OPTIONAL or value is not None}
