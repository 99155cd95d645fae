"""Whether a broken NetworkPolicy changes any connection, at more ports than the table of reachability names.

Pure. A change of one side that the other side makes good (egress opened, where the destination's ingress stays closed)
changes no connection.
"""

from __future__ import annotations

from fixtures.rendering.findings import Objects
from fixtures.rendering.policies import Direction, Party, Policy, allowed, policies_of
from fixtures.rendering.reachability import OUTSIDE_PORT, bystanders, load_reachability, parties_of
from tests.mutations.by_rule.breaks import Break

NO_PORT = 12345  # nobody has a name for it


def connections_change(broken: Break, before: Objects, after: Objects) -> bool:
    """Whether any connection comes or goes, between our pods, those of others, and addresses outside."""
    old, new = policies_of(before), policies_of(after)
    was, now = _named(old, broken.object.name), _named(new, broken.object.name)
    people = _everybody(before)
    return any(
        allowed(old, source, destination, port, protocol) != allowed(new, source, destination, port, protocol)
        for mine in people
        if any(policy.selects(mine) for policy in (was, now) if policy is not None)
        for other in people
        for direction, source, destination in _ways(mine, other)
        for port, protocol in (*destination.ports.values(), *ELSEWHERE)
        if _says(was, direction, mine, other, destination, port, protocol)
        != _says(now, direction, mine, other, destination, port, protocol)
    )


ELSEWHERE = ((OUTSIDE_PORT, "TCP"), (NO_PORT, "TCP"), (NO_PORT, "UDP"))
"""Ports that are tried wherever it goes, with those that the destination has a name for."""


def _everybody(objects: Objects) -> tuple[Party, ...]:
    ours = parties_of(objects)
    namespace = next((party.namespace for party in ours), None) or "default"
    return (*ours, *bystanders(namespace, load_reachability().private))


def _ways(mine: Party, other: Party) -> tuple[tuple[Direction, Party, Party], ...]:
    return ("egress", mine, other), ("ingress", other, mine)


def _named(policies: tuple[Policy, ...], name: str) -> Policy | None:
    return next((policy for policy in policies if policy.name == name), None)


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
