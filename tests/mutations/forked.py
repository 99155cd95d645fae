"""Asks the fork server for sessions, and makes findings of what they leave behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread

from fixtures.deployment.patch import Patch
from reports.model import Report
from tests.mutations.breeds import ROOT
from tests.mutations.deployed import plain_environment
from tests.mutations.forked_session import OUTPUT_FILE, REPORT_FILE, Done, Job
from tests.mutations.killing import Finding

SESSION_LIMIT_S = 600.0
"""How long one session may take; less than 1 s is usual, more where programs are asked about what a mutant changed."""

END_S = 10.0
"""How long the server may take to kill what is under way."""


@dataclass
class Forks:
    """Sessions that wait for their turn, or are under way, in the order in which they were asked for."""

    process: subprocess.Popen[str]
    folder: Path
    arguments: tuple[str, ...]
    _promised: dict[str, tuple[Job, Future[Finding]]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _ended: bool = False

    def submit(
        self,
        name: str,
        overlay: str,
        patch: Patch | None,
        *,
        enough: tuple[str, ...] = (),
        limit_s: float = SESSION_LIMIT_S,
    ) -> Future[Finding]:
        """A session over all that needs no deployment, of these overlays broken by the patch.

        It ends early when all requirements of `enough` have turned red.
        """
        job = Job(
            id=name,
            overlay=overlay,
            folder=self.folder / name,
            arguments=self.arguments,
            patch=patch,
            enough=enough,
            limit_s=limit_s,
        )
        future: Future[Finding] = Future()
        with self._lock:
            if self._ended:
                future.set_result(self._lost())
                return future
            self._promised[name] = job, future
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # it ended: whoever listens says so
            self.process.stdin.write(job.model_dump_json() + "\n")
            self.process.stdin.flush()
        return future

    def listen(self) -> None:
        """Keeps promises until the server ends; what is left then is lost."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            done = Done.model_validate_json(line)
            with self._lock:
                job, future = self._promised.pop(done.id)
            future.set_result(_finding(job, done))
        with self._lock:
            self._ended = True
            left = [future for _, future in self._promised.values()]
        for future in left:
            future.set_result(self._lost())

    def _lost(self) -> Finding:
        output = _text(self.folder / "server" / OUTPUT_FILE)
        return Finding(None, None, output, 0.0, "the fork server ended before it")


@contextmanager
def forks(folder: Path, arguments: tuple[str, ...]) -> Iterator[Forks]:
    """A fork server for sessions over `arguments` (folders of tests, options); its end is theirs."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.mutations.fork_server", str(folder / "server"), *arguments],
        cwd=ROOT,
        env=plain_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for us; it ends when its input does
    ) as process:
        asked = Forks(process, folder, arguments)
        listener = Thread(target=asked.listen)
        listener.start()
        try:
            yield asked
        finally:
            assert process.stdin is not None
            with suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
            listener.join()


def _finding(job: Job, done: Done) -> Finding:
    file = job.folder / REPORT_FILE
    report = Report.model_validate_json(_text(file)) if file.exists() else None
    return Finding(done.exit_code, report, _text(job.folder / OUTPUT_FILE), done.duration_s, done.failure)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
