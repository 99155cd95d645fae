"""NetworkPolicies: the rules say what `allowed` says, and packets do what the rules say."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.deployment.interface import DeploymentError, Pod, Reach
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.rendering.endpoints import Endpoint
from fixtures.rendering.objects import Manifest
from fixtures.rendering.policies import Party, Policy, allowed, policies_of
from fixtures.targets.local import network
from fixtures.targets.local.addresses import BLOCKS
from fixtures.targets.local.policies import party, policy_chains
from tests.targets.local.conftest import (
    IMAGE,
    ROLES,
    Rig,
    container,
    pod_spec,
    policy,
    rig,
    service,
    workload,
)

BLOCK = BLOCKS[7]
DNS = {"k8s-app": "kube-dns"}
DENY_ALL = policy("deny-all", policyTypes=["Ingress", "Egress"])


# The rules as text


def endpoint(number: int, namespace: str, app: str, **ports: int) -> Endpoint:
    """A pod with an address of its own and these named ports."""
    declared = [{"name": name, "containerPort": port} for name, port in ports.items()]
    spec = pod_spec({**container("x"), "ports": declared})
    labels = {"app": app, "even": "yes"} if number % 2 == 0 else {"app": app}
    return Endpoint(f"pod-{number}", namespace, str(BLOCK.pods[number]), labels, spec, ready=True)


PODS = [
    endpoint(2, "default", "a", client=80, admin=9000),
    endpoint(3, "default", "b", client=81),
    endpoint(4, "default", "b", admin=80),
    endpoint(5, "other", "a", client=80),
    endpoint(6, "other", "c"),
]
PARTIES = [party(pod) for pod in PODS]
HOST = Party("host", str(BLOCK.host_address))
PORTS = (53, 80, 81, 8999, 9000, 9001)

selectors = st.sampled_from(
    [
        {},
        {"matchLabels": {"app": "a"}},
        {"matchLabels": {"app": "b", "even": "yes"}},
        {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a", "c"]}]},
        {"matchExpressions": [{"key": "app", "operator": "In", "values": ["c", "b"]}]},
        {"matchExpressions": [{"key": "even", "operator": "DoesNotExist"}]},
        {"matchExpressions": [{"key": "even", "operator": "Exists"}], "matchLabels": {"app": "a"}},
        {"matchLabels": {"app": "nobody"}},
    ]
)
namespaces = st.sampled_from(
    [
        {},
        {"matchLabels": {"kubernetes.io/metadata.name": "other"}},
        {
            "matchExpressions": [
                {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["other"]}
            ]
        },
    ]
)
ranges = st.sampled_from(
    [
        "0.0.0.0/0",
        str(BLOCK.pods),
        f"{BLOCK.pods[2]}/31",
        f"{BLOCK.pods[4]}/32",
        f"{BLOCK.host_address}/32",
        "10.0.0.0/8",
    ]
)
blocks = st.builds(
    lambda cidr, excepted: {"ipBlock": {"cidr": cidr, **({"except": excepted} if excepted else {})}},
    ranges,
    st.lists(ranges, max_size=3),
)
peers = st.one_of(
    st.fixed_dictionaries({"podSelector": selectors}),
    st.fixed_dictionaries({"namespaceSelector": namespaces}),
    st.fixed_dictionaries({"podSelector": selectors, "namespaceSelector": namespaces}),
    blocks,
)
ports = st.sampled_from(
    [
        {"port": 80},
        {"port": "client"},
        {"port": "admin", "protocol": "TCP"},
        {"port": "client", "protocol": "UDP"},
        {"port": 8999, "endPort": 9000},
        {"port": 81, "endPort": 81},
        {"port": 53, "protocol": "UDP"},
        {"protocol": "TCP"},
        {},
    ]
)


def rules(direction: str) -> st.SearchStrategy[list[Manifest]]:
    """Rules for one direction; fields that hold nothing may be there or not."""
    return st.lists(
        st.fixed_dictionaries(
            {}, optional={direction: st.lists(peers, max_size=3), "ports": st.lists(ports, max_size=3)}
        ),
        max_size=2,
    )


types = st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]])
many_policies = st.lists(
    st.tuples(
        st.fixed_dictionaries(
            {"podSelector": selectors},
            optional={"policyTypes": types, "ingress": rules("from"), "egress": rules("to")},
        ),
        st.sampled_from(["default", "other"]),
    ),
    max_size=3,
).map(
    lambda drawn: policies_of(
        [
            {**policy(f"p{n}", **spec), "metadata": {"name": f"p{n}", "namespace": ns}}
            for n, (spec, ns) in enumerate(drawn)
        ]
    )
)


@dataclass(frozen=True)
class Packet:
    """The first one of a connection."""

    source: str
    destination: str
    port: int
    protocol: str

    def fits(self, rule: str) -> bool:
        """Whether the conditions of a rule hold; AssertionError for words that this reader does not know."""
        words = re.findall(r"\{[^}]*\}|\S+", rule)
        while words and words[0] in ("ip", "meta", "tcp", "udp"):
            kind, field, *words = words
            differs = words[0] == "!="
            value, *words = words[1:] if differs else words
            if self._is(kind, field, value.strip("{} ").split(", ")) == differs:
                return False
        assert words in (
            ["accept"],
            ["return"],
            ["counter", "drop"],
            ["jump", "egress"],
            ["jump", "ingress"],
        ), rule
        return True

    def _is(self, kind: str, field: str, values: list[str]) -> bool:
        if kind == "ip":
            mine = ip_address({"saddr": self.source, "daddr": self.destination}[field])
            return any(mine in ip_network(value) for value in values)
        if kind == "meta":
            return [self.protocol.lower()] == values
        first, _, last = values[0].partition("-")
        return kind == self.protocol.lower() and int(first) <= self.port <= int(last or first)


def passes(packet: Packet, chains: str, jumps: str) -> bool:
    """What nftables would do with the packet."""
    bodies = dict(re.findall(r"chain (\w+) \{\n(.*?)\n  \}", chains, re.DOTALL))
    for jump in jumps.splitlines():
        if packet.fits(jump):
            first = next(
                rule for rule in bodies[jump.split()[-1]].splitlines() if rule.strip() and packet.fits(rule)
            )
            if first.endswith("drop"):
                return False
            if first.endswith("accept"):
                return True
    return True


def connections() -> Iterator[tuple[Party, Party, int, str]]:
    """Every connection from anybody to a pod that is worth asking about."""
    for source in (*PARTIES, HOST):
        for destination in PARTIES:
            if source is not destination:
                yield from ((source, destination, port, "TCP") for port in PORTS)
                yield source, destination, 53, "UDP"


@given(many_policies)
@settings(max_examples=150, deadline=None)
def test_rules_let_pass_what_is_allowed_and_nothing_else(policies: tuple[Policy, ...]) -> None:
    """Whatever the policies: the rules, read by a small interpreter, agree with `allowed` on every connection."""
    chains, jumps = policy_chains(policies, PARTIES)
    for source, destination, port, protocol in connections():
        packet = Packet(str(source.address), str(destination.address), port, protocol)
        wanted = allowed(policies, source, destination, port, protocol)
        assert passes(packet, chains, jumps) == wanted, (
            f"{source.name} -> {destination.name} {port}/{protocol}"
        )


@given(st.lists(many_policies, min_size=6, max_size=6))
@settings(max_examples=5, deadline=None)
def test_nft_takes_the_rules(several: list[tuple[Policy, ...]]) -> None:
    """One set of policies after the other, each over the last, with a partition."""
    cut = (frozenset({str(BLOCK.pods[2]), str(BLOCK.pods[3])}), frozenset({str(BLOCK.pods[5])}))
    texts = [network.ruleset(BLOCK, [service("a")], {}, PODS, policies, [cut]) for policies in several]
    script = "".join(f"nft -f - <<'END'\n{text}END\n" for text in texts)
    done = subprocess.run(
        ["unshare", "--net", "sh", "-ec", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("sides", [((), ()), ((2,), ()), ((), (3,))])
def test_partition_from_nobody_needs_no_rule(sides: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    """An empty set would be an error of nft's."""
    one, other = (frozenset(str(BLOCK.pods[number]) for number in side) for side in sides)
    assert network.ruleset(BLOCK, [], {}, PODS, (), [(one, other)]) == network.ruleset(
        BLOCK, [], {}, PODS, (), ()
    )


# Packets

# Answers each line that it gets, on several ports; says so in its log.
ECHO = """
import socketserver, threading

class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

for port in (8080, 8081, 9000):
    threading.Thread(target=Server(("", port), Echo).serve_forever).start()
"""
# Holds one connection open, and writes down how many lines were answered on it.
TALK = """
import pathlib, socket, sys, time
link = socket.create_connection((sys.argv[1], 8080))
for count in range(1000):
    link.sendall(b"x\\n")
    link.recv(2)
    pathlib.Path("/scratch/answered").write_text(str(count + 1))
    time.sleep(0.02)
"""


def echo(name: str, *, image: str, namespace: str = "default", **labels: str) -> Manifest:
    """A Deployment of one pod that runs ECHO."""
    named = [{"name": "client", "containerPort": 8080}, {"name": "admin", "containerPort": 9000}]
    mounts = [{"name": "scratch", "mountPath": "/scratch"}]
    probe = {"tcpSocket": {"port": 9000}, "periodSeconds": 1}
    main = container(
        *("python3", "-S", "-c", ECHO), image=image, ports=named, volumeMounts=mounts, readinessProbe=probe
    )
    made = workload("Deployment", name, pod_spec(main, terminationGracePeriodSeconds=0))
    made["metadata"]["namespace"] = namespace
    made["spec"]["template"]["metadata"]["labels"] |= labels
    return made


@pytest.fixture(scope="module")
async def wired(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    """Three pods: `a` and `b`, which play roles, and `c` in another namespace, which plays none."""
    objects = [
        echo("a", image=ROLES[Role.REDIS], tier="front"),
        echo("b", image=ROLES[Role.POSTGRESQL], tier="back"),
        echo("c", image=IMAGE, namespace="other", tier="front"),
        service("b"),
    ]
    async with rig(objects, tmp_path_factory.mktemp("wired")) as made:
        yield made


def egress(*to: Manifest, app: str = "a", **rule: Any) -> Manifest:
    """`app` may go there and nowhere else."""
    spec = {"podSelector": {"matchLabels": {"app": app}}, "policyTypes": ["Egress"]}
    return policy(f"from-{app}", **spec, egress=[{"to": list(to), **rule}])


def ingress(*sources: Manifest, app: str = "b", **rule: Any) -> Manifest:
    """`app` lets these in and nobody else."""
    spec = {"podSelector": {"matchLabels": {"app": app}}, "policyTypes": ["Ingress"]}
    return policy(f"to-{app}", **spec, ingress=[{"from": list(sources), **rule}])


def here(**labels: str) -> Manifest:
    return {"podSelector": {"matchLabels": labels}}


OTHER = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}}
CASES: dict[str, list[Manifest]] = {
    "nothing is forbidden": [],
    "nobody reaches anybody of the namespace": [DENY_ALL],
    "nobody gets in": [policy("deny-ingress", policyTypes=["Ingress"])],
    "nobody gets out": [policy("deny-egress", policyTypes=["Egress"])],
    "both sides have to agree": [DENY_ALL, egress(here(app="b"))],
    "by the label of a pod": [DENY_ALL, egress(here(app="b")), ingress(here(tier="front"))],
    "by namespace": [ingress(OTHER)],
    "by pod and namespace at once": [ingress({**OTHER, **here(app="c")}, ports=[{"port": "admin"}])],
    "by the name of a port": [ingress(here(app="a"), ports=[{"port": "client"}])],
    "out, by the name of a port": [egress(here(app="b"), ports=[{"port": "admin"}])],
    "by a range of ports": [ingress(here(app="a"), ports=[{"port": 8081, "endPort": 9000}])],
    "by expressions": [
        ingress({"podSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["b"]}]}})
    ],
}


def told(policies: Iterable[Manifest], pods: dict[str, Pod]) -> dict[tuple[str, str, int], Reach]:
    """What `allowed` says of every connection between the pods."""
    known = policies_of(policies)
    parties = {
        name: Party(
            name,
            pod.address,
            namespace := "other" if name == "c" else "default",
            {"app": name, "tier": "back" if name == "b" else "front"},
            {"kubernetes.io/metadata.name": namespace},
            {"client": (8080, "TCP"), "admin": (9000, "TCP")},
        )
        for name, pod in pods.items()
    }
    return {
        (a, b, port): Reach.OPEN if allowed(known, parties[a], parties[b], port) else Reach.TIMED_OUT
        for a in pods
        for b in pods
        for port in (8080, 8081, 9000)
        if a != b
    }


async def seen(
    made: Rig, pods: dict[str, Pod], asked: Iterable[tuple[str, str, int]]
) -> dict[tuple[str, str, int], Reach]:
    """What real connections meet, all at once."""
    connections = list(asked)
    met = await asyncio.gather(*(made.reach(pods[a], pods[b], port) for a, b, port in connections))
    return dict(zip(connections, met, strict=True))


async def three(made: Rig) -> dict[str, Pod]:
    return {name: await made.pod("Deployment", name) for name in "abc"}


@pytest.mark.parametrize("case", CASES)
async def test_connections_meet_what_is_allowed(wired: Rig, case: str) -> None:
    """Every pod to every other on three ports: open where `allowed` says so, else dropped; open again afterwards."""
    pods = await three(wired)
    wanted = told(CASES[case], pods)
    assert (set(wanted.values()) == {Reach.OPEN}) == (not CASES[case]), "this case says nothing"
    async with wired.deployment.applied(*CASES[case]):
        assert await seen(wired, pods, wanted) == wanted
    free = told([], pods)
    assert await seen(wired, pods, free) == free


@pytest.mark.parametrize("excepted", ["b", None])
async def test_block_of_addresses_with_an_exception(wired: Rig, excepted: str | None) -> None:
    """`a` may go to all addresses of pods, but for that of `b` where it is excepted (twice over, which is no error)."""
    pods, everywhere = await three(wired), str(wired.deployment.node.block.pods)
    but = [f"{pods[excepted].address}/32", f"{pods[excepted].address}/32"] if excepted else []
    policies = [egress({"ipBlock": {"cidr": everywhere, **({"except": but} if but else {})}})]
    async with wired.deployment.applied(*policies):
        wanted = told(policies, pods)
        assert wanted["a", "b", 8080] is (Reach.TIMED_OUT if excepted else Reach.OPEN)
        assert wanted["a", "c", 8080] is Reach.OPEN
        assert await seen(wired, pods, wanted) == wanted


async def test_service_is_judged_by_the_pod_behind_it(wired: Rig) -> None:
    """Rules name pods; the Service's own address need not be allowed, and opens nothing."""
    a = await wired.pod("Deployment", "a")
    script = "python3 -S -c \"import socket; socket.create_connection(('b', 80), 0.5)\""
    names = egress({**here(**DNS), "namespaceSelector": {}}, ports=[{"port": 53, "protocol": "UDP"}])
    names["metadata"]["name"] = "names"
    async with wired.deployment.applied(names, egress(here(app="b"))):
        await wired.sh(a, script)
    async with wired.deployment.applied(names, egress(here(app="c"))):
        assert "timed out" in await wired.sh(a, f"{script} 2>&1", code=1)


async def test_names_are_answered_only_to_whom_policies_let_ask(wired: Rig) -> None:
    """The DNS is a pod of kube-system: cut off by a deny, back with a rule that names it."""
    a = await wired.pod("Deployment", "a")
    await wired.sh(a, "timeout 0.5 getent hosts b")
    async with wired.deployment.applied(policy("deny", policyTypes=["Egress"])):
        await wired.sh(a, "timeout 0.5 getent hosts b", code=124)
        system = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
        async with wired.deployment.applied(
            egress({**system, **here(**DNS)}, ports=[{"port": 53, "protocol": "UDP"}])
        ):
            await wired.sh(a, "timeout 0.5 getent hosts b")


async def test_probes_come_from_the_node_and_are_not_filtered(wired: Rig) -> None:
    """Under a deny of everything a new pod becomes ready, and whoever dials it gets through."""
    async with wired.deployment.applied(DENY_ALL):
        before = await wired.pod("Deployment", "a")
        await wired.deployment.delete_pod(before, grace=0)
        await wired.deployment.settled(within=10)
        after = await wired.pod("Deployment", "a")
        assert after.name != before.name
        async with wired.deployment.dial(after, "client") as address:
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(b"hello\n")
            assert await asyncio.wait_for(reader.readline(), 2) == b"hello\n"
            writer.close()


@pytest.mark.parametrize(
    ("policies", "code"),
    [([egress(here(app="c"), app="hurry")], 124), ([ingress(here(app="hurry"))], 0), ([], 0)],
    ids=["forbidden", "allowed", "open"],
)
async def test_policy_holds_from_the_first_packet_of_a_new_pod(
    wired: Rig, policies: list[Manifest], code: int
) -> None:
    """Programs that connect as soon as they run: never is one quicker than the rules, to its good or bad."""
    b = await wired.pod("Deployment", "b")
    connect = f"timeout 0.5 bash -c '</dev/tcp/{b.address}/8080'"
    hurry = workload("Job", "hurry", pod_spec(container("sh", "-c", connect), restartPolicy="Never"))
    hurry["spec"]["backoffLimit"] = 0
    async with wired.deployment.applied(*policies):
        done = await asyncio.gather(*(wired.deployment.run_job(hurry, within=10) for _ in range(5)))
    assert [job.exit_code for job in done] == [code] * 5


async def answered(made: Rig, talker: Pod) -> int:
    """How many lines were answered on the connection so far."""
    done = await made.deployment.exec(talker, "cat", "/scratch/answered", within=5)
    return int(done.stdout or 0)


async def going_on(made: Rig, talker: Pod, *, since: int) -> int:
    """The count, once it is well past what it was."""

    async def further() -> int:
        if (count := await answered(made, talker)) < since + 3:
            raise NotYet(f"{count} lines, {since} before")
        return count

    return await eventually(further, within=Budget.ROUTING, label="the connection goes on")


async def test_partition_cuts_what_a_deny_leaves_and_heals(wired: Rig) -> None:
    """An open connection survives a policy that forbids new ones; a partition stops it; afterwards it goes on."""
    a, b = await wired.pod("Deployment", "a"), await wired.pod("Deployment", "b")
    talk = asyncio.create_task(wired.deployment.exec(a, "python3", "-S", "-c", TALK, b.address, within=60))
    try:
        await going_on(wired, a, since=0)
        async with wired.deployment.applied(policy("deny", policyTypes=["Ingress"])):
            assert await wired.reach(a, b, 8080) is Reach.TIMED_OUT
            await going_on(wired, a, since=await answered(wired, a))
        async with wired.deployment.partitioned(Role.REDIS, Role.POSTGRESQL):
            stalled = await answered(wired, a)
            assert await wired.reach(a, b, 8080) is await wired.reach(b, a, 8080) is Reach.TIMED_OUT
            assert await answered(wired, a) <= stalled + 1
            c = await wired.pod("Deployment", "c")
            assert await wired.reach(c, b, 8080) is Reach.OPEN, "somebody else was cut off"
        await going_on(wired, a, since=stalled)
        assert await wired.reach(a, b, 8080) is await wired.reach(b, a, 8080) is Reach.OPEN
    finally:
        talk.cancel()


async def test_partition_holds_for_pods_that_come_later(wired: Rig) -> None:
    """A pod that is replaced meanwhile is no way around it."""
    async with wired.deployment.partitioned(Role.POSTGRESQL, Role.REDIS):
        await wired.deployment.delete_pod(await wired.pod("Deployment", "a"), grace=0)
        await wired.deployment.settled(within=10)
        a, b = await wired.pod("Deployment", "a"), await wired.pod("Deployment", "b")
        assert await wired.reach(a, b, 8080) is Reach.TIMED_OUT


async def test_partition_heals_when_the_block_raises(wired: Rig) -> None:
    """And at once."""
    with pytest.raises(LookupError):
        async with wired.deployment.partitioned(Role.POSTGRESQL, Role.REDIS):
            raise LookupError

    await wired.deployment.settled(within=10)
    a, b = await wired.pod("Deployment", "a"), await wired.pod("Deployment", "b")
    assert await wired.deployment.probe(a, b, "client") is Reach.OPEN


async def test_probe_says_what_a_connection_meets(wired: Rig) -> None:
    """Open, refused, timed out: between pods, by the name of a port."""
    probe = wired.deployment.probe
    a, b = await wired.pod("Deployment", "a"), await wired.pod("Deployment", "b")
    assert await probe(a, b, "admin") is Reach.OPEN
    assert await wired.reach(a, b, 1) is Reach.REFUSED
    async with wired.deployment.applied(ingress(here(app="b"), ports=[{"port": "client"}])):
        assert await probe(a, b, "admin") is Reach.TIMED_OUT


async def test_partition_names_the_role_that_nobody_plays(wired: Rig) -> None:
    """A partition from nobody would prove nothing."""
    with pytest.raises(DeploymentError, match="no workload of the deployment plays the role haproxy"):
        async with wired.deployment.partitioned(Role.HAPROXY, Role.REDIS):
            pytest.fail("it cut something")
