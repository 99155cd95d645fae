"""When a verdict over the whole run may be given at all."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fixtures.plugins.resources import SUITES, left_out, pytest_collection_modifyitems, unfinished
from reports.model import NotRunKind, Reason, Verdict
from reports.record import Phase, RunRecord

ROOT = SUITES.parent
MINE = "suites/client_api/test_resources.py::test_everything"


def a_record(folder: Path, **outcomes: Verdict | NotRunKind | None) -> RunRecord:
    """Of a session with this test and others: their verdict, why they did not run, or None for not yet."""
    record = RunRecord.begin(folder, (), None)
    record.tests.collected[MINE] = ()
    for name, outcome in outcomes.items():
        test = f"suites/media/test_{name}.py::test_it"
        record.tests.collected[test] = ()
        if outcome is None:
            continue
        kind = outcome if isinstance(outcome, NotRunKind) else None
        reason = Reason(kind=kind, text="because") if kind else None
        verdict = Verdict.NOT_RUN if kind else cast(Verdict, outcome)
        record.tests.phases[test] = [
            Phase(when=when, verdict=verdict, duration_s=0, requirements=(), reason=reason)
            for when in ("setup", "call", "teardown")
        ]
    return record


def config(*arguments: str) -> pytest.Config:
    """What is asked of a configuration."""
    return cast(pytest.Config, SimpleNamespace(rootpath=ROOT, args=list(arguments)))


def whole(folder: Path) -> RunRecord:
    """A session that has collected every file."""
    record = a_record(folder)
    files = SUITES.rglob("test_*.py")
    record.tests.collected |= {f"{file.relative_to(ROOT)}::test_it": () for file in files}
    return record


def test_a_session_over_every_file_leaves_nothing_out(tmp_path: Path) -> None:
    assert left_out(config("suites/"), whole(tmp_path)) is None


def test_a_file_that_was_not_collected_is_left_out(tmp_path: Path) -> None:
    record = whole(tmp_path)
    del record.tests.collected["suites/media/test_access.py::test_it"]
    assert (
        left_out(config("suites/"), record) == "1 files were not collected, media/test_access.py among them"
    )


def test_what_was_deselected_is_left_out(tmp_path: Path) -> None:
    record = whole(tmp_path)
    record.tests.deselected["suites/media/test_access.py::test_it"] = "-m"
    assert left_out(config("suites/"), record) == "1 tests were deselected"


def test_tests_that_were_chosen_by_name_leave_others_out(tmp_path: Path) -> None:
    chosen = config("suites/routing", "suites/media/test_access.py::test_it")
    assert left_out(chosen, whole(tmp_path)) == "some tests were chosen by name"


@pytest.mark.parametrize(
    ("outcome", "unsure"),
    [
        (Verdict.PASSED, None),
        (Verdict.KNOWN_DEVIATION, None),
        (Verdict.WAIVED, None),
        (NotRunKind.CAPABILITY_ABSENT, None),
        (NotRunKind.UNAVAILABLE, None),
        (Verdict.FAILED, "1 tests went wrong"),
        (Verdict.ERROR, "1 tests went wrong"),
        (NotRunKind.INCONCLUSIVE, "1 tests went wrong"),
        (NotRunKind.DEPLOYMENT_FAILED, "1 tests went wrong"),
        (None, "1 tests come after this one"),
    ],
)
def test_who_may_still_ask_for_something_leaves_it_open(
    tmp_path: Path, outcome: Verdict | NotRunKind | None, unsure: str | None
) -> None:
    found = unfinished(a_record(tmp_path, other=outcome), MINE)
    assert found is None if unsure is None else found is not None and found.startswith(unsure)


def test_who_judges_the_whole_run_comes_last() -> None:
    items: list[Any] = [
        SimpleNamespace(name=name, fixturenames=names)
        for name, names in (("last", ("whole_run",)), ("first", ()), ("second", ("deployment",)))
    ]
    pytest_collection_modifyitems(items)
    assert [item.name for item in items] == ["first", "second", "last"]
