"""Verdicts, and the typed reason for what did not run. Other rooms import these from `reports.model`."""

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """What is known about a promise after a run, worst first: the order of definition is the order of badness."""

    ERROR = "error"
    """The test itself, its preparation or its clean-up broke: nothing is known."""
    FAILED = "failed"
    """The promise was broken."""
    NOT_RUN = "not_run"
    """Nobody looked; the reason says why. Never a pass."""
    WAIVED = "waived"
    """The promise was broken, and its owner accepts that until a date."""
    KNOWN_DEVIATION = "known_deviation"
    """Broken by upstream software, with a link, and seen to be broken in this run."""
    PASSED = "passed"
    """The promise was kept."""

    @property
    def badness(self) -> int:
        """How bad: 0 for `passed`, larger is worse."""
        return len(Verdict) - 1 - list(Verdict).index(self)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of the verdicts; of none, `not_run`, because nothing run is never a pass."""
    return max(verdicts, key=lambda verdict: verdict.badness, default=Verdict.NOT_RUN)


class NotRunKind(StrEnum):
    """Why a test did not run. The gate accepts kinds, not sentences."""

    CAPABILITY_ABSENT = "capability_absent"
    """The target cannot do what the requirement needs (no memory limits, no signals, …)."""
    UNAVAILABLE = "unavailable"
    """A program, peer or image that the test needs is not to be had where it ran."""
    NOT_JUDGED = "not_judged"
    """What is judged is not there, or cannot be recognised: somebody else's manifests have no such file."""
    INCONCLUSIVE = "inconclusive"
    """It ran, but the observation decides nothing: no message was acknowledged, the fault did not bite."""
    DEPLOYMENT_FAILED = "deployment_failed"
    """There was nothing to test: the target could not be deployed or did not survive."""
    DESELECTED = "deselected"
    """The command line left it out."""
    INTERRUPTED = "interrupted"
    """The run ended before it was its turn, or while it ran."""


class NotRun(Exception):  # noqa: N818 - it is no error: nobody looked
    """Raised by a suite or a fixture that cannot look: the verdict becomes `not_run` with this reason.

    It is the only way to skip below `suites/`; a bare `pytest.skip` is an error there.
    """

    def __init__(self, kind: NotRunKind, reason: str) -> None:
        if not reason.strip():
            raise ValueError(f"NotRun({kind}) needs a reason that the report can show")
        super().__init__(kind, reason)
        self.kind = kind
        self.reason = reason

    def __str__(self) -> str:
        return f"not run: {self.kind}: {self.reason}"
