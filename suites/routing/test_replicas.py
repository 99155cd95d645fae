"""Two replicas of the edge choose the same process for one key, though they never speak to each other."""

import re
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from fixtures.deployment.roles import Role, role_of
from fixtures.plugins.evidence import Evidence
from fixtures.rendering.objects import Manifest, Ref, pod_template_of, workloads
from fixtures.rendering.programs import real_version
from fixtures.targets.rig.bending import CONFIGURATION, files_of
from fixtures.targets.rig.edge import Edge, Rig
from fixtures.targets.rig.wire import Request
from reports.model import NotRun, NotRunKind

HASH_BY_ADDRESS = (3, 0)
"""Before, a server's place in the hash is the number of its slot, and slots are filled as answers come."""

ALIKE = [
    Request(method, path.format(n), (("Authorization", f"Bearer syt_u{n}_x_y"),))
    for n in range(60)
    for method, path in (
        ("GET", "/_matrix/client/v3/sync?since=s"),
        ("GET", "/_matrix/client/v3/sync"),
        ("GET", "/_matrix/client/v3/rooms/!r{}:a/messages"),
        ("GET", "/_matrix/client/v1/media/download/a/{}"),
    )
]


def version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text)[:2])


def edge_workload(objects: tuple[Manifest, ...]) -> Manifest:
    return next(each for each in workloads(objects) if role_of(pod_template_of(each)) is Role.HAPROXY)


def image(objects: tuple[Manifest, ...]) -> str:
    name: str = pod_template_of(edge_workload(objects))["spec"]["containers"][0]["image"]
    return name


def in_force(files: dict[str, str], running: tuple[int, ...]) -> Iterator[str]:
    """The lines that a HAProxy of this version reads: `.if version_atleast(…)` decides about some."""
    reads = [True]
    for line in "\n".join(files[name] for name in sorted(files)).splitlines():
        if condition := re.fullmatch(r"\s*\.if version_atleast\(([\d.]+)\)\s*", line):
            reads.append(reads[-1] and running >= version(condition[1]))
        elif line.strip() == ".endif":
            reads.pop()
        elif reads[-1]:
            yield line


async def disagreements(one: Edge, other: Edge) -> list[str]:
    ours, theirs = await one.ask(*ALIKE), await other.ask(*ALIKE)
    return [
        f"{request}: one HAProxy chose {mine.process}, another {other_s.process}"
        for request, mine, other_s in zip(ALIKE, ours, theirs, strict=True)
        if mine.process is None or mine.process != other_s.process
    ]


@pytest.mark.requirement("ROU-012")
async def test_two_that_found_the_same_choose_alike(rig: Rig, evidence: Evidence) -> None:
    """Two HAProxies begin one after the other, with the same configuration and processes. Both choose alike."""
    async with rig.another(2) as one, rig.another(3) as other:
        faults = await disagreements(one, other)
    evidence("requests, and how many were at two processes", [len(ALIKE), len(faults)])
    assert not faults, (
        f"{len(faults)} of {len(ALIKE)}: {faults[0]}; balance every pool by hash, with hash-type consistent"
    )


@pytest.mark.requirement("ROU-012")
async def test_one_that_found_them_in_another_order_chooses_alike(
    rig: Rig, objects: tuple[Manifest, ...], evidence: Evidence
) -> None:
    """A second HAProxy begins while the first process of each pool is away, then those come. Both choose alike."""
    real = real_version(image(objects)) or "0"
    if version(real) < HASH_BY_ADDRESS:
        claimed = image(objects).rpartition(":")[2]
        raise NotRun(
            NotRunKind.CAPABILITY_ABSENT,
            f"HAProxy {claimed} hashes by address; {real}, which stands for it here, by the number of a slot",
        )
    # The media repository's Service names its pods also while they are not ready.
    first = [rig.processes[pool][0] for pool in ("synchrotron", "initial-sync", "generic-worker")]
    async with AsyncExitStack() as stack:
        async with rig.hidden(*first):
            other = await stack.enter_async_context(rig.another())
            before = await other.active()
        await rig.settled(edge=other)
        faults = await disagreements(rig, other)
    evidence("servers that the second one began with", dict(before))
    assert not faults, f"{len(faults)} of {len(ALIKE)}: {faults[0]}; hash by address (hash-key addr-port)"


@pytest.mark.requirement("ROU-012")
def test_the_claimed_version_hashes_by_address(objects: tuple[Manifest, ...]) -> None:
    """Precondition: the overlay is rendered. Its HAProxy hashes by address wherever it hashes, or has one replica."""
    claimed = version(image(objects).rpartition(":")[2])
    lines = list(in_force(files_of(objects, CONFIGURATION), claimed))
    section, by_address, faults = "", False, []
    for line in lines:
        if line and not line[0].isspace() and not line.startswith("#"):
            section = line.strip()
        by_address |= section == "defaults" and bool(
            re.match(r"\s+default-server\b.* hash-key addr-port\b", line)
        )
        if re.match(r"\s+balance hash\b", line) and not by_address:
            faults.append(section)
    replicas = edge_workload(objects)["spec"].get("replicas", 1)
    where = f"{CONFIGURATION} for HAProxy {'.'.join(map(str, claimed))}"
    assert any("balance hash" in line for line in lines), f"{where}: no backend hashes, so nothing is proved"
    assert not faults, (
        f"{where}: {', '.join(faults)} hash by slot; default-server hash-key addr-port (20-defaults.cfg)"
    )
    assert claimed >= HASH_BY_ADDRESS or replicas == 1, (
        f"{Ref.of(edge_workload(objects))} spec.replicas: {replicas} of a version before 3.0; run one, or a newer one"
    )
