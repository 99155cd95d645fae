"""From what pytest saw of one phase of a test to a verdict with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from reports.catalogue import Waiver
from reports.model import Evidence, NotRun, Reason, Series, Verdict
from reports.record import Phase
from reports.rules import Deviation, deviation, requirement_ids
from reports.text import first_line

_KEPT_CHARACTERS = 20_000
"""How much of a traceback or of captured output a report keeps: the end, where the failure is."""


@dataclass(frozen=True)
class Judgement:
    """A verdict on one phase, and what pytest is to be told: its own outcome and what it shows for it."""

    verdict: Verdict
    reason: Reason | None = None
    outcome: str = "passed"
    shown: str = ""
    expected: bool = False
    """A failure that does not fail the run: pytest shows it as xfailed."""


def not_run_in(error: BaseException | None) -> NotRun | None:
    """The NotRun that an exception is, or that all members of an exception group (of a task group) are."""
    if isinstance(error, NotRun):
        return error
    if isinstance(error, BaseExceptionGroup):
        members = [not_run_in(member) for member in error.exceptions]
        return members[0] if all(members) else None
    return None


def judge(
    item: pytest.Item,
    call: pytest.CallInfo[None],
    report: pytest.TestReport,
    waivers: Mapping[str, Waiver],
) -> Judgement:
    """The verdict on a phase of a test below `suites/`.

    - NotRun in set-up or call is `not_run`; any other skip or xfail is `error`: nobody could explain it.
    - A failure in set-up or clean-up is `error`, in the call `failed`, unless the test is marked as a known
      deviation or all of its requirements are waived.
    - A known deviation that passes is `failed`: the marker hides nothing any more and must go.
    """
    if report.when != "teardown" and (not_run := not_run_in(call.excinfo.value if call.excinfo else None)):
        return typed_skip(not_run)
    if report.skipped or hasattr(report, "wasxfail"):
        text = f"skipped without a typed reason: {_skip_reason(report)}; raise NotRun(kind, reason) instead"
        return Judgement(Verdict.ERROR, Reason(text=text), "failed", text)
    known = deviation(item)
    if report.failed:
        failure = _message(report)
        if report.when != "call":
            return Judgement(Verdict.ERROR, Reason(text=f"{report.when}: {failure}"), "failed")
        return _failed(failure, known, [waivers.get(name) for name in requirement_ids(item)])
    if report.when == "call" and known:
        text = f"the deviation is gone: remove the marker known_deviation ({known.link})"
        return Judgement(Verdict.FAILED, Reason(text=text), "failed", text)
    return Judgement(Verdict.PASSED)


def typed_skip(not_run: NotRun) -> Judgement:
    """What a NotRun comes to: `not_run`, shown by pytest as skipped."""
    reason = Reason(kind=not_run.kind, text=not_run.reason)
    return Judgement(Verdict.NOT_RUN, reason, "skipped", str(not_run))


def _failed(failure: str, known: Deviation | None, waivers: list[Waiver | None]) -> Judgement:
    if known:
        text = f"known deviation: {known.reason}"
        reason = Reason(text=f"{text}\nSeen: {failure}", link=known.link)
        return Judgement(Verdict.KNOWN_DEVIATION, reason, "skipped", f"{text} ({known.link})", expected=True)
    given = [waiver for waiver in waivers if waiver]
    if given and len(given) == len(waivers):
        text = "; ".join(
            f"{waiver.requirement} waived until {waiver.expires} by {waiver.owner}: {waiver.reason}"
            for waiver in given
        )
        reason = Reason(text=f"{text}\nSeen: {failure}")
        return Judgement(Verdict.WAIVED, reason, "skipped", text, expected=True)
    return Judgement(Verdict.FAILED, Reason(text=failure), "failed")


def phase(
    judgement: Judgement,
    item: pytest.Item,
    report: pytest.TestReport,
    evidence: list[Evidence],
    basis: str | None,
    series: list[Series],
) -> Phase:
    """The judgement with the evidence for it: what the test attached, and for a failure what pytest kept."""
    if report.failed:
        evidence = [*evidence, *_kept(report)]
    return Phase(
        when=report.when,
        verdict=judgement.verdict,
        duration_s=report.duration,
        requirements=requirement_ids(item),
        reason=judgement.reason,
        evidence=tuple(evidence),
        series=tuple(series),
        basis=basis,
    )


def tell_pytest(judgement: Judgement, item: pytest.Item, report: pytest.TestReport) -> None:
    """Makes pytest's own report say what the judgement says."""
    if hasattr(report, "wasxfail"):
        del report.wasxfail
    report.outcome = judgement.outcome  # type: ignore[assignment]
    path, line, _ = item.location
    if judgement.expected:
        report.wasxfail = judgement.shown
    elif judgement.outcome == "skipped":
        report.longrepr = (path, (line or 0) + 1, f"Skipped: {judgement.shown}")
    elif judgement.shown:
        report.longrepr = f"{path}:{(line or 0) + 1}: {judgement.shown}"


def _kept(report: pytest.TestReport) -> list[Evidence]:
    texts = [("traceback", report.longreprtext), *report.sections]
    return [Evidence(name=name.lower(), value=text[-_KEPT_CHARACTERS:]) for name, text in texts if text]


def _message(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr)


def _skip_reason(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return f"xfail: {report.wasxfail or 'no reason given'}"
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return first_line(reason.removeprefix("Skipped: ")) or "no reason given"
