"""A container engine of a test's own."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from reports.model import NotRun, NotRunKind

BRIDGE: Final = "198.51.100"
"""Addresses of containers: a block for documentation (RFC 5737), so that nobody else here has them."""

READY_S: Final = 60.0
PERIOD_S: Final = 0.1
LIMIT_S: Final = 300.0


@contextlib.contextmanager
def docker_engine(folder: Path) -> Iterator[str]:
    """A dockerd whose state lies below `folder`, which changes no firewall; the address of its socket."""
    if shutil.which("dockerd") is None:
        raise NotRun(NotRunKind.UNAVAILABLE, "no dockerd is on this machine (Debian: docker.io)")
    address = f"unix://{folder}/docker.sock"
    command = ["dockerd", f"--host={address}", f"--data-root={folder}/data", f"--exec-root={folder}/exec"]
    command += [f"--pidfile={folder}/pid", "--iptables=false", "--ip-masq=false", "--ip-forward=false"]
    command += [f"--bip={BRIDGE}.1/24"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + READY_S
        while docker(address, "version", check=False).returncode:
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(PERIOD_S)
        yield address
    finally:
        process.terminate()
        process.wait(LIMIT_S)
        subprocess.run(["ip", "link", "delete", "docker0"], capture_output=True, check=False)
        _sweep()


def _sweep() -> None:
    """Remove the control groups that the engine leaves, and those that a node makes in the host's tree."""
    root = Path("/sys/fs/cgroup")
    for name in ("docker", f"kube-{BRIDGE.replace('.', '-')}-*"):
        for top in (*root.glob(name), *root.glob(f"*/{name}")):
            for group in sorted(top.glob("**/"), key=lambda each: -len(each.parts)):
                with contextlib.suppress(OSError):  # the last process of it is just ending
                    group.rmdir()


def docker(address: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run docker's client."""
    done = subprocess.run(
        ["docker", f"--host={address}", *words], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert not check or done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
    return done
