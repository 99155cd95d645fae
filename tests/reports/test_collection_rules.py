"""Every rule for tests below `suites/` ends the session with one line that names place and remedy."""

import pytest

from tests.reports.conftest import Project


def test_a_suite_that_keeps_the_rules_runs(project: Project) -> None:
    project.media("@pytest.mark.requirement('MED-001')\ndef test_it(): pass")
    outcome = project.run()
    assert outcome.code == 0
    assert outcome.requirement("MED-001").verdict == "passed"


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ("def test_it(): pass", "suites/media/test_it.py:5: test_it: proves no requirement; mark it"),
        (
            "@pytest.mark.requirement('MED-009')\ndef test_it(): pass",
            "test_it: unknown requirement MED-009; correct",
        ),
        ("@pytest.mark.requirement()\ndef test_it(): pass", "test_it: requirement takes exactly one id"),
        (
            "@pytest.mark.requirement('MED-001', 'MED-002')\ndef test_it(): pass",
            "requirement takes exactly one id",
        ),
        (
            (
                "@pytest.mark.requirement('MED-001')\n@pytest.mark.known_deviation('http://x.org', 'r')\n"
                "def test_it(): pass"
            ),
            "known_deviation: its link 'http://x.org' is no https URL",
        ),
        (
            (
                "@pytest.mark.requirement('MED-001')\n@pytest.mark.known_deviation('https://x.org', ' ')\n"
                "def test_it(): pass"
            ),
            "known_deviation: its reason is empty",
        ),
        (
            "@pytest.mark.requirement('MED-001')\n@pytest.mark.known_deviation\ndef test_it(): pass",
            "known_deviation takes a link and a reason",
        ),
        (
            "@pytest.mark.requirement('MED-001')\n@pytest.mark.disruptive\ndef test_it(): pass",
            "disruptive names no role",
        ),
    ],
)
def test_a_test_that_breaks_a_rule_ends_the_session(project: Project, tests: str, expected: str) -> None:
    project.media(tests)
    outcome = project.run()
    assert outcome.code == pytest.ExitCode.USAGE_ERROR
    assert any(expected in line for line in outcome.errors), outcome.output
    assert " passed" not in outcome.output


def test_a_parametrised_test_is_complained_about_once(project: Project) -> None:
    project.media("@pytest.mark.parametrize('n', [1, 2, 3])\ndef test_it(n): pass")
    outcome = project.run()
    assert len([line for line in outcome.errors if "test_it: proves no requirement" in line]) == 1


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("pytest.skip('later')", "pytest.skip"),
        ("pytest.importorskip('nothing_of_the_kind')", "pytest.importorskip"),
        ("pytest.xfail('broken')", "pytest.xfail"),
        ("from pytest import skip as leave; leave('later')", "pytest.skip"),
        ("import pytest as p; p.skip('later')", "pytest.skip"),
        ("from pytest import mark as m; m.skipif(True, reason='x')", "pytest.mark.skipif"),
        ("pytest.param(1, marks=pytest.mark.xfail)", "pytest.mark.xfail"),
        ("pytest.mark.skip", "pytest.mark.skip"),
        ("import unittest; raise unittest.SkipTest('later')", "unittest.SkipTest"),
        ("from _pytest.outcomes import skip", "_pytest.outcomes.skip"),
    ],
)
def test_a_bare_skip_in_a_suite_ends_the_session(project: Project, statement: str, named: str) -> None:
    project.media(f"@pytest.mark.requirement('MED-001')\ndef test_it():\n    {statement}")
    outcome = project.run()
    assert outcome.code == pytest.ExitCode.USAGE_ERROR
    expected = f"suites/media/test_it.py:7: {named} gives no typed reason; "
    assert any(line.startswith(expected) and line.endswith(" instead") for line in outcome.errors), (
        outcome.output
    )


@pytest.mark.parametrize("file", ["suites/conftest.py", "suites/media/conftest.py", "suites/media/rooms.py"])
def test_a_bare_skip_beside_the_tests_is_found_too(project: Project, file: str) -> None:
    project.media("@pytest.mark.requirement('MED-001')\ndef test_it(): pass")
    (project.root / file).write_text("import pytest\ndef needs(): pytest.skip('later')\n")
    outcome = project.run()
    assert [line for line in outcome.errors if line.startswith(f"{file}:2: pytest.skip")], outcome.output


@pytest.mark.parametrize("file", ["suites/conftest.py", "suites/media/conftest.py"])
def test_a_bare_skip_above_a_single_file_is_found_too(project: Project, file: str) -> None:
    project.media("@pytest.mark.requirement('MED-001')\ndef test_it(): pass")
    (project.root / file).write_text("import pytest\ndef needs(): pytest.skip('later')\n")
    outcome = project.run("suites/media/test_it.py")
    assert [line for line in outcome.errors if line.startswith(f"{file}:2: pytest.skip")], outcome.output


def test_a_module_that_skips_itself_does_not_escape(project: Project) -> None:
    project.media("pytest.skip('all of it', allow_module_level=True)")
    assert "pytest.skip gives no typed reason" in project.run().output


def test_tests_outside_the_suites_are_free(project: Project) -> None:
    (project.root / "tests").mkdir()
    (project.root / "tests" / "test_own.py").write_text(
        "import pytest\ndef test_it(): pytest.skip('why not')\n"
    )
    outcome = project.run("tests")
    assert outcome.code == 0
    assert list(outcome.folder.iterdir()) == [], "nothing to report: neither a folder nor latest"


class TestARequirementWithoutATest:
    @pytest.fixture(autouse=True)
    def two_areas(self, project: Project) -> None:
        project.media("@pytest.mark.requirement('MED-001')\ndef test_it(): pass", "MED-001", "MED-002")
        project.area("push", ["PSH-001"], "@pytest.mark.requirement('PSH-001')\ndef test_push(): pass")

    @pytest.mark.parametrize("arguments", [[], ["suites/media"], ["suites", "-m", "not slow"]])
    def test_is_refused_when_its_area_is_collected_as_a_whole(
        self, project: Project, arguments: list[str]
    ) -> None:
        outcome = project.run(*arguments)
        assert outcome.code == pytest.ExitCode.USAGE_ERROR
        assert "suites/media/requirements.yaml: MED-002 has no test; write one" in outcome.output

    @pytest.mark.parametrize(
        "arguments",
        [
            ["suites/media/test_it.py"],
            ["suites", "-k", "it"],
            ["suites/push"],
            ["suites/media/test_it.py::test_it"],
        ],
    )
    def test_is_not_judged_when_only_a_part_is_selected(self, project: Project, arguments: list[str]) -> None:
        assert project.run(*arguments).code == 0

    def test_is_not_judged_when_a_module_cannot_be_imported(self, project: Project) -> None:
        (project.root / "suites" / "media" / "test_more.py").write_text("import nothing_of_the_kind\n")
        outcome = project.run()
        assert outcome.code == pytest.ExitCode.INTERRUPTED
        assert outcome.report.run.error is not None
        assert "nothing_of_the_kind" in outcome.report.run.error
        assert outcome.reason("test_it").kind == "interrupted"


def test_an_area_without_a_catalogue_knows_no_requirement(project: Project) -> None:
    project.media("@pytest.mark.requirement('MED-001')\ndef test_it(): pass")
    (project.root / "suites" / "media" / "requirements.yaml").unlink()
    assert "unknown requirement MED-001" in project.run().output


def test_a_breach_leaves_a_report_in_which_nothing_ran(project: Project) -> None:
    project.media("@pytest.mark.requirement('MED-009')\ndef test_it(): pass")
    outcome = project.run()
    assert outcome.report.run.exit_code == pytest.ExitCode.USAGE_ERROR
    assert outcome.report.run.error is not None
    assert "unknown requirement MED-009" in outcome.report.run.error
    assert outcome.reason("test_it").kind == "interrupted"


def test_an_expired_waiver_ends_the_session_and_names_its_owner(project: Project) -> None:
    project.media("@pytest.mark.requirement('MED-001')\ndef test_it(): assert False")
    project.waive("MED-001", "2020-01-31")
    outcome = project.run()
    assert outcome.code == pytest.ExitCode.USAGE_ERROR
    [line] = outcome.errors
    assert line.startswith("suites/waivers.yaml:")
    for part in ("MED-001", "expired on 2020-01-31", "owner Ada", "renew"):
        assert part in line


def test_the_markers_are_registered_with_what_they_mean(project: Project) -> None:
    project.media(
        "@pytest.mark.requirement('MED-001')\n@pytest.mark.slow\n@pytest.mark.disruptive('media-worker')\n"
        "def test_it(): pass"
    )
    assert project.run().code == 0  # under --strict-markers
    listed = project.run("--markers").output
    for marker in ("requirement(id)", "known_deviation(link, reason)", "slow", "disruptive(role, ...)"):
        assert f"@pytest.mark.{marker}:" in listed
