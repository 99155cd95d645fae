"""What a run of the suites means for a mutant."""

from datetime import UTC, datetime

import pytest

from fixtures.deployment.mutants import Mutant
from fixtures.deployment.patch import NewObject, Patch
from reports.model import MutantOutcome, Report, RequirementEntry, Run, TestEntry, Verdict
from tests.mutations.killing import FOLDER, Breed, Finding, judge

PATCH = Patch(edits=(NewObject(add={"kind": "ConfigMap", "metadata": {"name": "c"}}),))
BREED = Breed(
    Mutant(id="m", story="s", requirements=("STA-001", "STA-002"), level="static", patch=PATCH),
    FOLDER / "static.yaml",
)


def finding(exit_code: int | None, error: str | None = None, **verdicts: Verdict) -> Finding:
    """A run in which each named requirement has one test of that verdict."""
    named = {name.replace("_", "-"): verdict for name, verdict in verdicts.items()}
    report = Report.of(
        run=Run(id="r", started=datetime.now(UTC), exit_code=exit_code, error=error),
        requirements=[
            RequirementEntry(id=name, area="static", text="MUST", source="s", verdict=verdict, tests=(name,))
            for name, verdict in named.items()
        ],
        tests=[TestEntry(id=name, outcome=verdict, requirements=(name,)) for name, verdict in named.items()],
    )
    return Finding(exit_code, report, "the output", 1.0)


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
    row = judge(BREED, found)
    assert row.outcome is outcome
    assert (row.reason is None) == (outcome is MutantOutcome.KILLED)


def test_the_reason_names_what_stayed_green_and_what_did_not() -> None:
    row = judge(BREED, finding(1, STA_001=GREEN, STA_002=RED, STA_003=RED))
    assert row.reason == "STA-001 had to turn red; only STA-002, STA-003 did"
    assert row.red == ("STA-002", "STA-003")


def test_a_run_without_a_deployment_says_why() -> None:
    reason = judge(BREED, finding(10, "redis-0: never ready")).reason
    assert reason is not None
    assert reason.endswith("the run is unusable: pytest ended with 10: redis-0: never ready")
