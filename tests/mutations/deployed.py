"""Runs the suites against mutants that only a deployment shows: each has a session and a deployment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fixtures.targets.choice import LOCAL
from fixtures.targets.kubernetes.choice import NODE
from reports.model import Report
from tests.mutations.breeds import ROOT, Breed
from tests.mutations.killing import Finding

RUN_LIMIT_S: Final[Mapping[str, float]] = {LOCAL: 600.0, NODE: 1800.0}
"""How long one run may take, by its target. On two cores a local deployment and what a mutant names take about 20 s; a
node with everything in full takes five minutes until it is ready, and then a test fails by its deadline."""

AT_A_TIME: Final[Mapping[str, int]] = {LOCAL: 3, NODE: 1}
"""While one local run waits for a deadline others work; a node has work for the whole machine."""


@dataclass
class Deployments:
    """Runs that wait for their turn, or are under way; left, those that have not begun never will."""

    reports: Path
    target: str
    _pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        """As many at a time as the target bears."""
        self._pool = ThreadPoolExecutor(max_workers=AT_A_TIME.get(self.target, 1))

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
            lambda folder: run_suites(
                breed.tests,
                folder,
                *options,
                disruptive=breed.disturbs,
                within=RUN_LIMIT_S[mutant.target],
            ),
        )

    def close(self) -> None:
        """Begins no more of them, and waits for those under way."""
        self._pool.shutdown(cancel_futures=True)

    def _begin(self, name: str, run: Callable[[Path], Finding]) -> Future[Finding]:
        return self._pool.submit(run, self.reports / name)


def run_suites(
    tests: tuple[str, ...],
    reports: Path,
    *options: str,
    disruptive: bool = False,
    within: float = RUN_LIMIT_S[LOCAL],
) -> Finding:
    """A session of its own over `tests`; its report goes below `reports`. It is ended after `within` seconds.

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
            timeout=within,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        exit_code: int | None = finished.returncode
        output = finished.stdout + finished.stderr
    except subprocess.TimeoutExpired as error:
        exit_code, output = None, (error.stdout or b"").decode(errors="replace")
        failure = f"it did not end within {within:g} s"
    found = sorted(reports.glob("*/report.json"))
    report = Report.model_validate_json(found[0].read_text(encoding="utf-8")) if found else None
    return Finding(exit_code, report, output, round(time.monotonic() - begin, 3), failure)


def plain_environment() -> dict[str, str]:
    """The environment without what this session's pytest left in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
