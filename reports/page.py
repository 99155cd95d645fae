"""The HTML page of a report: one file, nothing from elsewhere; its one script only filters, and may be missing."""

import base64
import hashlib
import shlex
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports import apart, breakages, evidence, kills, pictures, plots, views, wording
from reports.comparison import own_time
from reports.model import Report, Verdict
from reports.text import first_line

_TEMPLATES = Path(__file__).with_name("templates")

_SIGNS = {
    Verdict.ERROR: "!",
    Verdict.FAILED: "✕",
    Verdict.NOT_RUN: "○",
    Verdict.WAIVED: "◐",
    Verdict.KNOWN_DEVIATION: "≈",
    Verdict.PASSED: "✓",
}


def render_page(report: Report) -> str:
    """The page as text. Everything that comes from the report is escaped; no script but our own may run."""
    length, bars = views.timeline(report)
    tests = {test.id: test for test in report.tests}
    comparison = report.comparison
    measured = pictures.pictures(report)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            run=report.run,
            headline=views.headline(report),
            areas=views.areas(report),
            comparison=comparison,
            changed=views.worth_telling(comparison),
            since=comparison.red_since if comparison else {},
            past=views.past(report),
            requirements={entry.id: entry for entry in report.requirements},
            broken=breakages.breakages(report, views.BROKEN),
            bent=breakages.breakages(report, views.BENT),
            not_run=views.not_run(report),
            worst_first=views.having(report, Verdict),
            tests={
                entry.id: sorted(map(tests.__getitem__, entry.tests), key=lambda test: -test.outcome.badness)
                for entry in report.requirements
            },
            pictures=measured,
            measured_by={entry.id: entry.requirements for entry in report.tests},
            shown_in=pictures.by_test(measured),
            slowest=views.slowest(report),
            length=length,
            bars=bars,
            memory=views.memory(report),
            apart=apart.apart(report),
            mutants=kills.all_mutants(report),
            escaped=kills.escaped(report),
            herds=kills.by_area(report),
            offers=views.offers(report),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "as_svg": lambda picture: Markup(plots.draw(picture)),  # noqa: S704 - an element, its texts escaped
        "clearly_other": views.clearly_other,
        "duration": wording.duration,
        "evidence": evidence.shown,
        "findings": evidence.findings,
        "first_line": first_line,
        "number": wording.number,
        "other_version": views.other_version,
        "own_time": own_time,
        "setting": apart.setting,
        "shell": shlex.join,
        "size": wording.size,
        "words": wording.words,
    }
    environment.globals |= {
        "many": wording.many,
        "ratio": wording.ratio,
        "share": wording.share,
        "script": Markup(filter_script()),  # noqa: S704 - a file of ours, nothing of the report
        "script_hash": base64.b64encode(hashlib.sha256(filter_script().encode()).digest()).decode(),
        "signs": _SIGNS,
        "verdicts": list(Verdict),
    }
    return environment


@cache
def filter_script() -> str:
    """The one script of the page; its hash is in the page's policy, so that a browser runs no other."""
    return (_TEMPLATES / "filter.js").read_text(encoding="utf-8")
