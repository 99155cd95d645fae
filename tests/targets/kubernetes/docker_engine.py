"""A container engine of a test's own, and what it may give a container here."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from reports.model import NotRun, NotRunKind

BRIDGE: Final = "198.51.100"
"""Addresses of containers: a block for documentation (RFC 5737), so that nobody else here has them."""

READY_S: Final = 60.0
PERIOD_S: Final = 0.1
LIMIT_S: Final = 300.0

# In the order of their bits: capabilities(7).
CAPABILITIES: Final = (
    *("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL"),
    *("SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST"),
    *("NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO"),
    *("SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE"),
    *("SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE"),
    *("AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM"),
    *("BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE"),
)
TOO_NEW: Final = {"PERFMON", "BPF", "CHECKPOINT_RESTORE"}
"""Debian 12's engine does not know them."""


def privileges() -> Mapping[str, Any]:
    """`privileged`, or where root lacks a capability, which engines do not forgive, all else that it means."""
    status = Path("/proc/self/status").read_text()
    bounding = int(next(line for line in status.splitlines() if line.startswith("CapBnd")).split()[1], 16)
    had = [name for bit, name in enumerate(CAPABILITIES) if bounding >> bit & 1]
    if len(had) == len(CAPABILITIES):
        return {"privileged": True, "cgroupns": "host"}
    return {
        "privileged": False,
        "cgroupns": "host",
        "cap_add": [name for name in had if name not in TOO_NEW],
        "device_cgroup_rules": ["a *:* rwm"],
        "devices": ["/dev/kmsg:/dev/kmsg"],
        "security_opt": ["seccomp=unconfined"],
    }


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
