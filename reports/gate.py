"""The gate: may this run be built upon? A pure function of a report and a policy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from reports.documents import DocumentError, load_model, shown
from reports.model import MutantOutcome, NotRunKind, Report, SloOutcome, Verdict

_NAMED = 5
"""How many ids a reason names before it only counts."""


class Code(IntEnum):
    """Exit codes of the gate."""

    ACCEPT = 0
    REJECT = 1
    UNUSABLE = 2


@dataclass(frozen=True)
class Decision:
    """What the gate says, and why; each reason is one line."""

    code: Code
    reasons: tuple[str, ...]


class Profile(BaseModel):
    """What a run must reach. All that is not named as acceptable is not.

    `error` and `failed` cannot be made acceptable (a waiver with owner and date is the way to bend a promise), nor
    can tests that an interruption kept from running: half a run proves nothing about the other half.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: str
    verdicts: frozenset[Verdict] = Field(min_length=1)
    not_run: frozenset[NotRunKind] = frozenset()
    targets: frozenset[str] | None = None
    mutants: frozenset[MutantOutcome] = frozenset({MutantOutcome.KILLED})
    slos: frozenset[SloOutcome] = frozenset({SloOutcome.PASS, SloOutcome.WARN})

    @field_validator("verdicts")
    @classmethod
    def _only_what_can_be_accepted(cls, value: frozenset[Verdict]) -> frozenset[Verdict]:
        if wrong := value & {Verdict.ERROR, Verdict.FAILED}:
            raise ValueError(f"{_listed(wrong)} cannot be acceptable; waive single requirements instead")
        if Verdict.NOT_RUN in value:
            raise ValueError("not_run is accepted by kind only; list kinds in not_run")
        return value

    @field_validator("not_run")
    @classmethod
    def _only_whole_runs(cls, value: frozenset[NotRunKind]) -> frozenset[NotRunKind]:
        if NotRunKind.INTERRUPTED in value:
            raise ValueError(
                "interrupted cannot be acceptable: half a run proves nothing about the other half"
            )
        return value


class Policy(BaseModel):
    """gate.toml: profiles by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: Mapping[str, Profile] = Field(min_length=1)


def decide(report: Report, profile: Profile) -> Decision:
    """Accepts, rejects, or finds that there is nothing to judge.

    Making any verdict in the report worse never turns a rejection into an acceptance.
    """
    if not _ran_anything(report):
        cause = f": {report.run.error}" if report.run.error else ""
        return Decision(Code.UNUSABLE, (f"nothing was run{cause}; nothing run is never accepted",))
    objections = tuple(_objections(report, profile))
    if objections:
        return Decision(Code.REJECT, objections)
    held = sum(report.summary.requirements[verdict] for verdict in Verdict if verdict is not Verdict.NOT_RUN)
    return Decision(
        Code.ACCEPT, (f"{held} of {len(report.requirements)} requirements looked at, all acceptable",)
    )


def decide_files(report: Path, policy: Path, profile: str) -> Decision:
    """The decision on a report file under a profile of a policy file; what cannot be read is unusable."""
    try:
        profiles = load_model(policy, Policy).profile
        judged = load_model(report, Report)
    except DocumentError as error:
        return Decision(Code.UNUSABLE, error.problems)
    if profile not in profiles:
        known = _listed(profiles)
        wrong = f"{shown(policy)}: there is no profile {profile!r}; choose one of {known}"
        return Decision(Code.UNUSABLE, (wrong,))
    return decide(judged, profiles[profile])


def _ran_anything(report: Report) -> bool:
    return (
        any(test.outcome is not Verdict.NOT_RUN for test in report.tests)
        or any(mutant.outcome is not MutantOutcome.ERROR for mutant in report.mutants or ())
        or any(slo.outcome is not SloOutcome.INVALID for slo in report.slos or ())
    )


def _objections(report: Report, profile: Profile) -> Iterator[str]:
    run = report.run
    if run.error:
        yield f"the run itself: {run.error}"
    if run.exit_code is None:
        yield "the run never finished its report: it was killed, or it goes on"
    elif run.exit_code:
        yield f"the run ended with exit code {run.exit_code}"
    if profile.targets is not None and run.target not in profile.targets:
        yield f"the target was {run.target or 'not said'}; acceptable: {_listed(profile.targets)}"
    refused: dict[str, list[str]] = {}
    for what, name in _refused(report, profile):
        refused.setdefault(what, []).append(name)
    for what, names in refused.items():
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"{what}: {len(names)} ({', '.join(names[:_NAMED])}{more})"


def _refused(report: Report, profile: Profile) -> Iterator[tuple[str, str]]:
    """What each entry that the profile does not accept is, and its id."""
    judged = [("requirements", entry.id, entry.verdict, entry.reason) for entry in report.requirements]
    judged += [("tests", test.id, test.outcome, test.reason) for test in report.tests]
    for noun, name, verdict, reason in judged:
        kind = reason.kind if reason else None
        if verdict not in profile.verdicts and kind not in profile.not_run:
            yield f"{noun} {verdict}, {kind}" if kind else f"{noun} {verdict}", name
    for mutant in report.mutants or ():
        if mutant.outcome not in profile.mutants:
            yield f"mutants {mutant.outcome}", mutant.id
    for slo in report.slos or ():
        if slo.outcome not in profile.slos:
            yield f"service levels {slo.outcome}", slo.id


def _listed(names: Mapping[str, Profile] | frozenset[str] | frozenset[Verdict]) -> str:
    return ", ".join(sorted(map(str, names)))
