"""What a node may leave on this machine, and must not."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from fixtures.targets.local.addresses import Block, is_reserved, states_folder

Sysctls = Mapping[str, str]

WATCHED = (
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "net/ipv4/conf/all/route_localnet",
    "net/ipv4/ip_forward",
    "net/netfilter/nf_conntrack_max",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)


def sysctls() -> Sysctls:
    """Settings that a kubelet, kube-proxy or the node's network would like to change."""
    files = {name: Path("/proc/sys", name) for name in WATCHED}
    return {name: file.read_text().strip() for name, file in files.items() if file.exists()}


def process_namespace(pid: int) -> str | None:
    """The process namespace that a process is in; None when it has ended, if only to wait for being reaped."""
    with contextlib.suppress(OSError):
        # The name of the program, in parentheses, may hold blanks.
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return None
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    return None


def descendants(pid: int) -> Iterator[int]:
    """All that come from a process."""
    with contextlib.suppress(OSError):
        for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
            yield child
            yield from descendants(child)


def namespaces_below(pid: int) -> set[str]:
    """The process namespaces that were made below a process."""
    found = {process_namespace(each) for each in descendants(pid)} - {process_namespace(os.getpid()), None}
    return {each for each in found if each is not None}


def remains(block: Block, namespaces: set[str]) -> list[str]:
    """What is left of the node that had this block and these process namespaces."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    state = states_folder() / str(block.number)
    left = [f"process {pid}" for pid in pids if process_namespace(pid) in namespaces]
    left += [f"link {block.link}"] if Path("/sys/class/net", block.link).exists() else []
    left += [f"control group {each}" for each in Path("/sys/fs/cgroup").glob(f"*/{block.link}")]
    left += [f"control group {each}" for each in Path("/sys/fs/cgroup").glob(block.link)]
    left += [line for line in Path("/proc/self/mounts").read_text().splitlines() if f"{state}/" in line]
    left += ["the lock of its block"] if is_reserved(state) else []
    left += [
        f"file {entry}" for entry in state.iterdir() if entry.name not in ("lock", "node.log", "kubeconfig")
    ]
    return left
