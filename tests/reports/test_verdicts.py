"""What pytest sees of a test becomes exactly one verdict, with a reason that the report can show."""

import pytest

from reports.model import NotRun, NotRunKind
from tests.reports.conftest import Project

DEVIATION = "@pytest.mark.known_deviation('https://upstream.example/1', 'answers 404')\n"
MARKED = "@pytest.mark.requirement('MED-001')\n"


@pytest.mark.parametrize(
    ("tests", "verdict", "said", "code"),
    [
        (MARKED + "def test_it(): pass", "passed", None, 0),
        (MARKED + "def test_it(): assert 1 == 2", "failed", "assert 1 == 2", 1),
        (
            "@pytest.fixture\ndef room(): raise OSError('no room')\n" + MARKED + "def test_it(room): pass",
            "error",
            "setup: OSError: no room",
            1,
        ),
        (
            "@pytest.fixture\ndef room():\n    yield\n    raise OSError('stuck')\n"
            + MARKED
            + "def test_it(room): pass",
            "error",
            "teardown: OSError: stuck",
            1,
        ),
        (
            MARKED + "def test_it(): raise NotRun(NotRunKind.INCONCLUSIVE, 'no message was acknowledged')",
            "not_run",
            "no message was acknowledged",
            0,
        ),
        (
            "@pytest.fixture\ndef room(): raise NotRun(NotRunKind.UNAVAILABLE, 'no browser')\n"
            + MARKED
            + "def test_it(room): pass",
            "not_run",
            "no browser",
            0,
        ),
        (
            MARKED
            + "def test_it(): raise ExceptionGroup('tasks', [NotRun(NotRunKind.UNAVAILABLE, 'no peer')])",
            "not_run",
            "no peer",
            0,
        ),
        (
            MARKED
            + "def test_it(): raise ExceptionGroup('x', [NotRun(NotRunKind.UNAVAILABLE, 'y'), OSError('z')])",
            "failed",
            "ExceptionGroup",
            1,
        ),
        (
            "@pytest.fixture\ndef room():\n    yield\n    raise NotRun(NotRunKind.UNAVAILABLE, 'too late')\n"
            + MARKED
            + "def test_it(room): pass",
            "error",
            "too late",
            1,
        ),
        (MARKED + "def test_it(): getattr(pytest, 'skip')('sly')", "error", "without a typed reason: sly", 1),
        (
            MARKED + "def test_it(): getattr(pytest, 'xfail')('sly')",
            "error",
            "without a typed reason: xfail: ",
            1,
        ),
        (MARKED + DEVIATION + "def test_it(): assert 404 == 403", "known_deviation", "answers 404", 0),
        (MARKED + DEVIATION + "def test_it(): pass", "failed", "the deviation is gone: remove the marker", 1),
        (
            "@pytest.fixture\ndef room(): raise OSError('no room')\n"
            + MARKED
            + DEVIATION
            + "def test_it(room): pass",
            "error",
            "no room",
            1,
        ),
    ],
)
def test_one_verdict_with_its_reason(
    project: Project, tests: str, verdict: str, said: str | None, code: int
) -> None:
    project.media(tests)
    outcome = project.run()
    entry = outcome.test("test_it")
    assert entry.outcome == verdict
    assert outcome.requirement("MED-001").verdict == verdict
    assert (said in outcome.reason("test_it").text) if said else entry.reason is None
    assert outcome.code == outcome.report.run.exit_code == code


def test_a_typed_reason_is_shown_by_pytest_too(project: Project) -> None:
    project.media(MARKED + "def test_it(): raise NotRun(NotRunKind.CAPABILITY_ABSENT, 'no signals here')")
    assert "not run: capability_absent: no signals here" in project.run().output


def test_a_known_deviation_keeps_its_link_and_what_was_seen(project: Project) -> None:
    project.media(MARKED + DEVIATION + "def test_it(): assert 404 == 403")
    reason = project.run().reason("test_it")
    assert reason.link == "https://upstream.example/1"
    assert "assert 404 == 403" in reason.text


def test_a_requirement_is_as_good_as_the_worst_of_its_tests(project: Project) -> None:
    project.media(MARKED + "def test_it(): pass\n" + MARKED + "def test_more(): assert 1 == 2")
    outcome = project.run()
    entry = outcome.requirement("MED-001")
    assert entry.verdict == "failed"
    assert entry.reason == outcome.test("test_more").reason
    assert len(entry.tests) == 2


def test_one_test_may_prove_several_requirements(project: Project) -> None:
    project.media(MARKED + "@pytest.mark.requirement('MED-002')\ndef test_it(): pass", "MED-001", "MED-002")
    outcome = project.run()
    assert outcome.test("test_it").requirements == ("MED-001", "MED-002")
    assert outcome.requirement("MED-002").verdict == "passed"


class TestAWaiver:
    def test_turns_failed_into_waived_and_the_run_does_not_fail(self, project: Project) -> None:
        project.media(MARKED + "def test_it(): assert 1 == 2")
        project.waive("MED-001", "9999-12-31")
        outcome = project.run()
        assert outcome.code == 0
        entry = outcome.test("test_it")
        assert entry.outcome == outcome.requirement("MED-001").verdict == "waived"
        assert entry.reason is not None
        for part in ("waived until 9999-12-31 by Ada: mended soon", "assert 1 == 2"):
            assert part in entry.reason.text

    def test_does_not_bend_an_error(self, project: Project) -> None:
        project.media("@pytest.fixture\ndef room(): raise OSError\n" + MARKED + "def test_it(room): pass")
        project.waive("MED-001", "9999-12-31")
        outcome = project.run()
        assert outcome.test("test_it").outcome == "error"
        assert outcome.code == 1

    def test_of_one_requirement_does_not_cover_another_one_of_the_same_test(self, project: Project) -> None:
        tests = MARKED + "@pytest.mark.requirement('MED-002')\ndef test_it(): assert 1 == 2"
        project.media(tests, "MED-001", "MED-002")
        project.waive("MED-001", "9999-12-31")
        assert project.run().test("test_it").outcome == "failed"

    def test_leaves_a_pass_alone(self, project: Project) -> None:
        project.media(MARKED + "def test_it(): pass")
        project.waive("MED-001", "9999-12-31")
        assert project.run().test("test_it").outcome == "passed"


class TestDeselected:
    def test_tests_are_recorded_with_what_left_them_out(self, project: Project) -> None:
        project.media(MARKED + "@pytest.mark.slow\ndef test_it(): pass\n" + MARKED + "def test_more(): pass")
        outcome = project.run("-m", "not slow")
        reason = outcome.reason("test_it")
        assert (reason.kind, reason.text) == ("deselected", "left out by -m 'not slow'")
        assert outcome.test("test_more").outcome == "passed"
        assert outcome.requirement("MED-001").verdict == "not_run"

    def test_areas_appear_with_all_their_requirements(self, project: Project) -> None:
        project.media(MARKED + "def test_it(): pass")
        project.area("push", ["PSH-001"], "@pytest.mark.requirement('PSH-001')\ndef test_push(): pass")
        entry = project.run("suites/media").requirement("PSH-001")
        assert entry.reason is not None
        assert (entry.verdict, entry.reason.kind, entry.tests) == ("not_run", "deselected", ())

    def test_all_of_them_leave_a_report_of_nothing(self, project: Project) -> None:
        project.media(MARKED + "def test_it(): pass")
        outcome = project.run("-k", "nothing_of_the_kind")
        assert outcome.code == outcome.report.run.exit_code == pytest.ExitCode.NO_TESTS_COLLECTED
        assert outcome.reason("test_it").text == "left out by -k 'nothing_of_the_kind'"


def test_a_typed_reason_is_never_empty() -> None:
    with pytest.raises(ValueError, match="needs a reason"):
        NotRun(NotRunKind.UNAVAILABLE, " ")


SIGTERM = "import os; os.kill(os.getpid(), 15)"


class TestInterrupted:
    @pytest.mark.parametrize(
        ("statement", "arguments", "code", "said"),
        [
            ("pytest.exit('the target is gone', returncode=10)", [], 10, "the target is gone"),
            ("raise KeyboardInterrupt", [], 2, "interrupted from the keyboard"),
            (SIGTERM, [], 2, "it was asked to end (SIGTERM)"),
            (f"import signal; signal.signal(2, signal.SIG_IGN); {SIGTERM}", [], 2, "it was asked to end"),
            ("assert False", ["-x"], 1, "stopping after 1 failures"),
        ],
    )
    def test_tests_after_the_end_are_not_run(
        self, project: Project, statement: str, arguments: list[str], code: int, said: str
    ) -> None:
        project.media(
            MARKED
            + "def test_first(): pass\n"
            + MARKED
            + f"def test_it(): {statement}\n"
            + MARKED
            + "def test_more(): pass"
        )
        # pytester hands a KeyboardInterrupt of its own process on.
        outcome = project.run(*arguments, subprocess=code == pytest.ExitCode.INTERRUPTED)
        assert outcome.code == outcome.report.run.exit_code == code
        assert outcome.test("test_first").outcome == "passed"
        reason = outcome.reason("test_more")
        assert reason.kind == "interrupted"
        assert said in reason.text

    def test_also_by_a_crash_of_a_plugin(self, project: Project) -> None:
        project.media(MARKED + "def test_it(): pass")
        (project.root / "suites" / "conftest.py").write_text(
            "def pytest_runtest_protocol(): raise OSError('boom')\n"
        )
        outcome = project.run()
        assert outcome.code == pytest.ExitCode.INTERNAL_ERROR
        assert "boom" in outcome.reason("test_it").text
        assert outcome.report.run.error is not None
        assert "boom" in outcome.report.run.error

    def test_also_by_a_kill_that_leaves_no_time_for_anything(self, project: Project) -> None:
        project.media(
            MARKED + "def test_it():\n    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)"
        )
        outcome = project.run(subprocess=True)
        assert outcome.code == -9
        assert outcome.report.run.exit_code is None
        assert outcome.reason("test_it").text == "the run was killed before it could finish its report"

    def test_a_test_that_was_only_set_up_has_not_passed(self, project: Project) -> None:
        project.media(MARKED + "def test_it(): assert False")
        assert project.run("--setup-only").test("test_it").outcome == "not_run"


class TestEvidence:
    def test_is_kept_as_it_was_when_attached(self, project: Project) -> None:
        project.media(
            MARKED + "def test_it(evidence):\n    seen = {'rooms': [1]}\n    evidence('rooms', seen)\n"
            "    seen['rooms'].append(2)\n    evidence.basis = 'measured'"
        )
        entry = project.run().test("test_it")
        assert [(found.name, found.value) for found in entry.evidence] == [("rooms", {"rooms": [1]})]
        assert entry.basis == "measured"

    def test_that_is_no_json_fails_the_test(self, project: Project) -> None:
        project.media(MARKED + "def test_it(evidence): evidence('it', object())")
        assert project.run().test("test_it").outcome == "failed"

    def test_of_a_failure_holds_traceback_and_output(self, project: Project) -> None:
        project.media(MARKED + "def test_it():\n    print('a word')\n    assert 1 == 2")
        names = {found.name: found.value for found in project.run().test("test_it").evidence}
        assert isinstance(names["traceback"], str)
        assert "assert 1 == 2" in names["traceback"]
        assert names["captured stdout call"] == "a word\n"


class TestPlot:
    def test_is_kept_with_its_test_also_when_that_fails(self, project: Project) -> None:
        project.media(
            MARKED + "def test_it(plot):\n    for line in ('there', 'back'):\n"
            "        plot('delivery', line, x='message', y='seconds', points=enumerate([0.12345, 2], 1))\n"
            "    assert False"
        )
        report = project.run().report
        assert report.series is not None
        assert [(each.plot, each.name, each.x, each.y) for each in report.series] == [
            ("delivery", "there", "message", "seconds"),
            ("delivery", "back", "message", "seconds"),
        ]
        assert {each.points for each in report.series} == {((1, 0.123), (2, 2))}
        assert {each.test for each in report.series} == {report.tests[0].id}

    @pytest.mark.parametrize(
        "points", ["[]", "[(1, float('nan'))]", "[(1, float('inf'))]", "[(1, 1)] * 1001", "[(1, None)]"]
    )
    def test_of_what_cannot_be_drawn_fails_the_test(self, project: Project, points: str) -> None:
        project.media(MARKED + f"def test_it(plot): plot('a', 'b', x='c', y='d', points={points})")
        outcome = project.run()
        assert outcome.test("test_it").outcome == "failed"
        assert outcome.report.series is None
