"""That the running deployment enforces the table: connections are opened from inside the pods."""

import asyncio
from dataclasses import dataclass
from itertools import chain

import pytest

from fixtures.clients.journey import journey
from fixtures.deployment.interface import Deployment, Reach
from fixtures.deployment.roles import Role, role_of
from fixtures.plugins.evidence import Evidence
from fixtures.rendering.objects import Manifest, Ref, pod_template_of, workloads
from fixtures.rendering.reachability import Verdict, expected, load_reachability, parties_of


@dataclass(frozen=True)
class Connection:
    """From a pod of one role to a named port of a pod of another one."""

    source: Role
    destination: Role
    port: str

    def __str__(self) -> str:
        return f"{self.source} -> {self.destination} {self.port}"

    @property
    def aim(self) -> tuple[Role, str]:
        """Where it leads to."""
        return self.destination, self.port


@pytest.fixture(scope="session")
def verdicts(objects: tuple[Manifest, ...]) -> dict[Connection, Verdict]:
    """What the table says of every connection between two roles of the overlay. (A pod always reaches itself.)"""
    rows = load_reachability().rows
    roles = {Ref.of(workload).name: role_of(pod_template_of(workload)) for workload in workloads(objects)}
    parties = [(party, role) for party in parties_of(objects) if (role := roles[party.name]) is not None]
    return {
        Connection(source_role, role, port): expected(rows, source.name, destination.name, port)
        for source, source_role in parties
        for destination, role in parties
        if source is not destination
        for port in destination.ports
    }


async def reaches(deployment: Deployment, connections: list[Connection]) -> dict[Connection, Reach]:
    """What each connection meets, all tried at once."""
    found = await asyncio.gather(
        *(deployment.probe(each.source, each.destination, each.port) for each in connections)
    )
    return dict(zip(connections, found, strict=True))


@pytest.mark.requirement("NET-002")
async def test_what_is_allowed_is_open(
    deployment: Deployment, verdicts: dict[Connection, Verdict], evidence: Evidence
) -> None:
    """Precondition: all pods are ready. Every allowed connection between two workloads is accepted."""
    found = await reaches(
        deployment, [each for each, verdict in verdicts.items() if verdict is Verdict.ALLOW]
    )
    evidence("allowed connections", {str(each): reach for each, reach in found.items()})
    assert found, "the table allows no connection between workloads of this overlay: nothing is proved"
    closed = [f"{each}: {reach}" for each, reach in found.items() if reach is not Reach.OPEN]
    assert not closed, "reachability.yaml allows, and yet closed:\n" + "\n".join(closed)


@pytest.mark.requirement("NET-003")
async def test_what_is_denied_is_closed(
    deployment: Deployment, verdicts: dict[Connection, Verdict], evidence: Evidence
) -> None:
    """Precondition: ports to which somebody may connect, and does. Workloads that may not cannot.

    A sample: each workload tries one port that is not for it, and each port is tried by one that it is not for.
    """
    allowed: dict[tuple[Role, str], Connection] = {}
    for each, verdict in verdicts.items():
        if verdict is Verdict.ALLOW:
            allowed.setdefault(each.aim, each)
    denied = [each for each, verdict in verdicts.items() if verdict is Verdict.DENY and each.aim in allowed]
    sample = {each.source: each for each in denied}.values(), {each.aim: each for each in denied}.values()
    tried = list(dict.fromkeys(chain(*sample)))
    controls = list({allowed[each.aim] for each in tried})
    found = await reaches(deployment, [*controls, *tried])
    evidence("connections", {str(each): reach for each, reach in found.items()})
    silent = {each.source for each in verdicts} - {each.source for each in tried}
    assert not silent, f"nothing is denied to {', '.join(sorted(silent))}: nothing is proved about them"
    dead = [str(each) for each in controls if found[each] is not Reach.OPEN]
    assert not dead, f"nobody answers even where it is allowed, so nothing is proved: {', '.join(dead)}"
    opened = [str(each) for each in tried if found[each] is Reach.OPEN]
    assert not opened, "reachability.yaml denies, and yet open:\n" + "\n".join(opened)


@pytest.mark.requirement("NET-004")
async def test_nothing_is_sent_outside(deployment: Deployment, evidence: Evidence) -> None:
    """Two users log in and talk. Since the deployment began no pod has sent a packet to an address outside of it."""
    await journey(deployment)
    packets = await deployment.outside_packets()
    evidence("packets", packets)
    assert packets == 0, f"{packets} packets were sent to addresses outside the deployment, and dropped"
