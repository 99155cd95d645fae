"""Compares a report with an earlier one. Pure; `reports.history` finds the earlier one."""

from collections.abc import Iterator, Mapping

from reports.changes import AreaVerdict, Comparison, Measured, Past, RunName, Slower, Turn
from reports.model import MutantOutcome, NotRunKind, Report, RequirementEntry, TestEntry, Verdict, worst

RED = frozenset({Verdict.ERROR, Verdict.FAILED})
HELD = frozenset({Verdict.WAIVED, Verdict.KNOWN_DEVIATION, Verdict.PASSED})

SLOWER_FACTOR = 2.0
SLOWER_BY_S = 2.0
"""A test is slower when both are exceeded: machines that run other things, too, double the time of short tests."""

KEPT_RUNS = 30
"""Earlier runs of which the page still shows the verdicts."""


def compare(now: Report, before: Report) -> Comparison:
    """What is other in `now` than in `before`."""
    turns = tuple(_turns(now, before))
    old, new = _ids(before), _ids(now)
    escaped_before, escaped = _escapes(before), _escapes(now)
    return Comparison(
        against=_name(before),
        newly_red=tuple(turn for turn in turns if turn.now in RED and turn.before not in RED),
        newly_green=tuple(turn for turn in turns if turn.now in HELD and turn.before in RED),
        no_longer_seen=tuple(turn for turn in turns if turn.now is Verdict.NOT_RUN and turn.before in HELD),
        added=tuple(each for each in new if each not in old),
        removed=tuple(each for each in old if each not in new),
        slower=tuple(sorted(_slower(now, before), key=lambda each: each.before_s - each.now_s)),
        start_s=_measured(_start(before), _start(now)),
        memory_bytes=_measured(_memory(before), _memory(now)),
        newly_escaped=tuple(
            each for each, out in escaped.items() if out and escaped_before.get(each) is False
        ),
        newly_killed=tuple(each for each, out in escaped.items() if not out and escaped_before.get(each)),
        red_since=dict(_red_since(now, before)),
        history=(*(before.comparison.history if before.comparison else ()), _past(before))[-KEPT_RUNS:],
    )


def comparable(now: Report, before: Report) -> bool:
    """Whether both looked at the same: overlay, target, what was broken on purpose, and something in common."""
    setting = [(each.run.target, each.run.overlay, each.run.mutant) for each in (now, before)]
    return setting[0] == setting[1] and bool(_looked_at(now) & _looked_at(before))


def _looked_at(report: Report) -> set[str]:
    ran = {test.id for test in report.tests if test.outcome is not Verdict.NOT_RUN}
    return ran | {f"mutant {mutant.id}" for mutant in report.mutants or ()}


def _turns(now: Report, before: Report) -> Iterator[Turn]:
    earlier = {entry.id: entry for entry in before.requirements}
    for entry in now.requirements:
        old = earlier.get(entry.id)
        if old is not None and entry.verdict is not old.verdict and not _left_out(entry):
            yield Turn(requirement=entry.id, before=old.verdict, now=entry.verdict)


def _left_out(entry: RequirementEntry) -> bool:
    return entry.reason is not None and entry.reason.kind is NotRunKind.DESELECTED


def _red_since(now: Report, before: Report) -> Iterator[tuple[str, RunName]]:
    earlier: Mapping[str, RunName] = before.comparison.red_since if before.comparison else {}
    red_before = {entry.id for entry in before.requirements if entry.verdict in RED}
    for entry in now.requirements:
        if entry.verdict in RED:
            known = earlier.get(entry.id, _name(before)) if entry.id in red_before else _name(now)
            yield entry.id, known


def _slower(now: Report, before: Report) -> Iterator[Slower]:
    earlier = {test.id: test for test in before.tests if test.outcome is Verdict.PASSED}
    for test in now.tests:
        old = earlier.get(test.id)
        if old is None or test.outcome is not Verdict.PASSED:
            continue  # a test that breaks takes as long as its patience
        was, took = own_time(old), own_time(test)
        if took >= SLOWER_FACTOR * was and took - was >= SLOWER_BY_S:
            yield Slower(test=test.id, before_s=was, now_s=took)


def own_time(test: TestEntry) -> float:
    """Seconds of the test itself: the first test to need the deployment pays for its start in its set-up."""
    return round(max(test.duration_s - test.setup_s, 0.0), 3)


def _escapes(report: Report) -> dict[str, bool]:
    return {mutant.id: mutant.outcome is not MutantOutcome.KILLED for mutant in report.mutants or ()}


def _ids(report: Report) -> dict[str, None]:
    return dict.fromkeys(entry.id for entry in report.requirements)


def _start(report: Report) -> float | None:
    return max((event.at_s for event in report.deployment.timeline), default=None)


def _memory(report: Report) -> float | None:
    return sum(use.used_bytes or 0 for use in report.deployment.memory) or None


def _measured(before: float | None, now: float | None) -> Measured | None:
    return None if before is None or now is None else Measured(before=before, now=now)


def _past(report: Report) -> Past:
    seen: dict[str, list[Verdict]] = {}
    for entry in report.requirements:
        if entry.verdict is not Verdict.NOT_RUN:
            seen.setdefault(entry.area, []).append(entry.verdict)
    areas = tuple(AreaVerdict(area=area, verdict=worst(verdicts)) for area, verdicts in seen.items())
    return Past(run=_name(report), areas=areas)


def _name(report: Report) -> RunName:
    return RunName(id=report.run.id, started=report.run.started)
