"""Rules about NetworkPolicies: what they no longer allow, or allow besides. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fixtures.rendering.findings import Objects
from fixtures.rendering.objects import Manifest, of_kind
from tests.mutations.by_rule.breaks import Break, Predicate, Rule, edited, put, removed
from tests.mutations.by_rule.connections import connections_change
from tests.mutations.by_rule.references import dropped

PEERS = {"ingress": "from", "egress": "to"}

Way = tuple[Manifest, str, int, Manifest]


def _rules(objects: Objects, *directions: str) -> Iterator[Way]:
    """Every rule of every policy: the policy, direction, index and the rule itself."""
    for policy in of_kind(objects, "NetworkPolicy"):
        for direction in directions or PEERS:
            for index, rule in enumerate(policy["spec"].get(direction) or ()):
                yield policy, direction, index, rule


def peer_dropped(direction: str) -> Rule:
    """The rule that takes each peer out of each rule of a direction; the last one with its rule."""

    def rule(objects: Objects) -> Iterator[Break]:
        for policy, _, index, found in _rules(objects, direction):
            peers = found.get(PEERS[direction]) or []
            for position in range(len(peers)):
                last = ("spec", direction, index) if len(peers) == 1 else None
                at = last or ("spec", direction, index, PEERS[direction], position)
                yield edited(policy, f"{direction} {index} {PEERS[direction]} {position}", removed(*at))

    return rule


def port_dropped(objects: Objects) -> Iterator[Break]:
    """A rule about more than one port loses one of them."""
    for policy, direction, index, found in _rules(objects):
        ports = found.get("ports") or []
        for position, port in enumerate(ports if len(ports) > 1 else []):
            place = f"{direction} {index} port {position} {port.get('port')}"
            yield edited(policy, place, removed("spec", direction, index, "ports", position))


def direction_left_alone(objects: Objects) -> Iterator[Break]:
    """A policy loses one of its types, and so its say in that direction."""
    for policy in of_kind(objects, "NetworkPolicy"):
        types = policy["spec"].get("policyTypes") or []
        for direction in types if len(types) > 1 else []:
            left = [each for each in types if each != direction]
            steps = [put(left, "spec", "policyTypes")]
            if direction.lower() in policy["spec"]:
                steps.append(removed("spec", direction.lower()))
            yield edited(policy, direction, *steps)


RULES: Mapping[str, Rule] = {
    "policy-dropped": dropped("NetworkPolicy"),
    "ingress-peer-dropped": peer_dropped("ingress"),
    "egress-peer-dropped": peer_dropped("egress"),
    "policy-port-dropped": port_dropped,
    "policy-direction-left-alone": direction_left_alone,
}


def _no_connection_changes(broken: Break, before: Objects, after: Objects) -> bool:
    """The same connections are possible as before: the other side, or another policy, says the same."""
    return not connections_change(broken, before, after)


PREDICATES: Mapping[str, Predicate] = {
    "no-connection-changes": _no_connection_changes,
}
