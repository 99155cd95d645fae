"""Runs the suites against mutants that only a deployment shows: each has a session and a deployment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from reports.model import Report
from tests.mutations.breeds import ROOT, Breed
from tests.mutations.killing import Finding

RUN_LIMIT_S = 600.0
"""How long one run may take; a deployment and what a mutant names take about 20 s."""

AT_A_TIME = 3  # while one waits for a deadline others work


@dataclass
class Deployments:
    """Runs that wait for their turn, or are under way; left, those that have not begun never will."""

    reports: Path
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(max_workers=AT_A_TIME))

    def mutant(self, breed: Breed) -> Future[Finding]:
        """The tests that must notice the mutant, run against it."""
        mutant = breed.mutant
        options = (
            "--mutant",
            f"{breed.file}:{mutant.id}",
            "--overlay",
            f"manifests/overlays/{mutant.overlay}",
            "--target",
            mutant.target,
        )
        return self._begin(
            mutant.id,
            lambda folder: run_suites(breed.tests, folder, *options, disruptive=breed.disturbs),
        )

    def close(self) -> None:
        """Begins no more of them, and waits for those under way."""
        self._pool.shutdown(cancel_futures=True)

    def _begin(self, name: str, run: Callable[[Path], Finding]) -> Future[Finding]:
        return self._pool.submit(run, self.reports / name)


def run_suites(tests: tuple[str, ...], reports: Path, *options: str, disruptive: bool = False) -> Finding:
    """A session of its own over `tests`; its report goes below `reports`.

    Tests that disturb the deployment are left out unless they are asked for.
    """
    arguments = [*tests, "--report-dir", str(reports), "-q", "-p", "no:cacheprovider", *options]
    arguments += [] if disruptive else ["-m", "not disruptive"]
    begin = time.monotonic()
    failure: str | None = None
    try:
        finished = subprocess.run(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=ROOT,
            env=plain_environment(),
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
        failure = f"it did not end within {RUN_LIMIT_S:g} s"
    found = sorted(reports.glob("*/report.json"))
    report = Report.model_validate_json(found[0].read_text(encoding="utf-8")) if found else None
    return Finding(exit_code, report, output, round(time.monotonic() - begin, 3), failure)


def plain_environment() -> dict[str, str]:
    """The environment without what this session's pytest left in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
