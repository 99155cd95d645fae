"""Readings of NetworkPolicies: each a function from connections to whether they pass."""

from __future__ import annotations

import ipaddress
import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from typing import Final

from fixtures.rendering.analyzer import End, PortSet, Range, analyzed
from fixtures.rendering.objects import Manifest, of_kind
from fixtures.rendering.policies import Party, allowed, policies_of
from fixtures.rendering.reachability import BYSTANDERS
from fixtures.targets.local.policies import policy_chains
from tests.targets.kubernetes.on_node import KUBE

NUMBERS: Final = (
    (1, "TCP"),
    (22, "TCP"),
    (53, "TCP"),
    (53, "UDP"),
    (443, "TCP"),
    (8448, "TCP"),
    (8448, "UDP"),
)
"""Asked of everybody, beside the ports that a pod names."""

LIMIT_S: Final = 60.0


@dataclass(frozen=True)
class Connection:
    """A new connection to a port, given by number and protocol."""

    source: Party
    destination: Party
    port: int
    protocol: str

    def __str__(self) -> str:
        ends = f"{self.source.name} ({self.source.address}) -> {self.destination.name}"
        return f"{ends} {self.port}/{self.protocol}"


def with_addresses(parties: Iterable[Party]) -> tuple[Party, ...]:
    """The parties, pods with an address each, that nobody else has; those outside of IPv4 are left out."""
    hosts = (f"10.244.{number // 250}.{number % 250 + 1}" for number in count())
    addressed = (replace(each, address=next(hosts)) if each.labels is not None else each for each in parties)
    return tuple(each for each in addressed if each.address is not None and ":" not in each.address)


def connections(parties: Sequence[Party]) -> tuple[Connection, ...]:
    """Everybody to everybody else, at all ports that somebody names and a few more; not between two outside."""
    ports = sorted({*NUMBERS, *(port for each in parties for port in each.ports.values())})
    return tuple(
        Connection(source, destination, *port)
        for source in parties
        for destination in parties
        if source is not destination and (source.labels is not None or destination.labels is not None)
        for port in ports
    )


def enforced(objects: Iterable[Manifest], asked: Sequence[Connection]) -> list[bool]:
    """What the node's enforcer tells the kernel."""
    policies = of_kind(objects, "NetworkPolicy")
    parties = {each.name: each for one in asked for each in (one.source, one.destination)}.values()
    pods = [each for each in parties if each.labels is not None]
    namespaces = {str(each.namespace): each.namespace_labels for each in pods}
    question = {
        "objects": [
            *(_namespace(name, labels) for name, labels in namespaces.items()),
            *(_pod(each) for each in pods),
            *policies,
        ],
        "connections": [
            {
                "source": each.source.address,
                "destination": each.destination.address,
                "port": each.port,
                "protocol": each.protocol,
            }
            for each in asked
        ],
    }
    done = subprocess.run(
        [KUBE, "netpol-matrix"],
        input=json.dumps(question),
        text=True,
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[bool] = json.loads(done.stdout)
    return answers


def meant(objects: Iterable[Manifest], asked: Sequence[Connection]) -> list[bool]:
    """What our model of the policies says, which the table of reachability is judged by."""
    policies = policies_of(objects)
    return [allowed(policies, each.source, each.destination, each.port, each.protocol) for each in asked]


def compiled(objects: Iterable[Manifest], asked: Sequence[Connection]) -> list[bool]:
    """What the local target tells the kernel: its rules, read as the kernel would."""
    parties = {each.name: each for one in asked for each in (one.source, one.destination)}.values()
    chains, jumps = policy_chains(policies_of(objects), [each for each in parties if each.labels is not None])
    rules = {
        direction: _rules(chains.partition(f"chain {direction} {{")[2].partition("}\n  chain")[0])
        for direction in ("egress", "ingress")
    }
    isolated = {
        direction: set(re.findall(r"[\d.]+", line))
        for line in jumps.splitlines()
        for direction in [line.rsplit(maxsplit=1)[-1]]
    }
    return [
        all(
            near not in isolated.get(direction, ())
            or any(all(_matches(one, each) for one in rule) for rule in rules[direction].get(near, ()))
            for direction, near in (
                ("egress", str(each.source.address)),
                ("ingress", str(each.destination.address)),
            )
        )
        for each in asked
    ]


def analyzed_by_others(objects: Iterable[Manifest], asked: Sequence[Connection]) -> list[bool]:
    """What network-config-analyzer says."""
    known = tuple(objects)
    parties = {each.name: each for one in asked for each in (one.source, one.destination)}.values()
    others = [each for each in parties if each.labels is not None and each.name in BYSTANDERS]
    found = analyzed(known, others)
    open_to: dict[tuple[str, str], PortSet] = {}
    for each in asked:
        ends = _ends(each)
        if ends not in open_to:
            lines = (
                ports
                for (source, destination), ports in found.items()
                if _is_end(source, each.source) and _is_end(destination, each.destination)
            )
            open_to[ends] = frozenset().union(*lines)
    return [(each.port, each.protocol) in open_to[_ends(each)] for each in asked]


def _ends(each: Connection) -> tuple[str, str]:
    return str(each.source.address), str(each.destination.address)


def _is_end(end: End, party: Party) -> bool:
    """Whether the analyzer means the party; it numbers the pods of a workload."""
    if party.labels is None:
        host = Range.of(ipaddress.ip_network(str(party.address)))
        return isinstance(end, Range) and end.meets(host)
    return end in (f"{party.namespace}/{party.name}", f"{party.namespace}/{party.name}-1")


Condition = tuple[str, str, str, bool]
"""What, of what, the set of values, whether it must not be in it."""


def _rules(chain: str) -> dict[str, list[list[Condition]]]:
    """The rules of a chain that let something pass: for each own address what else must hold."""
    rules: dict[str, list[list[Condition]]] = {}
    for line in chain.splitlines():
        # Sets become words without blanks.
        words = re.sub(r"\{ ([^}]*) \}", lambda found: found[1].replace(" ", ""), line).split()
        if words[-1:] in (["return"], ["accept"]):
            (_, _, own, _), *others = _conditions(words[:-1])
            rules.setdefault(own, []).append(others)
    return rules


def _conditions(words: Sequence[str]) -> Iterator[Condition]:
    """Each condition of a rule of nftables."""
    rest = list(words)
    while rest:
        what, of, value = rest[:3]
        negated = value == "!="
        yield what, of, rest[3] if negated else value, negated
        rest = rest[4 if negated else 3 :]


def _matches(condition: Condition, each: Connection) -> bool:
    what, of, value, negated = condition
    if what == "ip":
        address = (each.source if of == "saddr" else each.destination).address
        return _is_within(str(address), value) != negated
    if (what, of) == ("meta", "l4proto"):
        return value == each.protocol.lower()
    assert of == "dport", f"cannot understand {condition}"
    first, _, last = value.partition("-")
    return what == each.protocol.lower() and int(first) <= each.port <= int(last or first)


@cache
def _is_within(address: str, networks: str) -> bool:
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(one) for one in networks.split(","))


def _namespace(name: str, labels: Mapping[str, str]) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}


def _pod(party: Party) -> Manifest:
    ports = [
        {"name": name, "containerPort": number, "protocol": protocol}
        for name, (number, protocol) in party.ports.items()
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": party.name, "namespace": party.namespace, "labels": dict(party.labels or {})},
        "spec": {"containers": [{"name": "main", "ports": ports}]},
        "status": {"podIP": party.address},
    }
