"""What a run of the suites means for a mutant."""

from datetime import UTC, datetime

import pytest

from fixtures.deployment.mutants import Mutant
from fixtures.deployment.patch import NewObject, Patch
from reports.model import MutantOutcome, NotRunKind, Reason, Report, RequirementEntry, Run, TestEntry, Verdict
from tests.mutations.killing import Finding, judge, summary

PATCH = Patch(edits=(NewObject(add={"kind": "ConfigMap", "metadata": {"name": "c"}}),))
MUTANT = Mutant(
    id="m", story="s", requirements=("STA-001", "STA-002"), level="static", also=("STA-004",), patch=PATCH
)

UNSEEN = Reason(kind=NotRunKind.DESELECTED, text="left out")


def finding(exit_code: int | None, error: str | None = None, **verdicts: Verdict) -> Finding:
    """A run in which each named requirement has one test of that verdict."""
    named = {name.replace("_", "-"): verdict for name, verdict in verdicts.items()}
    report = Report.of(
        run=Run(id="r", started=datetime.now(UTC), exit_code=exit_code, error=error),
        requirements=[
            RequirementEntry(
                id=name,
                area="static",
                text="MUST",
                source="s",
                verdict=verdict,
                tests=(name,),
                reason=UNSEEN if verdict is Verdict.NOT_RUN else None,
            )
            for name, verdict in named.items()
        ],
        tests=[
            TestEntry(
                id=name,
                outcome=verdict,
                requirements=(name,),
                reason=UNSEEN if verdict is Verdict.NOT_RUN else None,
            )
            for name, verdict in named.items()
        ],
    )
    failure = "it did not end within 9 s" if exit_code is None else None
    return Finding(exit_code, report, "the output", 1.0, failure)


RED, ERROR, GREEN = Verdict.FAILED, Verdict.ERROR, Verdict.PASSED


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (finding(1, STA_001=RED, STA_002=RED, STA_003=GREEN), MutantOutcome.KILLED),
        (finding(1, STA_001=RED, STA_002=ERROR, STA_003=RED), MutantOutcome.KILLED),
        (finding(10, "no deployment", STA_001=RED, STA_002=RED), MutantOutcome.KILLED),
        (finding(0, STA_001=GREEN, STA_002=GREEN), MutantOutcome.SURVIVED),
        (finding(1, STA_001=GREEN, STA_002=GREEN, STA_003=RED), MutantOutcome.WRONG_DIAGNOSIS),
        (finding(1, STA_001=RED, STA_002=GREEN), MutantOutcome.WRONG_DIAGNOSIS),
        (finding(10, "no deployment", STA_001=RED, STA_002=GREEN), MutantOutcome.ERROR),
        (finding(None), MutantOutcome.ERROR),
        (Finding(4, None, "usage", 1.0), MutantOutcome.ERROR),
    ],
)
def test_a_mutant_is_killed_when_all_that_had_to_turn_red_did(found: Finding, outcome: MutantOutcome) -> None:
    row = judge(MUTANT, found)
    assert row.outcome is outcome
    assert (row.reason is None) == (outcome is MutantOutcome.KILLED)


def test_the_reason_names_what_stayed_green_and_what_did_not() -> None:
    row = judge(MUTANT, finding(1, STA_001=GREEN, STA_002=RED, STA_003=RED))
    assert row.reason == "STA-001 had to turn red; only STA-002, STA-003 did"
    assert row.red == ("STA-002", "STA-003")


def test_a_run_without_a_deployment_says_why() -> None:
    reason = judge(MUTANT, finding(10, "redis-0: never ready")).reason
    assert reason is not None
    assert reason.endswith("the run is unusable: pytest ended with 10: redis-0: never ready")


def test_a_requirement_of_which_no_test_was_run_is_an_error_of_the_mutant() -> None:
    """Nothing is known of it: a wrong level, or wrong tests."""
    not_run = Verdict.NOT_RUN
    row = judge(MUTANT, finding(1, STA_001=not_run, STA_002=RED))
    assert row.outcome is MutantOutcome.ERROR
    assert row.reason is not None
    assert "no test of STA-001 was run" in row.reason


def test_what_turned_red_besides_is_told_apart() -> None:
    """What is about the same thing is named by the mutant; the rest may be a test that looks at too much."""
    row = judge(MUTANT, finding(1, STA_001=RED, STA_002=RED, STA_003=RED, STA_004=RED))
    assert row.red == ("STA-001", "STA-002", "STA-003", "STA-004")
    assert row.unrelated == ("STA-003",)


def test_the_summary_gives_rates_and_names_who_got_away() -> None:
    """One line for each that was not killed."""
    killed = judge(MUTANT, finding(1, STA_001=RED, STA_002=RED, STA_003=RED))
    escaped = judge(MUTANT, finding(1, STA_001=GREEN, STA_002=RED))
    assert summary([killed, killed, killed, escaped]) == [
        "mutants: 4, killed 3 (75 %), wrong diagnoses 1 (25 %), survivors 0, errors 0",
        "  wrong_diagnosis: m: STA-001 had to turn red; only STA-002 did",
        "  red besides, though about other things: STA-003 (3)",
    ]
