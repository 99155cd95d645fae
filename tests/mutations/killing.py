"""Runs the suites against a mutant, and judges whether they noticed.

A requirement is *red* when its verdict is `failed` or `error`: both make a run fail, and say where to look.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fixtures.deployment.mutants import Mutant, load_mutants
from reports.model import Mutant as Row
from reports.model import MutantOutcome, Report, Verdict

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent
SUITES = ROOT / "suites"

RED = frozenset({Verdict.FAILED, Verdict.ERROR})

RUN_LIMIT_S = 180.0
"""How long one run may take; a deployment and what a mutant names take about 20 s."""

AT_A_TIME = 3

_ALL_RAN, _SOME_FAILED = 0, 1  # pytest's own exit codes; every other one means that the run came to no end


@dataclass(frozen=True)
class Breed:
    """A mutant, and the file that defines it; the file is named after the area that it is about."""

    mutant: Mutant
    file: Path

    @property
    def line(self) -> int:
        """Where in its file it begins."""
        lines = self.file.read_text(encoding="utf-8").splitlines()
        return next(
            number for number, line in enumerate(lines, 1) if line.strip() == f"- id: {self.mutant.id}"
        )

    @property
    def tests(self) -> tuple[str, ...]:
        """What is run against it: what it names, else the suites that must see mutants of its level."""
        match self.mutant.level:
            case _ if self.mutant.tests:
                return self.mutant.tests
            case "static":
                return ("suites/static",)
            case "routing":
                return ("suites/static", "suites/routing")
            case "live":
                return (f"suites/{self.file.stem}",)

    @property
    def disturbs(self) -> bool:
        """Whether tests that disturb the deployment are run, too: only where they are named, for time."""
        return bool(self.mutant.tests)


@dataclass(frozen=True)
class Finding:
    """What a run of the suites came to. `report` is None where there is none."""

    exit_code: int | None  # None: it did not end in time
    report: Report | None
    output: str
    duration_s: float

    @property
    def red(self) -> frozenset[str]:
        """The requirements that turned red."""
        entries = self.report.requirements if self.report is not None else ()
        return frozenset(entry.id for entry in entries if entry.verdict in RED)

    @property
    def unusable(self) -> str | None:
        """Why the run says nothing about what is not red; None when it came to its end."""
        if self.exit_code is None:
            return f"it did not end within {RUN_LIMIT_S:g} s"
        if self.report is None:
            return f"pytest ended with {self.exit_code} and left no report: {_last_line(self.output)}"
        if self.exit_code not in (_ALL_RAN, _SOME_FAILED):
            return f"pytest ended with {self.exit_code}: {self.report.run.error or _last_line(self.output)}"
        return None


def breeds() -> tuple[Breed, ...]:
    """Every mutant, file by file."""
    return tuple(
        Breed(mutant, file) for file in sorted(FOLDER.glob("*.yaml")) for mutant in load_mutants(file)
    )


def run_suites(tests: tuple[str, ...], reports: Path, *options: str, disruptive: bool = False) -> Finding:
    """A session of its own over `tests`; its report goes below `reports`.

    Tests that disturb the deployment are left out unless they are asked for.
    """
    arguments = [*tests, "--report-dir", str(reports), "-q", "-p", "no:cacheprovider", *options]
    arguments += [] if disruptive else ["-m", "not disruptive"]
    begin = time.monotonic()
    try:
        finished = subprocess.run(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
            capture_output=True,
            text=True,
            timeout=RUN_LIMIT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        exit_code: int | None = finished.returncode
        output = finished.stdout + finished.stderr
    except subprocess.TimeoutExpired as error:
        exit_code, output = None, (error.stdout or b"").decode(errors="replace")
    found = sorted(reports.glob("*/report.json"))
    report = Report.model_validate_json(found[0].read_text(encoding="utf-8")) if found else None
    return Finding(exit_code, report, output, round(time.monotonic() - begin, 3))


def run_all(chosen: Sequence[Breed], reports: Path) -> dict[str, Future[Finding]]:
    """Begins the runs of all these mutants, by id, some at a time: while one waits for a deadline others work."""
    pool = ThreadPoolExecutor(max_workers=AT_A_TIME)
    runs = {breed.mutant.id: pool.submit(run_mutant, breed, reports / breed.mutant.id) for breed in chosen}
    pool.shutdown(wait=False)
    return runs


def run_mutant(breed: Breed, reports: Path) -> Finding:
    """The suites that must notice the mutant, run against it."""
    return run_suites(
        breed.tests,
        reports,
        "--mutant",
        f"{breed.file}:{breed.mutant.id}",
        disruptive=breed.disturbs,
    )


def judge(breed: Breed, finding: Finding) -> Row:
    """The row of the kill matrix.

    - killed: every requirement that had to turn red did, whatever else did, and whatever happened afterwards.
    - error: it did not, and the run came to no end (the deployment failed, the run hung): nothing is known about
      the rest. That a deployment does not come up is no diagnosis.
    - survived: nothing turned red. wrong_diagnosis: something did, but not all that had to.
    """
    expected, red = set(breed.mutant.requirements), finding.red
    missing = sorted(expected - red)
    wanted = f"{', '.join(missing)} had to turn red"
    if not missing:
        outcome, reason = MutantOutcome.KILLED, None
    elif finding.unusable is not None:
        outcome, reason = MutantOutcome.ERROR, f"{wanted}, but the run is unusable: {finding.unusable}"
    elif not red:
        outcome, reason = MutantOutcome.SURVIVED, f"{wanted}, and nothing did"
    else:
        outcome, reason = MutantOutcome.WRONG_DIAGNOSIS, f"{wanted}; only {', '.join(sorted(red))} did"
    return Row(
        id=breed.mutant.id,
        requirements=breed.mutant.requirements,
        level=breed.mutant.level,
        red=tuple(sorted(red)),
        outcome=outcome,
        duration_s=finding.duration_s,
        reason=reason,
    )


def _last_line(output: str) -> str:
    return next((line for line in reversed(output.splitlines()) if line.strip()), "no output")
