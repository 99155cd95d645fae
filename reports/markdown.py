"""The Markdown summary of a report, for a job's page or a chat: what broke, what was not run, and on what."""

import re
from collections.abc import Iterable, Iterator, Sequence

from reports import views
from reports.model import Report, RequirementEntry, Verdict
from reports.text import first_line

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~<>&@])")


def render_markdown(report: Report) -> str:
    """CommonMark with tables. Everything that comes from the report is escaped."""
    parts = (_head, _areas, _broken, _bent, _not_run, _slos, _mutants, _deployment)
    return "\n".join(line for part in parts for line in part(report)).rstrip() + "\n"


def escaped(text: object) -> str:
    """Text that Markdown shows as it is, in one line, also inside a table; no HTML and no mention comes of it."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split())).replace("\\<", "&lt;").replace("\\>", "&gt;")


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
        "Took": views.duration(run.duration_s),
        "Exit code": "none" if run.exit_code is None else run.exit_code,
        "Run": run.id,
    }
    yield from _table(("", ""), facts.items())
    summary = report.summary
    yield from _table(
        ("Verdict", "Requirements", "Tests"),
        (
            (views.words(verdict), summary.requirements[verdict], summary.tests[verdict])
            for verdict in Verdict
            if summary.requirements[verdict] or summary.tests[verdict]
        ),
    )


def _areas(report: Report) -> Iterator[str]:
    rows = [
        (views.words(area.name), *(area.counts[verdict] or "" for verdict in Verdict))
        for area in views.areas(report)
    ]
    if rows:
        yield "## By area"
        yield ""
        yield from _table(("Area", *(views.words(verdict) for verdict in Verdict)), rows)


def _broken(report: Report) -> Iterator[str]:
    yield from _cards("## What broke, and why", report, views.having(report, views.BROKEN))


def _bent(report: Report) -> Iterator[str]:
    yield from _cards("## Broken, and accepted for now", report, views.having(report, views.BENT))


def _cards(title: str, report: Report, entries: Sequence[RequirementEntry]) -> Iterator[str]:
    if not entries:
        return
    yield title
    yield ""
    for entry in entries:
        yield f"- **{escaped(entry.id)}** {escaped(views.words(entry.verdict))}: {escaped(entry.text)}"
        for test in views.tests_of(report, entry):
            if test.outcome is not Verdict.PASSED:
                why = escaped(first_line(str(test.reason or ""), 400))
                yield f"    - {escaped(test.id)}: {escaped(views.words(test.outcome))}: {why}"
    yield ""


def _not_run(report: Report) -> Iterator[str]:
    entries = views.not_run(report)
    if entries:
        yield "## Not run, and why"
        yield ""
        yield from _table(
            ("Kind", "Reason", "Requirements", "Tests"),
            (
                (
                    views.words(entry.kind),
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
        yield from _table(
            ("Objective", "Outcome", "Limit", "Seen", "Rests on"),
            (
                (f"{slo.id} {slo.text}", slo.outcome, slo.limit, f"{slo.value} {slo.unit}", slo.basis or "")
                for slo in report.slos
            ),
        )


def _mutants(report: Report) -> Iterator[str]:
    if report.mutants:
        yield "## Kill matrix"
        yield ""
        yield from _table(
            ("Mutant", "Outcome", "Level", "Had to turn red", "Turned red"),
            (
                (
                    mutant.id,
                    views.words(mutant.outcome),
                    mutant.level,
                    ", ".join(mutant.requirements),
                    ", ".join(mutant.red),
                )
                for mutant in report.mutants
            ),
        )


def _deployment(report: Report) -> Iterator[str]:
    deployment = report.deployment
    if deployment.versions:
        yield "## Versions: claimed, and what really ran"
        yield ""
        yield from _table(
            ("Image", "Claimed", "Really ran"),
            ((image.name, image.claimed, image.real or "unknown") for image in deployment.versions),
        )
    if deployment.left_out:
        yield "## What this target leaves out"
        yield ""
        yield from _table(("What", "Why"), ((thing.what, thing.why) for thing in deployment.left_out))
    if report.run.differences:
        yield "## Differences from production"
        yield ""
        yield from _table(
            ("Object", "Field", "Production", "Here"),
            (
                (entry.object, entry.field, entry.production or "", entry.here or "")
                for entry in report.run.differences
            ),
        )


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(escaped(cell) for cell in row)} |"
    yield ""
