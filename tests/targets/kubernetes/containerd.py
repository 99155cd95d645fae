"""A containerd of a test's own: what it imports lies below one folder, and it ends with the test."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

READY_S = 60.0
PERIOD_S = 0.1
LIMIT_S = 180.0

# The plug-in for Kubernetes would look for networks of the machine; importing needs none.
CONFIG = """version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "{folder}/socket"
"""


@dataclass(frozen=True)
class Containerd:
    """A running containerd."""

    socket: Path

    def ctr(self, *arguments: str) -> str:
        """What `ctr` prints; an error of it is one of the test."""
        done = subprocess.run(
            ["ctr", "--address", str(self.socket), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
        assert done.returncode == 0, f"ctr {' '.join(arguments)}: {done.stderr}"
        return done.stdout


@contextmanager
def containerd(folder: Path) -> Iterator[Containerd]:
    """Start one below `folder`, and wait until it answers."""
    (folder / "config.toml").write_text(CONFIG.format(folder=folder))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(["containerd", "--config", str(folder / "config.toml")], stderr=log)
        running = Containerd(folder / "socket")
        try:
            _wait_until_it_answers(running, process, folder / "log")
            yield running
        finally:
            process.terminate()
            process.wait(LIMIT_S)


def _wait_until_it_answers(running: Containerd, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_S
    ask = ["ctr", "--address", str(running.socket), "version"]
    while subprocess.run(ask, capture_output=True, check=False).returncode != 0:
        assert process.poll() is None, f"containerd ended: {log.read_text()[-500:]}"
        assert time.monotonic() < deadline, f"containerd did not answer within {READY_S:.0f} s"
        time.sleep(PERIOD_S)
