"""Whatever dies, and whenever: nothing of a deployment is left on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.targets.local.addresses import BLOCKS, Block, states_folder
from fixtures.targets.local.cgroups import SWEEP, control_groups
from tests.targets.local.conftest import IMAGE, PROGRAMS, pod_spec, ready_when, server, service, workload

# Holds a deployment as pytest would: says what happens, line by line, and ends it when its stdin is closed.
HOLDER = """
import asyncio, json, sys, time
from pathlib import Path
from fixtures.rendering.programs import Program
from fixtures.targets.local.target import local_deployment

def say(*words):
    print(*words, flush=True)

async def main(asked):
    async with local_deployment(
        asked["objects"], folder=Path(asked["folder"]),
        server_name="tiny.example", begin=time.time(), within=30, on_event=lambda event: say("event", event.event),
        find_programs=lambda _: {asked["image"]: Program(tuple(asked["path"]), {}, ())}, keep=asked["keep"],
    ):
        say("ready")
        sys.stdin.readline()
        say("ending")

asyncio.run(main(json.loads(sys.stdin.readline())))
"""
NAMESPACES = ("net", "pid", "mnt")
MARGIN_S = 0.05  # a process that was just being started when the others were killed


def namespaces_of(pid: int) -> set[str]:
    """The network, process and mount namespaces that a process is in; none when it has ended."""
    found = set()
    for kind in NAMESPACES:
        with contextlib.suppress(OSError):
            found.add(str(Path(f"/proc/{pid}/ns/{kind}").readlink()))
    return found


def now() -> float:
    """Seconds since this machine was started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def everybody(before: float) -> Iterator[int]:
    """Every process that was started before that moment; not those that only wait for being reaped."""
    tick = os.sysconf("SC_CLK_TCK")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # The name of the program, in parentheses, may hold blanks.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if fields[0] != "Z" and int(fields[19]) / tick < before:
                    yield int(entry.name)


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def words_of(pid: int) -> bytes:
    """The command line of a process; empty when it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def descendants(pid: int) -> Iterator[int]:
    """All that come from a process, the nearest first, but for the sweeper: it outlives the others for a moment."""
    for child in children(pid):
        if SWEEP.encode() not in words_of(child):
            yield child
            yield from descendants(child)


@dataclass
class Holder:
    """A process that holds a deployment, and everything of it that has been seen on this machine."""

    process: subprocess.Popen[str]
    spaces: set[str] = field(default_factory=set)
    block: Block | None = None
    killed: float = 0.0  # when, in seconds since this machine was started

    def look(self) -> None:
        """Remember the namespaces and the block of the deployment as it is now."""
        for pid in (self.process.pid, *descendants(self.process.pid)):
            self.spaces |= namespaces_of(pid) - namespaces_of(os.getpid())
            if self.block is None:
                self.block = block_of(pid)

    @property
    def supervisor(self) -> int:
        """The deepest of the chain of processes that lead to the supervisor."""
        chain = [self.process.pid]
        while len(chain) < 4 and (below := next(descendants(chain[-1]), None)) is not None:
            chain.append(below)
        return chain[-1]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait, closely, and fail when it ends before."""

        async def met() -> bool:
            assert self.process.poll() is None, f"it ended: {self.process.communicate()}"
            return condition()

        await eventually(met, within=Budget.DEPLOYMENT, label="the moment comes")

    async def says(self, line: str) -> None:
        """Read what it says up to this line."""
        assert self.process.stdout is not None
        while (said := (await asyncio.to_thread(self.process.stdout.readline)).strip()) != line:
            assert said, f"it ended before it said {line!r}: {self.process.communicate()}"

    def end(self) -> None:
        """Let it leave the block."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()

    def remains(self) -> list[str]:
        """What is still there of the deployment."""
        assert self.block is not None, "its address block was never seen"
        # The kernel gives the numbers of namespaces out again, so what others started later does not count.
        everyone = list(everybody(before=self.killed + MARGIN_S))
        left = [f"process {pid}" for pid in everyone if namespaces_of(pid) & self.spaces]
        if not left and has_new_owner(self.block, since=self.killed):
            return []
        if Path("/sys/class/net", self.block.link).exists():
            left.append(f"link {self.block.link}")
        routes = subprocess.run(["ip", "-4", "route"], capture_output=True, text=True, check=True).stdout
        left += [f"route {line}" for line in routes.splitlines() if self.block.link in line.split()]
        mounts = Path("/proc/self/mounts").read_text()
        left += [
            f"mount {line}"
            for line in mounts.splitlines()
            if f"{states_folder()}/{self.block.number}/" in line
        ]
        if not is_free(self.block):
            left.append("the lock of its block")
        if (groups := control_groups(self.block.link)) is not None and groups.folder.exists():
            left.append(f"control group {groups.folder}")
        swept = f"{self.block.link}\0".encode()
        left += [f"sweeper {pid}" for pid in everyone if words_of(pid).endswith(swept)]
        return left


def block_of(pid: int) -> Block | None:
    """The block whose lock a process holds open."""
    try:
        opened = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return None
    for block in BLOCKS:
        if str(states_folder() / str(block.number) / "lock") in opened:
            return block
    return None


def has_new_owner(block: Block, since: float) -> bool:
    """Whether another run, started after that moment, has taken the block: what is there now is its own."""
    old = set(everybody(before=since + MARGIN_S))
    everyone = {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    return any(block_of(pid) == block for pid in everyone - old)


def is_free(block: Block) -> bool:
    """Whether a new deployment could have the block."""
    with (states_folder() / str(block.number) / "lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@pytest.fixture(params=[False])
def holder(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Holder]:
    """A process that has just begun to hold a small deployment, which it means to keep where that is the parameter."""
    limited = {"limits": {"memory": "64Mi"}}
    web = pod_spec(server(readinessProbe=ready_when("/x"), resources=limited))
    asked = {
        "objects": [workload("Deployment", "web", web, replicas=3), service("web")],
        "image": IMAGE,
        "path": PROGRAMS[IMAGE].path,
        "folder": str(tmp_path),
        "keep": request.param,
    }
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    with process:
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        yield Holder(process)
        process.kill()


async def framed(holder: Holder) -> None:
    """The chain of processes exists; the supervisor is still being loaded."""
    await holder.until(lambda: len(list(descendants(holder.process.pid))) >= 2)


async def wired(holder: Holder) -> None:
    """The link to the host is up: pods are being wired."""

    def linked() -> bool:
        holder.look()
        return holder.block is not None and Path("/sys/class/net", holder.block.link).exists()

    await holder.until(linked)


async def started(holder: Holder) -> None:
    """The first containers start."""
    await holder.says("event starts")


async def ready(holder: Holder) -> None:
    """All is ready."""
    await holder.says("ready")


async def ending(holder: Holder) -> None:
    """It has just begun to end in order."""
    await holder.says("ready")
    holder.look()
    holder.end()
    await holder.says("ending")


MOMENTS = (framed, wired, started, ready, ending)


@pytest.mark.parametrize("victims", ["holder", "supervisor", "both"])
@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
async def test_kill_leaves_nothing(holder: Holder, moment: Callable[[Holder], object], victims: str) -> None:
    """SIGKILL for who holds the deployment, its supervisor, both: no process, link, route, mount or lock remains."""
    await moment(holder)  # type: ignore[misc]  # all of them are coroutines
    holder.look()
    assert holder.spaces or moment is ending, "nothing was running yet"
    holder.killed = now()
    pids = {"holder": holder.process.pid, "supervisor": holder.supervisor}
    for pid in pids.values() if victims == "both" else [pids[victims]]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    holder.end()

    async def nothing() -> bool:
        if holder.process.poll() is None:
            raise NotYet("the holder is still there")
        if left := holder.remains():
            raise NotYet("; ".join(left))
        return True

    await eventually(nothing, within=Budget.ROUTING, label="everything is gone")


@pytest.mark.parametrize("holder", [True], indirect=True)
@pytest.mark.parametrize("moment", [framed, started], ids=lambda moment: moment.__name__)
async def test_what_is_to_be_kept_dies_before_it_is_ready(
    holder: Holder, moment: Callable[[Holder], object]
) -> None:
    """Nobody could find it again: with its maker killed too early, nothing remains."""
    await test_kill_leaves_nothing(holder, moment, "holder")


async def test_control_groups_are_there_as_long_as_it_runs(holder: Holder) -> None:
    """So that their absence afterwards means something."""
    await ready(holder)
    holder.look()
    assert holder.block is not None
    if (groups := control_groups(holder.block.link)) is None:
        pytest.skip("this machine lets us make no control groups")
    assert len([entry for entry in groups.folder.iterdir() if entry.is_dir()]) == 3


async def test_orderly_end_leaves_nothing(holder: Holder) -> None:
    """The exit code is 0, and at once nothing remains but the logs; control groups go a moment later."""
    await ready(holder)
    holder.look()
    holder.killed = now()
    holder.end()
    assert await asyncio.to_thread(holder.process.wait, 10) == 0
    assert [left for left in holder.remains() if not left.startswith(("control group", "sweeper"))] == []

    async def swept() -> bool:
        return not holder.remains()

    await eventually(swept, within=Budget.LOG_LINE, label="the control groups are gone")


async def test_death_of_the_supervisor_is_told(holder: Holder) -> None:
    """Whoever waits for a deployment whose supervisor is killed hears of it at once, in one line."""
    await started(holder)
    os.kill(holder.supervisor, signal.SIGKILL)
    _, errors = await asyncio.to_thread(holder.process.communicate, timeout=10)
    assert (
        errors.strip()
        .splitlines()[-1]
        .endswith("ControlError: the supervisor of the local target is gone: it said nothing")
    )
