"""Whoever dies, and whenever: nothing of a node is left on this machine, unless it is kept."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.targets.kubernetes.providers.node import end_node, kept_nodes
from fixtures.targets.local.addresses import BLOCKS, Block
from tests.targets.kubernetes.host import namespaces_below, remains
from tests.targets.kubernetes.on_node import Api, need_node

# Holds a node as pytest would: says what happens, line by line, and ends it when its stdin is closed.
HOLDER = """
import asyncio, sys
from pathlib import Path
from fixtures.targets.kubernetes.providers.node import node_cluster

def say(*words):
    print(*words, flush=True)

async def main(name, folder, keep):
    async with node_cluster(
        name=name, folder=Path(folder), archives=[], keep=keep == "keep", on_event=lambda event: say(event.object),
    ) as cluster:
        say("address", cluster.address)
        sys.stdin.readline()

asyncio.run(main(*sys.argv[1:]))
"""


@dataclass
class Holder:
    """A process that holds a node."""

    process: subprocess.Popen[str]
    address: str = ""

    @property
    def block(self) -> Block:
        """The node's block: that of the address it has told, or the one whose lock it holds open."""
        for block in BLOCKS:
            if str(block.node_address) == self.address:
                return block
        opened = [str(each.readlink()) for each in Path(f"/proc/{self.process.pid}/fd").iterdir()]
        return next(
            block for block in BLOCKS if any(each.endswith(f"/{block.number}/lock") for each in opened)
        )

    async def says(self, first: str) -> str:
        """Read what it says up to a line that begins so, and give the rest of that."""
        assert self.process.stdout is not None
        while True:
            said = await asyncio.to_thread(self.process.stdout.readline)
            assert said, f"it ended before it said {first!r}: {self.process.communicate()}"
            if said.startswith(first):
                return said.removeprefix(first).strip()


@pytest.fixture(params=["end"])
def holder(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Holder]:
    """A process that has just begun to hold a node."""
    need_node()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, "dying", str(tmp_path), request.param],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield Holder(process)
        process.kill()


async def nothing_remains(block: Block, namespaces: set[str]) -> None:
    """All is gone, soon."""

    async def gone() -> bool:
        if left := remains(block, namespaces):
            raise NotYet("; ".join(left))
        return True

    await eventually(gone, within=Budget.HEALTH, label="everything of the node is gone")


@pytest.mark.parametrize("moment", ["containerd", "kube-apiserver", "address"])
async def test_kill_leaves_nothing(holder: Holder, moment: str) -> None:
    """SIGKILL for who holds the node: while it starts, and when pods run."""
    holder.address = await holder.says(moment) if moment == "address" else ""
    if moment != "address":
        await holder.says(moment)
    block, namespaces = holder.block, namespaces_below(holder.process.pid)
    assert namespaces, "nothing was running yet"
    assert remains(block, namespaces), "what is looked for is not there while the node runs"
    os.kill(holder.process.pid, signal.SIGKILL)
    await nothing_remains(block, namespaces)


async def test_orderly_end_leaves_nothing(holder: Holder) -> None:
    """It ends with code 0, and then nothing is left at all."""
    holder.address = await holder.says("address")
    block, namespaces = holder.block, namespaces_below(holder.process.pid)
    assert holder.process.stdin is not None
    holder.process.stdin.close()
    assert await asyncio.to_thread(holder.process.wait, Budget.HEALTH.seconds()) == 0
    assert remains(block, namespaces) == []


@pytest.mark.parametrize("holder", ["keep"], indirect=True)
async def test_kept_node_outlives_its_maker_and_ends_when_told(holder: Holder) -> None:
    """Its maker has ended: it answers and is listed; then it is ended, and nothing remains."""
    holder.address = await holder.says("address")
    block, namespaces = holder.block, namespaces_below(holder.process.pid)
    assert holder.process.stdin is not None
    holder.process.stdin.close()
    assert await asyncio.to_thread(holder.process.wait, Budget.HEALTH.seconds()) == 0
    [kept] = (each for each in kept_nodes() if each.block == block.number)
    try:
        assert kept.name == "dying"
        assert (await Api(kept.cluster()).get("nodes"))["items"][0]["metadata"]["name"] == "dying"
    finally:
        await end_node(kept)
    await nothing_remains(block, namespaces)
    assert block.number not in [each.block for each in kept_nodes()]


@pytest.mark.parametrize("holder", ["keep"], indirect=True)
async def test_what_is_to_be_kept_dies_before_it_is_ready(holder: Holder) -> None:
    """Nobody could find it again: with its maker killed too early, nothing remains."""
    await holder.says("kube-apiserver")
    block, namespaces = holder.block, namespaces_below(holder.process.pid)
    assert namespaces, "nothing was running yet"
    os.kill(holder.process.pid, signal.SIGKILL)
    await nothing_remains(block, namespaces)
