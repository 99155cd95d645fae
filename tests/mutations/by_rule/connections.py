"""Which connections a broken NetworkPolicy changes, among more parties and ports than the table of reachability knows.

Pure. A change of one side that the other side makes good (egress opened, where the destination's ingress stays closed)
changes no connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fixtures.rendering.findings import Objects
from fixtures.rendering.objects import of_kind
from fixtures.rendering.policies import Direction, Party, Policy, allowed, policies_of
from fixtures.rendering.reachability import OUTSIDE_PORT, parties_of
from tests.mutations.by_rule.breaks import Break

NO_PORT = 12345  # nobody has a name for it


@dataclass(frozen=True)
class Somebody:
    """A party, and whether the table is about it."""

    party: Party
    in_table: bool = True


def _pod(name: str, namespace: str, label: str, value: str, **ports: tuple[int, str]) -> Party:
    return Party(
        name=name,
        address="10.244.9.9",
        namespace=namespace,
        labels={label: value},
        namespace_labels={"kubernetes.io/metadata.name": namespace},
        ports=ports,
    )


NAME = "app.kubernetes.io/name"
DNS = {"dns": (53, "UDP"), "tcp": (53, "TCP")}

OTHERS = (
    Somebody(Party(name="outside", address="93.184.215.14")),
    Somebody(Party(name="outside-6", address="2606:2800:21f:cb07:6820:80da:af6b:8b2c"), in_table=False),
    Somebody(Party(name="private", address="10.200.0.7")),
    Somebody(Party(name="api-server", address="172.16.0.1"), in_table=False),
    Somebody(_pod("monitoring", "monitoring", NAME, "prometheus")),
    Somebody(_pod("stranger", "default", NAME, "haproxy")),
    Somebody(_pod("operator", "cnpg-system", NAME, "cloudnative-pg"), in_table=False),
    Somebody(_pod("names", "kube-system", "k8s-app", "kube-dns", **DNS), in_table=False),
)


def everybody(objects: Objects) -> tuple[Somebody, ...]:
    """The workloads' pods, those that CloudNativePG makes, others of the cluster, and addresses outside."""
    ours = parties_of(objects)
    namespace = next((party.namespace for party in ours), None) or "default"
    neighbour = _pod("neighbour", namespace, NAME, "neighbour")
    return (*map(Somebody, ours), *_instances(objects), Somebody(neighbour), *OTHERS)


def _instances(objects: Objects) -> Iterator[Somebody]:
    for index, cluster in enumerate(of_kind(objects, "Cluster")):
        name, namespace = cluster["metadata"]["name"], cluster["metadata"].get("namespace", "default")
        inherited = (cluster["spec"].get("inheritedMetadata") or {}).get("labels") or {}
        party = Party(
            name=name,
            address=f"10.244.1.{index + 10}",
            namespace=namespace,
            labels={"cnpg.io/cluster": name, **inherited},
            namespace_labels={"kubernetes.io/metadata.name": namespace},
            ports={"postgresql": (5432, "TCP"), "metrics": (9187, "TCP"), "status": (8000, "TCP")},
        )
        yield Somebody(party, in_table=False)


def changed(broken: Break, before: Objects, after: Objects) -> Iterator[bool]:
    """For each connection that comes or goes: whether the table is about it."""
    old, new = policies_of(before), policies_of(after)
    was, now = _named(old, broken.object.name), _named(new, broken.object.name)
    people = everybody(before)
    for mine in people:
        if not any(policy.selects(mine.party) for policy in (was, now) if policy is not None):
            continue
        for other in people:
            ways: tuple[tuple[Direction, Somebody, Somebody], ...]
            ways = (("egress", mine, other), ("ingress", other, mine))
            for direction, source, destination in ways:
                for port, protocol, in_table in _ports(destination.party):
                    asked = (mine.party, other.party, destination.party, port, protocol)
                    if _says(was, direction, *asked) == _says(now, direction, *asked):
                        continue
                    tried = (source.party, destination.party, port, protocol)
                    if allowed(old, *tried) != allowed(new, *tried):
                        yield in_table and source.in_table and destination.in_table


def _named(policies: tuple[Policy, ...], name: str) -> Policy | None:
    return next((policy for policy in policies if policy.name == name), None)


def _ports(destination: Party) -> Iterator[tuple[int, str, bool]]:
    """Number, protocol, and whether the table tries it."""
    outside = destination.labels is None
    yield from ((number, protocol, True) for number, protocol in destination.ports.values())
    yield OUTSIDE_PORT, "TCP", outside
    yield NO_PORT, "TCP", False
    yield NO_PORT, "UDP", False


def _says(
    policy: Policy | None,
    direction: Direction,
    party: Party,
    peer: Party,
    destination: Party,
    port: int,
    protocol: str,
) -> bool | None:
    """What the policy alone says of a connection; None when it is not its business."""
    if policy is None or not policy.selects(party):
        return None
    rules = policy.rules(direction)
    if rules is None:
        return None
    return any(rule.allows(peer, destination, port, protocol, policy.namespace) for rule in rules)
