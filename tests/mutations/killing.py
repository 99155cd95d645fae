"""What a run of the suites means for a mutant. Pure.

A requirement is *red* when its verdict is `failed` or `error`: both make a run fail, and say where to look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fixtures.deployment.mutants import Mutant
from reports.model import Mutant as Row
from reports.model import MutantOutcome, Report, Verdict

RED = frozenset({Verdict.FAILED, Verdict.ERROR})

_ALL_RAN, _SOME_FAILED = 0, 1  # pytest's own exit codes; every other one means that the run came to no end


@dataclass(frozen=True)
class Finding:
    """What a run of the suites came to. `report` is None where there is none, `failure` says why."""

    exit_code: int | None  # None: it did not end by itself
    report: Report | None
    output: str
    duration_s: float
    failure: str | None = None

    @property
    def red(self) -> frozenset[str]:
        """The requirements that turned red."""
        return frozenset(name for name, verdict in self._verdicts.items() if verdict in RED)

    @property
    def unseen(self) -> frozenset[str]:
        """The requirements of which no test was run."""
        return frozenset(name for name, verdict in self._verdicts.items() if verdict is Verdict.NOT_RUN)

    @property
    def _verdicts(self) -> dict[str, Verdict]:
        entries = self.report.requirements if self.report is not None else ()
        return {entry.id: entry.verdict for entry in entries}

    @property
    def unusable(self) -> str | None:
        """Why the run says nothing about what is not red; None when it came to its end."""
        if self.failure is not None:
            return self.failure
        if self.report is None:
            return f"pytest ended with {self.exit_code} and left no report: {_last_line(self.output)}"
        if self.exit_code not in (_ALL_RAN, _SOME_FAILED):
            return f"pytest ended with {self.exit_code}: {self.report.run.error or _last_line(self.output)}"
        return None


def judge(mutant: Mutant, finding: Finding) -> Row:
    """The row of the kill matrix.

    - killed: every requirement that had to turn red did, whatever else did, and whatever happened afterwards.
    - error: it did not, and nothing is known about the rest: the run came to no end (the deployment failed, the run
      hung), or ran no test of it. That a deployment does not come up is no diagnosis.
    - survived: nothing turned red. wrong_diagnosis: something did, but not all that had to.
    """
    expected, red = set(mutant.requirements), finding.red
    missing = sorted(expected - red)
    wanted = f"{', '.join(missing)} had to turn red"
    if not missing:
        outcome, reason = MutantOutcome.KILLED, None
    elif finding.unusable is not None:
        outcome, reason = MutantOutcome.ERROR, f"{wanted}, but the run is unusable: {finding.unusable}"
    elif unseen := finding.unseen & set(missing):
        never = f"no test of {', '.join(sorted(unseen))} was run"
        outcome, reason = (
            MutantOutcome.ERROR,
            f"{wanted}, but {never}; correct the mutant's level or its tests",
        )
    elif not red:
        outcome, reason = MutantOutcome.SURVIVED, f"{wanted}, and nothing did"
    else:
        outcome, reason = MutantOutcome.WRONG_DIAGNOSIS, f"{wanted}; only {', '.join(sorted(red))} did"
    return Row(
        id=mutant.id,
        requirements=mutant.requirements,
        level=mutant.level,
        rule=mutant.rule,
        red=tuple(sorted(red)),
        unrelated=tuple(sorted(red - expected - set(mutant.also))),
        outcome=outcome,
        duration_s=finding.duration_s,
        reason=reason,
    )


def summary(rows: Sequence[Row]) -> list[str]:
    """The kill rate, the share of wrong diagnoses, who got away, and what turned red besides (which is no fault)."""
    counts, total = Counter(row.outcome for row in rows), len(rows)
    killed, wrong = counts[MutantOutcome.KILLED], counts[MutantOutcome.WRONG_DIAGNOSIS]
    rates = f"killed {killed} ({_share(killed, total)}), wrong diagnoses {wrong} ({_share(wrong, total)})"
    others = f"survivors {counts[MutantOutcome.SURVIVED]}, errors {counts[MutantOutcome.ERROR]}"
    lines = [f"mutants: {total}, {rates}, {others}"]
    lines += [
        f"  {row.outcome}: {row.id}: {row.reason}"
        for row in sorted(rows, key=lambda row: row.id)
        if row.outcome is not MutantOutcome.KILLED
    ]
    if beside := Counter(name for row in rows for name in row.unrelated):
        named = ", ".join(f"{name} ({times})" for name, times in beside.most_common())
        lines.append(f"  red besides, though about other things: {named}")
    return lines


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.4g} %" if whole else "0 %"


def _last_line(output: str) -> str:
    return next((line for line in reversed(output.splitlines()) if line.strip()), "no output")
