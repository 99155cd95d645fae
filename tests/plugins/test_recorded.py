"""What the plugins tell the report about the manifests that ran."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reports.documents import load_model
from reports.model import Report, Run

ROOT = Path(__file__).parents[2]


def recorded(reports: Path, *options: str) -> Run:
    """The run that `pytest suites/static` records, of one test."""
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "suites/static", "-pno:cacheprovider", "-k", "probed"),
            *("--report-dir", str(reports), *options),
        ],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=120,
    )
    return load_model(reports / "latest" / "report.json", Report).run


def test_differences_from_production_are_recorded(tmp_path: Path) -> None:
    run = recorded(tmp_path)
    assert (run.overlay, run.mutant) == ("local", None)
    told = {(each.object, each.field): (each.production, each.here) for each in run.differences}
    assert told["Deployment/haproxy", "spec.replicas"] == ("2", "1")
    assert told["StatefulSet/postgresql", ""] == (None, "there, 1 replica")


@pytest.mark.parametrize(
    ("option", "value", "mutant"),
    [
        ("--overlay", "manifests/overlays/production", None),
        (
            "--mutant",
            "tests/mutations/static.yaml:readiness-forgotten",
            "tests/mutations/static.yaml:readiness-forgotten",
        ),
    ],
)
def test_production_has_none_and_a_mutant_is_named(
    tmp_path: Path, option: str, value: str, mutant: str | None
) -> None:
    run = recorded(tmp_path, option, value)
    assert (run.differences, run.mutant) == ((), mutant)
