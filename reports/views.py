"""What people look at in a report, cut from it for the page and the summary alike: pure, no markup."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reports.changes import Measured, RunName
from reports.comparison import own_time
from reports.model import (
    Comparison,
    Event,
    ImageVersion,
    Memory,
    MutantOutcome,
    NotRunKind,
    Report,
    RequirementEntry,
    ResourceEntry,
    TestEntry,
    Verdict,
    worst,
)
from reports.wording import many

BROKEN = (Verdict.ERROR, Verdict.FAILED)
BENT = (Verdict.WAIVED, Verdict.KNOWN_DEVIATION)

ASKED_FOR = "Asked for, and answered without a refusal"
NO_REASON = "Not asked for, and nobody says why"

SLOWEST = 12
WORTH_A_LOOK_S = 0.5

CLEAR_RATIO = 1.25
"""Between two runs of the same thing, start-up and memory differ by less without any cause."""


@dataclass(frozen=True)
class Headline:
    """The run in one sentence. `mood` is `good`, `doubtful` (something was not looked at) or `bad`."""

    mood: str
    sentence: str


@dataclass(frozen=True)
class Area:
    """The requirements of one area, counted by verdict."""

    name: str
    requirements: tuple[RequirementEntry, ...]
    tests: tuple[TestEntry, ...]
    counts: Mapping[Verdict, int]
    verdict: Verdict

    @property
    def held(self) -> int:
        """How many hold, those with an accepted deviation too."""
        return self.counts[Verdict.PASSED] + sum(self.counts[verdict] for verdict in BENT)

    @property
    def duration_s(self) -> float:
        """Seconds of its tests, without what they stand on: the first of a run pays for the deployment's start."""
        return sum(own_time(test) for test in self.tests)


@dataclass(frozen=True)
class Unseen:
    """What did not run for one and the same reason: requirements that nothing proves now, and tests."""

    kind: NotRunKind
    text: str
    requirements: tuple[str, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Offers:
    """Resources of which the same is to be said: that they were asked for, or why not."""

    title: str
    resources: tuple[ResourceEntry, ...]


@dataclass(frozen=True)
class Bar:
    """The start-up of one object: its events in order, positions in permille of the whole time line."""

    object: str
    events: tuple[Event, ...]
    marks: tuple[float, ...]

    @property
    def segments(self) -> list[tuple[float, float, str]]:
        """From, width, and what ended each stretch between two events."""
        pairs = zip(self.marks, self.marks[1:], self.events[1:], strict=False)
        return [(begin, end - begin, event.event) for begin, end, event in pairs]


def headline(report: Report) -> Headline:
    """The sentence on top: the worst thing first."""
    return _bad(report) or _doubtful(report) or _good(report)


def _bad(report: Report) -> Headline | None:
    counts, total = report.summary.requirements, many(len(report.requirements), "requirement")
    broken = sum(counts[verdict] for verdict in BROKEN)
    held = counts[Verdict.PASSED] + sum(counts[verdict] for verdict in BENT)
    escaped = sum(mutant.outcome is not MutantOutcome.KILLED for mutant in report.mutants or ())
    sentence = ""
    if broken:
        sentence = f"{broken} of {total} {'is' if broken == 1 else 'are'} broken"
    elif report.run.error and held:
        sentence = f"The run broke off: {held} of {total} held until then"
    elif report.run.error:
        sentence = "The run did not get to prove anything"
    elif escaped:
        sentence = f"{escaped} of {many(len(report.mutants or ()), 'mutant')} escaped the suite"
    return Headline("bad", sentence) if sentence else None


def _doubtful(report: Report) -> Headline | None:
    counts, total = report.summary.requirements, many(len(report.requirements), "requirement")
    unseen, held = counts[Verdict.NOT_RUN], counts[Verdict.PASSED] + sum(counts[verdict] for verdict in BENT)
    if not held and not report.mutants:
        return Headline("doubtful", "Nothing was proved: no requirement was looked at")
    return Headline("doubtful", f"{held} of {total} hold; {unseen} not looked at") if unseen else None


def _good(report: Report) -> Headline:
    total, bent = len(report.requirements), sum(report.summary.requirements[verdict] for verdict in BENT)
    if not total:
        return Headline("good", f"Every mutant was caught ({len(report.mutants or ())})")
    tail = f", with {many(bent, 'accepted deviation')}" if bent else ""
    return Headline(
        "good", f"All {total} requirements hold{tail}" if total > 1 else f"The requirement holds{tail}"
    )


def areas(report: Report) -> list[Area]:
    """The areas in the order of the catalogue."""
    by_area: dict[str, list[RequirementEntry]] = {}
    for requirement in report.requirements:
        by_area.setdefault(requirement.area, []).append(requirement)
    tests = {test.id: test for test in report.tests}
    return [
        Area(
            name,
            tuple(found),
            tuple(tests[name] for name in dict.fromkeys(name for entry in found for name in entry.tests)),
            {verdict: sum(entry.verdict is verdict for entry in found) for verdict in Verdict},
            worst(entry.verdict for entry in found),
        )
        for name, found in by_area.items()
    ]


def having(report: Report, verdicts: Iterable[Verdict]) -> list[RequirementEntry]:
    """The requirements with one of the verdicts, worst first."""
    wanted = set(verdicts)
    found = [entry for entry in report.requirements if entry.verdict in wanted]
    return sorted(found, key=lambda entry: -entry.verdict.badness)


def tests_of(report: Report, requirement: RequirementEntry) -> list[TestEntry]:
    """The tests of a requirement, worst first."""
    ids = set(requirement.tests)
    return sorted((test for test in report.tests if test.id in ids), key=lambda test: -test.outcome.badness)


def slowest(report: Report) -> list[TestEntry]:
    """The tests that took longest themselves, and took time worth a look."""
    found = [test for test in report.tests if own_time(test) >= WORTH_A_LOOK_S]
    return sorted(found, key=lambda test: -own_time(test))[:SLOWEST]


def not_run(report: Report) -> list[Unseen]:
    """What did not run, one entry for each reason, those that explain most first."""
    found: dict[tuple[NotRunKind, str], tuple[list[str], list[str]]] = {}
    for requirement in report.requirements:
        if requirement.reason and requirement.reason.kind:
            key = requirement.reason.kind, requirement.reason.text
            found.setdefault(key, ([], []))[0].append(requirement.id)
    for test in report.tests:
        if test.reason and test.reason.kind:
            found.setdefault((test.reason.kind, test.reason.text), ([], []))[1].append(test.id)
    entries = [
        Unseen(kind, text, tuple(requirements), tuple(tests))
        for (kind, text), (requirements, tests) in found.items()
    ]
    return sorted(entries, key=lambda entry: -len(entry.requirements) - len(entry.tests))


def timeline(report: Report) -> tuple[float, list[Bar]]:
    """The length of the start-up in seconds, and a bar for each object in the order in which they appeared."""
    events = sorted(report.deployment.timeline, key=lambda event: event.at_s)
    end = events[-1].at_s if events else 0.0
    by_object: dict[str, list[Event]] = {}
    for event in events:
        by_object.setdefault(event.object, []).append(event)
    return end, [
        Bar(name, tuple(found), tuple(1000 * event.at_s / end if end else 0.0 for event in found))
        for name, found in by_object.items()
    ]


def offers(report: Report) -> list[Offers]:
    """The resources of the homeserver: what the run asked for, what it did not by reason, and what has none."""
    found: dict[str, list[ResourceEntry]] = {}
    for entry in report.resources or ():
        title = ASKED_FOR if entry.exercised else entry.reason or NO_REASON
        found.setdefault(title, []).append(entry)
    order = {ASKED_FOR: 1, NO_REASON: 0}
    return [
        Offers(title, tuple(each))
        for title, each in sorted(found.items(), key=lambda pair: order.get(pair[0], 2))
    ]


def memory(report: Report) -> list[Memory]:
    """The memory of each pod, the largest first, those of which nothing is known last."""
    return sorted(report.deployment.memory, key=lambda use: (-(use.used_bytes or -1), use.object))


def other_version(image: ImageVersion) -> bool:
    """Whether something else ran than what the image's name claims, as far as it is known.

    What ran is often a program's own sentence about itself: the claimed version somewhere in it will do.
    """
    claimed = re.escape(image.claimed.removeprefix("v"))
    return image.real is not None and not re.search(rf"(?<![\d.]){claimed}(?!\d)", image.real)


def past(report: Report) -> dict[str, list[tuple[RunName, Verdict]]]:
    """The earlier verdicts of each area, the oldest first."""
    found: dict[str, list[tuple[RunName, Verdict]]] = {}
    for each in report.comparison.history if report.comparison else ():
        for seen in each.areas:
            found.setdefault(seen.area, []).append((each.run, seen.verdict))
    return found


def worth_telling(comparison: Comparison | None) -> bool:
    """Whether something is other than in the earlier run, beyond noise."""
    if comparison is None:
        return False
    measured = (comparison.start_s, comparison.memory_bytes)
    lists = (
        comparison.newly_red,
        comparison.newly_green,
        comparison.no_longer_seen,
        comparison.added,
        comparison.removed,
        comparison.slower,
        comparison.newly_escaped,
        comparison.newly_killed,
    )
    return any(lists) or any(each is not None and clearly_other(each) for each in measured)


def clearly_other(measured: Measured) -> bool:
    """Whether a quantity is larger or smaller by a clear ratio."""
    low, high = sorted((measured.before, measured.now))
    return high > CLEAR_RATIO * low
