"""The Markdown summary of a report, for a job's page or a chat: what broke, what was not run, and on what."""

from collections.abc import Iterator, Sequence

from reports import views
from reports.apart import apart
from reports.breakages import breakages
from reports.commonmark import escaped, table
from reports.kills import all_mutants, by_area
from reports.kills import escaped as not_killed
from reports.model import MutantOutcome, Report, Verdict
from reports.pictures import pictures
from reports.text import first_line
from reports.wording import duration, many, ratio, share, size, words

_LISTED = 10
"""Slower tests that are listed; the page has all of them."""


def render_markdown(report: Report) -> str:
    """CommonMark with tables. Everything that comes from the report is escaped."""
    parts = (
        _head,
        _changes,
        _areas,
        _broken,
        _bent,
        _not_run,
        _slos,
        _mutants,
        _measured,
        _deployment,
        _differences,
    )
    return "\n".join(line for part in parts for line in part(report)).rstrip() + "\n"


def _head(report: Report) -> Iterator[str]:
    run = report.run
    yield f"# {views.headline(report).sentence}"
    yield ""
    if run.error:
        yield f"**The run itself:** {escaped(run.error)}"
        yield ""
    facts = {
        "Target": run.target or "not said",
        "Overlay": run.overlay or "not said",
        "Started": f"{run.started:%Y-%m-%d %H:%M %Z}",
        "Took": duration(run.duration_s),
        "Exit code": "none" if run.exit_code is None else run.exit_code,
        "Run": run.id,
    }
    yield from table(("", ""), facts.items())
    summary = report.summary
    yield from table(
        ("Verdict", "Requirements", "Tests"),
        (
            (words(verdict), summary.requirements[verdict], summary.tests[verdict])
            for verdict in Verdict
            if summary.requirements[verdict] or summary.tests[verdict]
        ),
    )


def _changes(report: Report) -> Iterator[str]:
    found = report.comparison
    if found is None or not views.worth_telling(found):
        return
    yield f"## Changed since {found.against.started:%Y-%m-%d %H:%M %Z}"
    yield ""
    for title, turns in {
        "Newly red": found.newly_red,
        "No longer looked at": found.no_longer_seen,
        "Green again": found.newly_green,
    }.items():
        for turn in turns:
            yield f"- {title}: **{escaped(turn.requirement)}** {words(turn.now)}, was {words(turn.before)}"
    for title, ids in {
        "New requirements": found.added,
        "Requirements that are gone": found.removed,
        "Mutants that escape now": found.newly_escaped,
        "Mutants that are caught now": found.newly_killed,
    }.items():
        if ids:
            yield f"- {title}: {escaped(', '.join(ids))}"
    for each in found.slower[:_LISTED]:
        yield f"- Slower: {escaped(each.test)}: {duration(each.before_s)}, now {duration(each.now_s)}"
    if (start := found.start_s) and views.clearly_other(start):
        yield f"- Start-up: {ratio(start.before, start.now)}, now {duration(start.now)}"
    if (memory := found.memory_bytes) and views.clearly_other(memory):
        yield f"- Memory: {ratio(memory.before, memory.now)}, now {size(memory.now)}"
    yield ""


def _areas(report: Report) -> Iterator[str]:
    rows = [
        (words(area.name), *(area.counts[verdict] or "" for verdict in Verdict), duration(area.duration_s))
        for area in views.areas(report)
    ]
    if rows:
        yield "## By area"
        yield ""
        yield from table(("Area", *(words(verdict) for verdict in Verdict), "Tests took"), rows)


def _broken(report: Report) -> Iterator[str]:
    yield from _cards("## What broke, and why", report, views.BROKEN)


def _bent(report: Report) -> Iterator[str]:
    yield from _cards("## Broken, and accepted for now", report, views.BENT)


def _cards(title: str, report: Report, verdicts: Sequence[Verdict]) -> Iterator[str]:
    found = breakages(report, verdicts)
    if not found:
        return
    since = report.comparison.red_since if report.comparison else {}
    yield title
    yield ""
    for each in found:
        for entry in each.requirements:
            when = f", since {since[entry.id].started:%Y-%m-%d %H:%M %Z}" if entry.id in since else ""
            yield f"- **{escaped(entry.id)}** {words(entry.verdict)}{when}: {escaped(entry.text)}"
        for cause in each.causes:
            more = f" and {many(len(cause.tests) - 1, 'more test')}" if len(cause.tests) > 1 else ""
            link = f" ({escaped(cause.link)})" if cause.link else ""
            said = escaped(first_line(cause.said, 400))
            yield f"    - {escaped(cause.tests[0].id)}{more}: {said}{link}"
    yield ""


def _not_run(report: Report) -> Iterator[str]:
    entries = views.not_run(report)
    if entries:
        yield "## Not run, and why"
        yield ""
        yield from table(
            ("Kind", "Reason", "Requirements", "Tests"),
            (
                (
                    words(entry.kind),
                    first_line(entry.text),
                    ", ".join(entry.requirements),
                    len(entry.tests),
                )
                for entry in entries
            ),
        )


def _slos(report: Report) -> Iterator[str]:
    if report.slos:
        yield "## Service levels"
        yield ""
        yield from table(
            ("Objective", "Outcome", "Limit", "Seen", "Rests on"),
            (
                (f"{slo.id} {slo.text}", slo.outcome, slo.limit, f"{slo.value} {slo.unit}", slo.basis or "")
                for slo in report.slos
            ),
        )


def _mutants(report: Report) -> Iterator[str]:
    if not report.mutants:
        return
    yield "## Kill matrix"
    yield ""
    yield from table(
        ("Area", "Mutants", "Kill rate", "Survived", "Wrong diagnosis", "Error", "Took"),
        (
            (
                words(herd.name),
                len(herd.mutants),
                share(herd.counts[MutantOutcome.KILLED], herd.known),
                herd.counts[MutantOutcome.SURVIVED],
                herd.counts[MutantOutcome.WRONG_DIAGNOSIS],
                herd.counts[MutantOutcome.ERROR],
                duration(herd.duration_s),
            )
            for herd in (all_mutants(report), *by_area(report))
        ),
    )
    if escapes := not_killed(report):
        yield from table(
            ("Not killed", "Outcome", "Level", "Had to turn red", "Turned red"),
            (
                (
                    mutant.id,
                    words(mutant.outcome),
                    mutant.level,
                    ", ".join(mutant.requirements),
                    ", ".join(mutant.red),
                )
                for mutant in escapes
            ),
        )


def _measured(report: Report) -> Iterator[str]:
    found = pictures(report)
    if not found:
        return
    yield "## Measured"
    yield ""
    for picture in found:
        for line in picture.lines:
            points = many(len(line.series.points), "point")
            yield f"- {escaped(f'{picture.title}, {line.series.name}')}: {line.told} ({escaped(picture.y)}; {points})"
    yield ""


def _deployment(report: Report) -> Iterator[str]:
    deployment = report.deployment
    if deployment.surroundings:
        yield "## What it stood on"
        yield ""
        yield from table(("What", "Here"), deployment.surroundings.items())
    if deployment.versions:
        yield "## Versions: claimed, and what really ran"
        yield ""
        yield from table(
            ("Image", "Claimed", "Really ran"),
            ((image.name, image.claimed, image.real or "unknown") for image in deployment.versions),
        )
    if deployment.left_out:
        yield "## What this target leaves out"
        yield ""
        yield from table(("What", "Why"), ((thing.what, thing.why) for thing in deployment.left_out))


def _differences(report: Report) -> Iterator[str]:
    if not report.run.differences:
        return
    found = apart(report)
    yield "## Differences from production"
    yield ""
    for title, sides in {"Only in production": found.only_production, "Only here": found.only_here}.items():
        for kind, names in sides:
            yield f"- {title}: {escaped(kind)} {escaped(', '.join(names))}"
    if found.changed:
        yield ""
        yield from table(
            ("Object", "Fields and files"),
            ((name, ", ".join(each.field for each in fields)) for name, fields in found.changed),
        )
