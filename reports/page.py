"""The HTML page of a report: one file without scripts and without anything from elsewhere."""

import json
import shlex
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports import views
from reports.model import Report, Verdict
from reports.text import first_line

_SIGNS = {
    Verdict.ERROR: "!",
    Verdict.FAILED: "✕",
    Verdict.NOT_RUN: "○",
    Verdict.WAIVED: "◐",
    Verdict.KNOWN_DEVIATION: "≈",
    Verdict.PASSED: "✓",
}


def render_page(report: Report) -> str:
    """The page as text. Everything that comes from the report is escaped."""
    length, bars = views.timeline(report)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            run=report.run,
            headline=views.headline(report),
            areas=views.areas(report),
            broken=views.having(report, views.BROKEN),
            bent=views.having(report, views.BENT),
            not_run=views.not_run(report),
            tests={entry.id: views.tests_of(report, entry) for entry in report.requirements},
            length=length,
            bars=bars,
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "duration": views.duration,
        "size": views.size,
        "words": views.words,
        "shell": shlex.join,
        "other_version": views.other_version,
        "first_line": first_line,
        "evidence": _evidence,
    }
    environment.globals |= {"verdicts": list(Verdict), "signs": _SIGNS}
    return environment


def _evidence(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
