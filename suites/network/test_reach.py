"""That the running deployment enforces the table: connections are opened from inside the pods."""

import asyncio
import contextlib
import ssl
from collections import Counter
from dataclasses import dataclass

import pytest

from fixtures.clients.journey import journey
from fixtures.deployment.interface import Deployment, Pod, Reach
from fixtures.deployment.roles import Role, role_of
from fixtures.deployment.waiting import Budget
from fixtures.plugins.evidence import Evidence
from fixtures.rendering.objects import Manifest, Ref, of_kind, pod_template_of, workloads
from fixtures.rendering.reachability import Verdict, expected, load_reachability, parties_of

EDGE_PORTS = ("https", "federation")
"""The ports of the front door, which speak TLS."""


PodsByWorkload = dict[str, list[Pod]]


@dataclass(frozen=True)
class Connection:
    """From a pod of one workload to a named port of a pod of another one."""

    source: str
    destination: str
    port: str

    def __str__(self) -> str:
        return f"{self.source} -> {self.destination} {self.port}"

    @property
    def aim(self) -> tuple[str, str]:
        """Where it leads to."""
        return self.destination, self.port


@pytest.fixture(scope="session")
def verdicts(objects: tuple[Manifest, ...]) -> dict[Connection, Verdict]:
    """What the table says of every connection between two workloads with a role. (A pod always reaches itself.)"""
    rows = load_reachability().rows
    roles = {Ref.of(workload).name: role_of(pod_template_of(workload)) for workload in workloads(objects)}
    parties = [party for party in parties_of(objects) if roles.get(party.name) is not None]
    return {
        Connection(source.name, destination.name, port): expected(rows, source.name, destination.name, port)
        for source in parties
        for destination in parties
        if source is not destination
        for port in destination.ports
    }


@pytest.fixture
async def pods(deployment: Deployment, verdicts: dict[Connection, Verdict]) -> PodsByWorkload:
    """The pods of each workload that a connection is from or to; each has one."""
    found: PodsByWorkload = {name: [] for each in verdicts for name in (each.source, each.destination)}
    for role in Role:
        for pod in await deployment.pods(role):
            if pod.owner.name in found:
                found[pod.owner.name].append(pod)
    without = sorted(name for name, those in found.items() if not those)
    assert not without, f"no pod of {', '.join(without)} is there: no connection can be tried"
    return found


async def reaches(
    deployment: Deployment, pods: PodsByWorkload, connections: list[Connection]
) -> dict[Connection, Reach]:
    """What each connection meets, all tried at once."""
    found = await asyncio.gather(
        *(
            deployment.probe(pods[each.source][0], pods[each.destination][-1], each.port)
            for each in connections
        )
    )
    return dict(zip(connections, found, strict=True))


async def listens(deployment: Deployment, pod: Pod, port: str) -> bool:
    """Whether a port that no workload may reach answers whom policies do not bind: HTTP, at the edge over TLS."""
    front, tls = deployment.front(), None
    if port in EDGE_PORTS:
        tls = ssl.create_default_context(cafile=front.ca_file)
    async with deployment.dial(pod, port) as address:
        try:
            async with asyncio.timeout(Budget.REQUEST.seconds()):
                reader, writer = await asyncio.open_connection(
                    address.host, address.port, ssl=tls, server_hostname=front.server_name if tls else None
                )
                with contextlib.closing(writer):
                    writer.write(b"GET / HTTP/1.0\r\n\r\n")
                    return (await reader.read(1)) != b""
        except (OSError, TimeoutError):
            return False


async def knows_names(deployment: Deployment, pod: Pod, name: str) -> bool:
    """Whether the cluster's DNS answers the pod."""
    done = await deployment.exec(pod, "getent", "hosts", name, within=Budget.REQUEST.seconds())
    return done.exit_code == 0 and done.stdout != b""


@pytest.fixture(scope="session")
def a_service(objects: tuple[Manifest, ...]) -> str:
    """The name of a Service of the overlay."""
    return next(Ref.of(each).name for each in of_kind(objects, "Service"))


@pytest.mark.requirement("NET-002")
async def test_what_is_allowed_is_open(
    deployment: Deployment, pods: PodsByWorkload, verdicts: dict[Connection, Verdict], evidence: Evidence
) -> None:
    """Precondition: all pods are ready. Every allowed connection between two workloads is accepted."""
    found = await reaches(
        deployment, pods, [each for each, verdict in verdicts.items() if verdict is Verdict.ALLOW]
    )
    evidence("allowed connections", {str(each): reach for each, reach in found.items()})
    assert found, "the table allows no connection between workloads of this overlay: nothing is proved"
    closed = [f"{each}: {reach}" for each, reach in found.items() if reach is not Reach.OPEN]
    assert not closed, "reachability.yaml allows, and yet closed:\n" + "\n".join(closed)


@pytest.mark.requirement("NET-003")
async def test_what_is_denied_is_closed(
    deployment: Deployment,
    pods: PodsByWorkload,
    verdicts: dict[Connection, Verdict],
    a_service: str,
    evidence: Evidence,
) -> None:
    """Precondition: all pods are ready. Every connection that is denied is tried, and none comes about.

    Controls: each source can speak to somebody (the cluster's DNS answers it), and each port takes connections, at the
    same time, of a workload that is allowed to it; where there is none, of the test itself, past the policies.
    """
    denied = [each for each, verdict in verdicts.items() if verdict is Verdict.DENY]
    allowed = {each.aim: each for each, verdict in verdicts.items() if verdict is Verdict.ALLOW}
    sources, aims = {each.source for each in denied}, {each.aim for each in denied}
    silent = {each.source for each in verdicts} - sources
    assert not silent, f"nothing is denied to {', '.join(sorted(silent))}: nothing is proved about them"
    mute = [name for name in sorted(sources) if not await knows_names(deployment, pods[name][0], a_service)]
    assert not mute, f"the DNS does not answer {', '.join(mute)}: that nothing else does proves nothing"

    controls = [allowed[aim] for aim in sorted(aims) if aim in allowed]
    found = await reaches(deployment, pods, [*controls, *denied])
    alone = sorted(aims - allowed.keys())
    evidence("controls", {str(each): found[each] for each in controls})
    evidence(
        "ports that only the test reaches, past the policies", [f"{name} {port}" for name, port in alone]
    )
    evidence("denied connections", {str(each): found[each] for each in denied})
    evidence("how they ended", dict(Counter(found[each] for each in denied)))
    dead = [str(each) for each in controls if found[each] is not Reach.OPEN]
    dead += [f"{name} {port}" for name, port in alone if not await listens(deployment, pods[name][-1], port)]
    assert not dead, f"nobody answers even where it is allowed, so nothing is proved: {', '.join(dead)}"
    opened = [str(each) for each in denied if found[each] is Reach.OPEN]
    assert not opened, "reachability.yaml denies, and yet open:\n" + "\n".join(opened)


@pytest.mark.requirement("NET-010")
async def test_names_are_answered(
    deployment: Deployment,
    pods: PodsByWorkload,
    verdicts: dict[Connection, Verdict],
    a_service: str,
    evidence: Evidence,
) -> None:
    """Precondition: all pods are ready. Each pod asks the cluster's DNS for a Service, and gets an address."""
    asking = [pod for name in sorted({each.source for each in verdicts}) for pod in pods[name]]
    answered = {pod.name: await knows_names(deployment, pod, a_service) for pod in asking}
    evidence("pods that asked", sorted(answered))
    mute = [name for name, answer in answered.items() if not answer]
    assert not mute, f"no answer for {a_service} to {', '.join(mute)}; see NetworkPolicy/dns"


@pytest.mark.requirement("NET-004")
async def test_nothing_is_sent_outside(deployment: Deployment, evidence: Evidence) -> None:
    """Two users log in and talk. Since the deployment began no pod has sent a packet to an address outside of it."""
    await journey(deployment)
    packets = await deployment.outside_packets()
    evidence("packets", packets)
    assert packets == 0, f"{packets} packets were sent to addresses outside the deployment, and dropped"
