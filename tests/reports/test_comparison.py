"""What changed since the run before: red, green, unseen, slower, bigger; and which run is the one before."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reports.changes import AreaVerdict, Past, RunName, Slower, Turn
from reports.comparison import KEPT_RUNS, comparable, compare
from reports.history import earlier, with_comparison
from reports.markdown import render_markdown
from reports.model import (
    Comparison,
    DeploymentEntry,
    Event,
    Memory,
    Mutant,
    NotRunKind,
    Reason,
    Report,
    RequirementEntry,
    Run,
    TestEntry,
    Verdict,
)
from reports.page import render_page
from reports.publishing import publish

START = datetime(2026, 6, 15, 12, tzinfo=UTC)


def report(number: int = 0, run: dict[str, Any] | None = None, seconds: float = 1, **verdicts: str) -> Report:
    """The run of hour `number`; `MED_001="failed"` is a requirement with one test of that outcome."""
    tests, entries = [], []
    for name, said in verdicts.items():
        verdict, _, kind = said.partition(":")
        reason = Reason(text="because", kind=NotRunKind(kind)) if kind else None
        proof, area = name.replace("_", "-"), "media" if name.startswith("MED") else "push"
        tests.append(
            TestEntry(
                id=f"t-{proof}",
                outcome=Verdict(verdict),
                duration_s=seconds + 9,
                setup_s=9,
                requirements=(proof,),
                reason=reason,
            )
        )
        entries.append(
            RequirementEntry(
                id=proof,
                area=area,
                text="MUST",
                source="x",
                verdict=Verdict(verdict),
                tests=(f"t-{proof}",),
                reason=reason,
            )
        )
    settings: dict[str, Any] = {"target": "local", "overlay": "local", "exit_code": 0} | (run or {})
    started = START + timedelta(hours=number)
    name = f"{started:%Y%m%dT%H%M%SZ}-abcdef"
    return Report.of(Run(id=name, started=started, **settings), entries, tests)


def name(number: int) -> RunName:
    run = report(number).run
    return RunName(id=run.id, started=run.started)


def turn(requirement: str, before: str, now: str) -> Turn:
    return Turn(requirement=requirement, before=Verdict(before), now=Verdict(now))


def test_two_equal_runs_have_nothing_to_tell() -> None:
    found = compare(report(1, MED_001="passed"), report(0, MED_001="passed"))
    assert found == Comparison(
        against=name(0),
        history=(Past(run=name(0), areas=(AreaVerdict(area="media", verdict=Verdict.PASSED),)),),
    )


@pytest.mark.parametrize(
    ("before", "now", "field"),
    [
        ("passed", "failed", "newly_red"),
        ("not_run:unavailable", "error", "newly_red"),
        ("failed", "error", None),
        ("failed", "passed", "newly_green"),
        ("error", "waived", "newly_green"),
        ("passed", "not_run:capability_absent", "no_longer_seen"),
        ("passed", "not_run:deselected", None),
        ("failed", "not_run:deselected", None),
        ("passed", "waived", None),
    ],
)
def test_a_requirement_turns(before: str, now: str, field: str | None) -> None:
    found = compare(report(1, MED_001=now), report(0, MED_001=before))
    expected = (turn("MED-001", before.partition(":")[0], now.partition(":")[0]),)
    for each in ("newly_red", "newly_green", "no_longer_seen"):
        assert getattr(found, each) == (expected if each == field else ()), each


def test_requirements_come_and_go() -> None:
    found = compare(
        report(1, MED_001="passed", PSH_001="failed"), report(0, MED_001="passed", MED_002="passed")
    )
    assert (found.added, found.removed) == (("PSH-001",), ("MED-002",))
    assert found.newly_red == (), "a new requirement was not green before"


@pytest.mark.parametrize(
    ("before", "now", "slower"),
    [(1, 2.9, False), (3, 5.5, False), (2, 4, True), (0, 2, True), (60, 119, False), (5, 1, False)],
)
def test_a_test_is_slower_by_a_factor_and_by_seconds(before: float, now: float, slower: bool) -> None:
    found = compare(report(1, seconds=now, MED_001="passed"), report(0, seconds=before, MED_001="passed"))
    assert found.slower == ((Slower(test="t-MED-001", before_s=before, now_s=now),) if slower else ())


def test_the_time_of_a_test_that_breaks_is_not_compared() -> None:
    found = compare(report(1, seconds=60, MED_001="failed"), report(0, seconds=1, MED_001="passed"))
    assert found.slower == ()


def test_start_and_memory_are_compared_where_both_are_known() -> None:
    def deployed(number: int, seconds: float, used: int) -> Report:
        entry = DeploymentEntry(
            timeline=(
                Event(at_s=1, object="a", event="ready"),
                Event(at_s=seconds, object="b", event="ready"),
            ),
            memory=(Memory(object="a", used_bytes=used), Memory(object="b")),
        )
        return report(number, MED_001="passed").model_copy(update={"deployment": entry})

    found = compare(deployed(1, 15, 300), deployed(0, 10, 200))
    assert found.start_s is not None
    assert (found.start_s.before, found.start_s.now) == (10, 15)
    assert found.memory_bytes is not None
    assert (found.memory_bytes.before, found.memory_bytes.now) == (200, 300)
    assert compare(deployed(1, 15, 300), report(0, MED_001="passed")).memory_bytes is None


def test_a_mutant_escapes_and_is_caught_again() -> None:
    def bred(number: int, **outcomes: str) -> Report:
        mutants = [
            Mutant(id=each, requirements=("MED-001",), level="live", outcome=outcome)
            for each, outcome in outcomes.items()
        ]
        return Report.of(report(number).run, [], [], mutants=mutants)

    before, now = bred(0, a="killed", b="survived", c="killed"), bred(1, a="survived", b="killed", d="error")
    found = compare(now, before)
    assert (found.newly_escaped, found.newly_killed) == (("a",), ("b",))
    assert comparable(now, before)


def test_the_first_red_run_of_a_row_is_remembered() -> None:
    first = report(0, MED_001="passed")
    second = report(1, MED_001="failed")
    second = second.model_copy(update={"comparison": compare(second, first)})
    third = report(2, MED_001="error", MED_002="failed")
    third = third.model_copy(update={"comparison": compare(third, second)})
    assert third.comparison is not None
    assert third.comparison.red_since == {"MED-001": name(1), "MED-002": name(2)}
    green = compare(report(3, MED_001="passed", MED_002="failed"), third)
    assert green.red_since == {"MED-002": name(2)}
    assert compare(report(3, MED_001="failed"), report(2, MED_001="failed")).red_since == {"MED-001": name(2)}


def test_the_history_grows_and_is_cut() -> None:
    last = report(0, MED_001="passed", PSH_001="not_run:unavailable")
    for number in range(1, KEPT_RUNS + 3):
        now = report(number, MED_001="failed")
        last = now.model_copy(update={"comparison": compare(now, last)})
    assert last.comparison is not None
    history = last.comparison.history
    assert [past.run for past in history] == [name(number) for number in range(2, KEPT_RUNS + 2)]
    assert history[0].areas == (AreaVerdict(area="media", verdict=Verdict.FAILED),)


@pytest.mark.parametrize(
    "other",
    [
        report(0, {"target": "node"}, MED_001="passed"),
        report(0, {"overlay": "ephemeral"}, MED_001="passed"),
        report(0, {"mutant": "a.yaml:b"}, MED_001="passed"),
        report(0, MED_002="passed"),
        report(0, MED_001="not_run:deselected"),
    ],
    ids=["target", "overlay", "mutant", "tests", "deselected"],
)
def test_only_runs_that_looked_at_the_same_are_compared(other: Report) -> None:
    assert comparable(report(1, MED_001="passed"), report(0, MED_001="passed", MED_002="failed"))
    assert not comparable(report(1, MED_001="passed"), other)


def test_the_run_before_is_the_newest_that_came_to_an_end(tmp_path: Path) -> None:
    now = report(9, MED_001="failed")
    assert earlier(now, tmp_path) is None
    assert with_comparison(now, tmp_path).comparison is None
    kept = [
        report(1, MED_001="passed"),
        report(2, MED_001="passed"),
        report(3, MED_002="passed"),
        report(4, {"exit_code": None}, MED_001="passed"),
        report(10, MED_001="passed"),
        now,
    ]
    for each in kept:
        (tmp_path / each.run.id).mkdir()
        publish(each, tmp_path / each.run.id)
    (tmp_path / "20260615T200000Z-ffffff").mkdir()
    (tmp_path / "20260615T200000Z-ffffff" / "report.json").write_text('{"schema": 1}')
    found = earlier(now, tmp_path)
    assert found is not None
    assert found.run.id == name(2).id
    compared = with_comparison(now, tmp_path)
    assert compared.comparison is not None
    assert compared.comparison.newly_red == (turn("MED-001", "passed", "failed"),)


def test_what_changed_is_told_where_people_look() -> None:
    now = report(1, seconds=9, MED_001="failed", MED_002="passed", PSH_001="passed")
    told = now.model_copy(
        update={"comparison": compare(now, report(0, seconds=1, MED_001="passed", MED_002="failed"))}
    )
    page, summary = render_page(told), render_markdown(told)
    assert page.index("<h2>Changed since") < page.index("<h2>What broke")
    assert summary.index("## Changed since") < summary.index("## What broke")
    same = now.model_copy(update={"comparison": compare(now, report(0, seconds=9, MED_001="failed"))})
    assert "Changed since" in render_page(same), "two requirements were added"
    quiet = report(1, MED_001="passed")
    quiet = quiet.model_copy(update={"comparison": compare(quiet, report(0, MED_001="passed"))})
    assert "Changed since" not in render_page(quiet)
    assert "Changed since" not in render_markdown(quiet)
