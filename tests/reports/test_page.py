"""The page stays small and quick, says each thing once, and lets no text of a report become markup."""

import time

import pytest

from reports import evidence
from reports.apart import apart, setting
from reports.breakages import breakages
from reports.kills import all_mutants, by_area, escaped
from reports.markdown import render_markdown
from reports.model import (
    Difference,
    Evidence,
    Mutant,
    MutantOutcome,
    Reason,
    Report,
    RequirementEntry,
    Run,
    TestEntry,
    Verdict,
)
from reports.page import filter_script, render_page
from reports.schema import violation
from reports.views import BROKEN, areas, slowest
from tests.reports.synthetic import nights

RENDERING_LIMIT_S = 20.0
"""Of processor time; under a second is usual, this is for a machine that does much else."""

LARGEST_PAGE = 3 * 2**20


@pytest.fixture(scope="module")
def large() -> Report:
    return nights(5, 400, 400)


def test_a_large_report_makes_a_page_that_a_phone_can_open(large: Report) -> None:
    assert violation(large.model_dump(mode="json")) is None
    begin = time.process_time()
    page = render_page(large)
    assert time.process_time() - begin < RENDERING_LIMIT_S
    assert len(page.encode()) < LARGEST_PAGE
    assert page.count('<details class="requirement') == len(large.requirements)
    assert len(render_markdown(large)) < 2**18


def test_every_requirement_has_one_row_the_worst_first(large: Report) -> None:
    rows = render_page(large).split('<details class="requirement ')[1:]
    verdicts = [Verdict(row.partition('"')[0]) for row in rows]
    assert verdicts == sorted(verdicts, key=lambda verdict: -verdict.badness)


def test_without_scripts_everything_is_there() -> None:
    page = render_page(nights(1, 20, 0)).replace(filter_script(), "")
    assert '<form id="filter" class="filter" hidden>' in page, "a filter that does nothing is not shown"
    assert (
        page.count("hidden")
        == page.count("aria-hidden") + page.count("overflow: hidden") + page.count("[hidden]") + 1
    ), "and nothing else waits for the script to be shown"


def broken(*reasons: str) -> Report:
    """A requirement for each reason, with one test that broke for it."""
    tests, entries = [], []
    for number, text in enumerate(reasons):
        name, reason = f"MED-{number:03}", Reason(text=text)
        tests.append(TestEntry(id=f"t{number}", outcome="error", requirements=(name,), reason=reason))
        entries.append(
            RequirementEntry(
                id=name, area="media", text="MUST", source="x", verdict="error", tests=(f"t{number}",)
            )
        )
    return Report.of(Run(id="r", started="2026-06-15T12:00:00Z"), entries, tests)


def test_one_cause_is_told_once_with_all_that_it_broke() -> None:
    found = breakages(broken("no cluster", "x", "no cluster"), BROKEN)
    told = [
        (
            [entry.id for entry in each.requirements],
            [(cause.said, len(cause.tests)) for cause in each.causes],
        )
        for each in found
    ]
    assert told == [(["MED-000", "MED-002"], [("no cluster", 2)]), (["MED-001"], [("x", 1)])]


def test_the_time_of_an_area_is_that_of_its_tests_each_once() -> None:
    report = broken("a", "b")
    tests = [test.model_copy(update={"duration_s": 13.0, "setup_s": 10.0}) for test in report.tests]
    twice = report.requirements[0].model_copy(update={"tests": ("t0", "t1")})
    [area] = areas(Report.of(report.run, [twice, report.requirements[1]], tests))
    assert (area.duration_s, len(area.tests), area.held) == (6.0, 2, 0)
    assert [test.id for test in slowest(Report.of(report.run, [], tests))] == ["t0", "t1"]


def mutant(name: str, outcome: str, *requirements: str, red: tuple[str, ...] = ()) -> Mutant:
    return Mutant(id=name, requirements=requirements, level="static", outcome=outcome, red=red, duration_s=2)


def test_the_kill_matrix_has_survivors_on_top_and_a_rate_for_each_area() -> None:
    rows = [
        mutant("k", "killed", "STA-001", "ROU-002", red=("STA-001", "ROU-002", "STA-009")),
        mutant("w", "wrong_diagnosis", "ROU-001", red=("STA-001",)),
        mutant("e", "error", "ROU-001"),
        mutant("s", "survived", "STA-001"),
        mutant("odd", "killed", "XYZ-001", red=("XYZ-001",)),
    ]
    report = Report.of(broken().run, [], [], mutants=rows)
    assert [each.id for each in escaped(report)] == ["s", "e", "w"]
    everything = all_mutants(report)
    assert (everything.known, everything.counts[MutantOutcome.KILLED], everything.duration_s) == (4, 2, 10)
    assert [(herd.name, [each.id for each in herd.mutants]) for herd in by_area(report)] == [
        ("static", ["s", "k"]),
        ("routing", ["e", "w"]),
        ("other", ["odd"]),
    ]
    guards = {each.requirement: (each.noticed, each.mutants) for each in everything.guards}
    assert guards["STA-001"] == (1, 2)
    assert next(iter(guards)) == "ROU-001", "the least watchful first"


def test_differences_are_grouped_by_object() -> None:
    found = (
        Difference(object="Service/a", field="", production="there"),
        Difference(object="Service/b", field="", production="there"),
        Difference(object="Job/c", field="", here="there"),
        Difference(object="Deployment/d", field="spec.replicas", production="2", here="1"),
        Difference(object="Deployment/d", field="spec.paused", here="true"),
    )
    run = broken().run.model_copy(update={"differences": found})
    grouped = apart(Report.of(run, [], []))
    assert grouped.only_production == (("Service", ("a", "b")),)
    assert grouped.only_here == (("Job", ("c",)),)
    assert (grouped.changed, grouped.fields) == ((("Deployment/d", found[3:]),), 2)
    memory = "spec.template.spec.containers[synapse].resources.limits.memory"
    assert [setting(each) for each in (memory, "spec.replicas", "70-local.yaml")] == [
        "limits.memory",
        "replicas",
        "70-local.yaml",
    ]


def test_findings_become_a_table_of_the_columns_that_say_something() -> None:
    value = [{"remedy": "r", "object": "o", "file": None}, {"object": "p", "seen": [1, "two"], "count": 3}]
    table = evidence.findings(Evidence(name="findings", value=value))
    assert table is not None
    assert table.columns == ("object", "remedy", "seen", "count")
    assert table.rows == (("o", "r", "", ""), ("p", "", "1, two", "3"))
    many = evidence.findings(Evidence(name="findings", value=[{"object": "o"}] * (evidence.SHOWN_ROWS + 2)))
    assert many is not None
    assert (len(many.rows), many.more) == (evidence.SHOWN_ROWS, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("findings", []),
        ("findings", "none"),
        ("findings", [1]),
        ("findings", [{}]),
        ("seen", [{"object": 1}]),
    ],
)
def test_other_evidence_is_no_table(name: str, value: object) -> None:
    assert evidence.findings(Evidence(name=name, value=value)) is None


def test_long_evidence_is_cut_to_its_end() -> None:
    text = evidence.shown(Evidence(name="traceback", value="x" * evidence.SHOWN_CHARACTERS + "E: the end"))
    assert text.startswith("… 10 characters before this are in report.json\n")
    assert text.endswith("E: the end")


HOSTILE = "<script>alert(1)</script>'\"><img src=x onerror=alert(1)></summary></table></details>"


def test_no_text_of_a_report_becomes_markup() -> None:
    """Every string of a whole report is hostile, ids too; what must be a verdict stays one."""
    document = nights(3, 40, 40).model_dump(mode="json")
    structure = {
        *("verdict", "outcome", "kind", "level", "started", "before", "now", "schema", "requirements"),
        *("tests", "test", "id", "red", "area"),
    }

    def poisoned(value: object, key: str = "") -> object:
        match value:
            case str() if key not in structure:
                return f"{value}{HOSTILE}"
            case list():
                return [poisoned(item, key) for item in value]
            case dict():
                return {name: poisoned(item, name) for name, item in value.items()}
            case _:
                return value

    summary = document.pop("summary")
    report = Report.model_validate({**{k: poisoned(v, k) for k, v in document.items()}, "summary": summary})
    report = report.model_copy(
        update={
            "run": report.run.model_copy(update={"id": HOSTILE, "mutant": HOSTILE}),
            "requirements": tuple(
                entry.model_copy(update={"id": f"{entry.id}{HOSTILE}", "area": f"{entry.area}{HOSTILE}"})
                for entry in report.requirements
            ),
            "mutants": tuple(
                each.model_copy(update={"id": HOSTILE, "requirements": (HOSTILE,), "red": (HOSTILE, "x")})
                for each in report.mutants or ()
            ),
        }
    )
    page = render_page(report)
    assert "alert(1)" in page
    assert page.count("<script") == 1
    assert "<img" not in page
    assert page.count("<details") == page.count("</details>")
    assert page.count("<table") == page.count("</table>")
    summary_text = render_markdown(report)
    assert "<script" not in summary_text
    assert "<img" not in summary_text
