"""A process that imports and renders once, and forks for each mutant.

`python -m tests.mutations.fork_server FOLDER ARGUMENT…` reads jobs from standard input, one JSON object a line, runs
some at a time, and answers each on standard output with a line. Where standard input ends, it ends too, and kills what
is under way. A session leaves in its folder `report.json` and `output.txt`.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import sys
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NoReturn

import pytest

from fixtures.plugins.manifests import OPTIONAL, as_shipped
from fixtures.rendering.findings import Objects
from tests.mutations.breeds import OVERLAYS
from tests.mutations.forked_session import OUTPUT_FILE, Done, Job, session

AT_A_TIME = 2  # they wait for nothing, so it is a matter of cores
POLITENESS = 10  # deployments that run beside have deadlines; these have none that matter


@dataclass(frozen=True)
class Child:
    """A session under way."""

    job: Job
    pid: int
    begin: float

    @property
    def left_s(self) -> float:
        """How long it may take yet."""
        return self.begin + self.job.limit_s - time.monotonic()

    def kill(self) -> None:
        """With all programs that it started."""
        os.killpg(self.pid, signal.SIGKILL)

    def reaped(self) -> Done:
        """What became of it; it has ended."""
        _, status, used = os.wait4(self.pid, 0)
        code, overdue = os.waitstatus_to_exitcode(status), self.left_s <= 0
        failure = f"it was ended by {signal.Signals(-code).name}" if code < 0 else None
        if failure and overdue:
            failure = f"it did not end within {self.job.limit_s:g} s"
        return Done(
            id=self.job.id,
            exit_code=None if failure else code,
            duration_s=round(time.monotonic() - self.begin, 3),
            cpu_s=round(used.ru_utime + used.ru_stime, 3),
            failure=failure,
        )


@dataclass
class ForkServer:
    """Takes jobs, and forks for each. `shipped`: all overlays as they are."""

    shipped: Mapping[Path, Objects]
    answers: IO[str]
    waiting: deque[Job] = field(default_factory=deque)
    running: dict[int, Child] = field(default_factory=dict)  # by the descriptor that tells its end

    def serve(self, jobs: int) -> None:
        """Serves until the descriptor `jobs` is at its end."""
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(jobs, selectors.EVENT_READ)
            while True:
                while self.waiting and len(self.running) < AT_A_TIME:
                    selector.register(self._start(self.waiting.popleft()), selectors.EVENT_READ)
                patience = min((child.left_s for child in self.running.values()), default=None)
                for key, _ in selector.select(None if patience is None else max(patience, 0.0)):
                    if key.fd in self.running:
                        selector.unregister(key.fd)
                        self._finish(key.fd)
                    elif chunk := os.read(jobs, 1 << 16):
                        *lines, rest = (rest + chunk).split(b"\n")
                        self.waiting.extend(map(Job.model_validate_json, lines))
                    else:
                        return self._stop()
                for child in self.running.values():
                    if child.left_s <= 0:
                        child.kill()

    def _start(self, job: Job) -> int:
        job.folder.mkdir(parents=True)
        begin, pid = time.monotonic(), os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            _run(job, self.shipped)
        os.setpgid(pid, pid)  # here too: whoever is first
        watch = os.pidfd_open(pid)
        self.running[watch] = Child(job, pid, begin)
        return watch

    def _finish(self, watch: int) -> None:
        os.close(watch)
        self.answers.write(self.running.pop(watch).reaped().model_dump_json() + "\n")
        self.answers.flush()

    def _stop(self) -> None:
        for child in self.running.values():
            child.kill()
            child.reaped()


def _run(job: Job, shipped: Mapping[Path, Objects]) -> NoReturn:
    """The child: a session, then the end of this process, whatever happens. Nobody else's clean-up is done here."""
    code = int(pytest.ExitCode.INTERNAL_ERROR)
    try:
        _take_output(job.folder / OUTPUT_FILE)
        code = session(job, shipped)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _take_output(file: Path) -> None:
    """Standard output and error go to the file from now on, standard input is empty."""
    nothing = os.open("/dev/null", os.O_RDONLY)
    output = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for opened, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(opened, target)
    os.close(nothing)
    os.close(output)


def main(folder: Path, arguments: tuple[str, ...]) -> None:
    """Gets warm by a session without a mutant, and serves."""
    os.nice(POLITENESS)
    jobs, answers = os.dup(0), os.fdopen(os.dup(1), "w", encoding="utf-8")
    folder.mkdir(parents=True)
    _take_output(folder / OUTPUT_FILE)
    folders = sorted(file.parent.resolve() for file in OVERLAYS.glob("*/kustomization.yaml"))
    everything = (*folders, *OPTIONAL)
    with ThreadPoolExecutor() as pool:  # each waits for a process
        shipped = dict(zip(everything, pool.map(as_shipped, everything), strict=True))
    session(Job(id="warm", overlay="local", folder=folder, arguments=arguments), shipped)
    gc.collect()
    gc.freeze()  # what is known now is for all children: their collectors need not look at it, nor copy it
    ForkServer(shipped, answers).serve(jobs)


if __name__ == "__main__":
    main(Path(sys.argv[1]), tuple(sys.argv[2:]))
