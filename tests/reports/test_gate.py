"""The gate and its command: one exit code, and a line for each reason."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypedDict, Unpack

import pytest
import typer
from typer.testing import CliRunner, Result

from fixtures.cli.gate import gate
from fixtures.cli.report import report as report_command
from reports.documents import DocumentError, load_model
from reports.gate import Code, Policy, Profile, decide, decide_files
from reports.model import Mutant, NotRunKind, Reason, Report, RequirementEntry, Run, Slo, TestEntry, Verdict
from reports.publishing import as_json

POLICY = Path(__file__).parents[2] / "suites" / "gate.toml"


@pytest.fixture
def default() -> Profile:
    return load_model(POLICY, Policy).profile["default"]


@pytest.fixture
def nightly() -> Profile:
    return load_model(POLICY, Policy).profile["nightly"]


class More(TypedDict, total=False):
    """Optional keys of a report."""

    mutants: list[Mutant]
    slos: list[Slo]


def made(
    *verdicts: str,
    kind: str | None = None,
    target: str | None = "local",
    exit_code: int | None = 0,
    error: str | None = None,
    **more: Unpack[More],
) -> Report:
    """A report with a requirement and a test for each verdict."""
    tests, requirements = [], []
    for number, verdict in enumerate(verdicts, 1):
        reason = Reason(text="why", kind=kind) if verdict == "not_run" else None
        name = f"MED-{number:03}"
        test = TestEntry(
            id=f"suites/media/test_it.py::t{number}", outcome=verdict, requirements=(name,), reason=reason
        )
        tests.append(test)
        requirements.append(
            RequirementEntry(
                id=name,
                area="media",
                text="MUST",
                source="x",
                verdict=verdict,
                tests=(test.id,),
                reason=reason,
            )
        )
    run = Run(id="r", started=datetime.now(UTC), target=target, exit_code=exit_code, error=error)
    return Report.of(run, requirements, tests, **more)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [("not_run", None), ("not_run", Reason(text="why")), ("failed", Reason(text="why", kind="unavailable"))],
)
def test_exactly_what_did_not_run_has_a_kind(outcome: str, reason: Reason | None) -> None:
    with pytest.raises(ValueError, match="exactly what is not_run has a kind"):
        TestEntry(id="t", outcome=outcome, reason=reason)


def test_a_requirement_better_than_its_tests_is_no_report() -> None:
    report = made("failed")
    better = report.requirements[0].model_copy(update={"verdict": Verdict.PASSED})
    with pytest.raises(ValueError, match="MED-001 is passed, but its tests say failed"):
        Report.of(report.run, [better], report.tests)


MUTANT = {"id": "open-door", "requirements": ("SEC-001",), "level": "live"}


@pytest.mark.parametrize(
    ("report", "code", "said"),
    [
        (made("passed", "waived", "known_deviation"), Code.ACCEPT, "3 of 3 requirements looked at"),
        (made("passed", "failed"), Code.REJECT, "requirements failed: 1 (MED-002)"),
        (made("passed", "error"), Code.REJECT, "tests error: 1 (suites/media/test_it.py::t2"),
        (made("passed", "not_run", kind="capability_absent"), Code.ACCEPT, "1 of 2 requirements looked at"),
        (
            made("passed", "not_run", kind="deselected"),
            Code.REJECT,
            "requirements not_run, deselected: 1 (MED-002)",
        ),
        (made("passed", "not_run", kind="interrupted"), Code.REJECT, "not_run, interrupted"),
        (made("passed", "not_run", kind="inconclusive"), Code.REJECT, "not_run, inconclusive"),
        (
            made("not_run", "not_run", kind="capability_absent"),
            Code.UNUSABLE,
            "nothing was run; nothing run is never",
        ),
        (made(), Code.UNUSABLE, "nothing was run"),
        (made(error="no cluster", exit_code=10), Code.UNUSABLE, "nothing was run: no cluster;"),
        (made("passed", error="the target died"), Code.REJECT, "the run itself: the target died"),
        (made("passed", exit_code=3), Code.REJECT, "exit code 3"),
        (made("passed", exit_code=None), Code.REJECT, "never finished its report"),
        (made(*["failed"] * 7), Code.REJECT, "MED-005 and 2 more"),
        (
            made("passed", mutants=[Mutant(**MUTANT, outcome="survived")]),
            Code.REJECT,
            "mutants survived: 1 (open-door)",
        ),
        (made("passed", mutants=[Mutant(**MUTANT, outcome="killed")]), Code.ACCEPT, ""),
        (
            made("passed", slos=[Slo(id="p99", text="x", outcome="fail")]),
            Code.REJECT,
            "service levels fail: 1 (p99)",
        ),
        (made("passed", slos=[Slo(id="p99", text="x", outcome="warn")]), Code.ACCEPT, ""),
    ],
)
def test_the_default_profile(default: Profile, report: Report, code: Code, said: str) -> None:
    decision = decide(report, default)
    assert decision.code is code, decision.reasons
    assert any(said in reason for reason in decision.reasons), decision.reasons


@pytest.mark.parametrize(
    ("target", "code"), [("node", Code.ACCEPT), ("local", Code.REJECT), (None, Code.REJECT)]
)
def test_the_nightly_profile_wants_a_real_kubernetes(
    nightly: Profile, target: str | None, code: Code
) -> None:
    assert decide(made("passed", target=target), nightly).code is code


def test_the_shipped_profiles_do_not_take_left_out_tests_for_passes(
    default: Profile, nightly: Profile
) -> None:
    refused = {NotRunKind.DESELECTED, NotRunKind.INTERRUPTED, NotRunKind.DEPLOYMENT_FAILED}
    assert not refused & (default.not_run | nightly.not_run)
    assert nightly.not_run <= default.not_run
    assert nightly.verdicts <= default.verdicts


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('verdicts = ["passed", "failed"]', "failed cannot be acceptable; waive single requirements"),
        ('verdicts = ["passed", "error"]', "error cannot be acceptable"),
        ('verdicts = ["passed", "not_run"]', "not_run is accepted by kind only"),
        ('verdicts = ["passed"]\nnot_run = ["interrupted"]', "interrupted cannot be acceptable"),
        ('verdicts = ["passt"]', "profile.p.verdicts"),
        ("verdicts = []", "profile.p.verdicts"),
        ('verdicts = ["passed"]\nverdict = []', "profile.p.verdict: Extra inputs"),
    ],
)
def test_a_policy_that_accepts_too_much_is_refused(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(f'[profile.p]\ndescription = "x"\n{line}\n')
    with pytest.raises(DocumentError) as caught:
        load_model(file, Policy)
    assert any(said in problem for problem in caught.value.problems)


class Invoke(Protocol):
    """Calls a command of the application with these arguments."""

    def __call__(self, *arguments: str | Path) -> Result: ...


class TestFiles:
    @pytest.fixture
    def report(self, tmp_path: Path) -> Path:
        file = tmp_path / "report.json"
        file.write_text(as_json(made("passed")))
        return file

    def test_a_good_report_is_accepted(self, report: Path) -> None:
        assert decide_files(report, POLICY, "default").code is Code.ACCEPT

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ('"verdict": "passed"', '"verdict": "waived"', "the counts are not those"),
            ('"outcome": "passed"', '"outcome": "failed"', "the counts are not those"),
            ('"schema": 1', '"schema": 2', "schema: Input should be 1"),
            ('"schema": 1,', "", "schema: Field required"),
            ('"tests": [', '"tests": [,', "correct the syntax"),
            ('"suites/media/test_it.py::t1"\n', '"suites/media/test_it.py::t9"\n', "which is not in tests"),
        ],
    )
    def test_a_report_that_contradicts_itself_is_unusable(
        self, report: Path, old: str, new: str, said: str
    ) -> None:
        text = report.read_text()
        assert old in text
        report.write_text(text.replace(old, new))
        decision = decide_files(report, POLICY, "default")
        assert decision.code is Code.UNUSABLE
        assert said in decision.reasons[0]

    def test_what_is_missing_is_unusable(self, report: Path, tmp_path: Path) -> None:
        for files in [(tmp_path / "none.json", POLICY), (report, tmp_path / "none.toml")]:
            decision = decide_files(*files, "default")
            assert decision.code is Code.UNUSABLE
            assert "No such file" in decision.reasons[0]
        decision = decide_files(report, POLICY, "weekly")
        assert decision.code is Code.UNUSABLE
        assert "no profile 'weekly'; choose one of default, nightly" in decision.reasons[0]


class TestCommands:
    @pytest.fixture
    def run(self) -> Invoke:
        app = typer.Typer()
        app.command()(gate)
        app.command()(report_command)

        def invoke(*arguments: str | Path) -> Result:
            return CliRunner().invoke(app, [str(argument) for argument in arguments])

        return invoke

    @pytest.fixture
    def report(self, tmp_path: Path) -> Callable[[Report], Path]:
        def write(report: Report) -> Path:
            file = tmp_path / "report.json"
            file.write_text(as_json(report))
            return file

        return write

    @pytest.mark.parametrize(
        ("verdicts", "code", "line"),
        [
            (["passed"], 0, "accepted: 1 of 1 requirements looked at, all acceptable\n"),
            (["failed"], 1, "rejected: requirements failed: 1 (MED-001)\n"),
            ([], 2, "unusable: nothing was run; nothing run is never accepted\n"),
        ],
    )
    def test_the_gate_says_why_and_ends_with_its_code(
        self, run: Invoke, report: Callable[[Report], Path], verdicts: list[str], code: int, line: str
    ) -> None:
        result = run("gate", report(made(*verdicts)), "--policy", POLICY)
        assert result.exit_code == code
        assert line in result.output

    def test_the_gate_takes_a_profile(self, run: Invoke, report: Callable[[Report], Path]) -> None:
        result = run("gate", report(made("passed")), "--policy", POLICY, "--profile", "nightly")
        assert result.exit_code == 1
        assert "the target was local; acceptable: k3s, kubeconfig, node" in result.output

    @pytest.mark.parametrize(
        ("form", "begin"),
        [("html", "<!DOCTYPE html>"), ("markdown", "# The requirement holds"), ("junit", "<?xml")],
    )
    def test_a_report_is_rendered_again(
        self, run: Invoke, report: Callable[[Report], Path], tmp_path: Path, form: str, begin: str
    ) -> None:
        source = report(made("passed"))
        shown = run("report", source, "--format", form)
        assert shown.exit_code == 0
        assert shown.output.lstrip().startswith(begin)
        run("report", source, "--format", form, "--output", tmp_path / "out")
        assert (tmp_path / "out").read_text() == shown.output

    def test_a_report_is_compared_with_the_one_that_is_named(
        self, run: Invoke, report: Callable[[Report], Path], tmp_path: Path
    ) -> None:
        earlier = tmp_path / "earlier.json"
        earlier.write_text(as_json(made("passed")))
        shown = run("report", report(made("failed")), "--against", earlier)
        assert "- Newly red: **MED-001** failed, was passed" in shown.output
        assert run("report", report(made("failed")), "--against", tmp_path / "none.json").exit_code == 2

    def test_what_cannot_be_read_or_written_is_said(
        self, run: Invoke, report: Callable[[Report], Path], tmp_path: Path
    ) -> None:
        result = run("report", tmp_path / "none.json")
        assert (result.exit_code, "No such file" in result.output) == (2, True)
        result = run("report", report(made("passed")), "--output", tmp_path / "none" / "out")
        assert (result.exit_code, "choose another file with --output" in result.output) == (11, True)


def test_every_verdict_is_judged(default: Profile) -> None:
    for verdict in Verdict:
        kind = "capability_absent" if verdict is Verdict.NOT_RUN else None
        decision = decide(made("passed", verdict, kind=kind, exit_code=0), default)
        assert (decision.code is Code.REJECT) == (verdict in {Verdict.ERROR, Verdict.FAILED}), verdict
