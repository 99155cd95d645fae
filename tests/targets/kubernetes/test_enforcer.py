"""The node's enforcer reads NetworkPolicies as our model, the local target and another program do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.rendering.kustomize import render
from fixtures.rendering.objects import Manifest
from fixtures.rendering.policies import Party
from fixtures.rendering.reachability import NAMESPACE_NAME, bystanders, load_reachability, parties_of
from tests.targets.kubernetes.enforcing import (
    Connection,
    analyzed_by_others,
    compiled,
    connections,
    enforced,
    meant,
    with_addresses,
)
from tests.targets.kubernetes.on_node import need_node

OVERLAYS = Path(__file__).parents[3] / "manifests" / "overlays"

Reading = Callable[[Iterable[Manifest], Sequence[Connection]], list[bool]]
READINGS: dict[str, Reading] = {
    "model": meant,
    "local target": compiled,
    "network-config-analyzer": analyzed_by_others,
}


@pytest.fixture(autouse=True)
def _programs() -> None:
    need_node()


def differing(
    asked: Sequence[Connection], answers: Sequence[bool], others: Sequence[bool]
) -> list[tuple[str, bool]]:
    """The connections that the two differ about, and what the first says."""
    return [
        (str(each), one) for each, one, other in zip(asked, answers, others, strict=True) if one is not other
    ]


@pytest.fixture(params=["ephemeral", "production", "ccu-20k"], scope="module")
def overlay(request: pytest.FixtureRequest) -> tuple[tuple[Manifest, ...], Sequence[Connection], list[bool]]:
    """Rendered objects, every connection between their pods and those around them, and the enforcer's answers."""
    need_node()
    objects = render(OVERLAYS / request.param)
    ours = parties_of(objects)
    around = bystanders(ours[0].namespace or "default", load_reachability().private)
    asked = connections(with_addresses((*ours, *around)))
    return objects, asked, enforced(objects, asked)


@pytest.mark.parametrize("reading", READINGS)
def test_what_ships_is_enforced_as_it_is_read(
    overlay: tuple[tuple[Manifest, ...], Sequence[Connection], list[bool]], reading: str
) -> None:
    """Thousands of connections of an overlay: none of which two readings differ."""
    objects, asked, answers = overlay
    assert set(answers) == {True, False}, "everything is the same: this says nothing"
    assert differing(asked, answers, READINGS[reading](objects, asked)) == []


# Three pods and an address; few labels and ports, so that policies meet them.


def party(name: str, address: str, namespace: str, tier: str, team: str, port: int) -> Party:
    """A pod with two named ports."""
    named = {"web": (port, "TCP"), "names": (53, "UDP")}
    around = {NAMESPACE_NAME: namespace, "team": team}
    return Party(name, address, namespace, {"app": name, "tier": tier}, around, named)


PARTIES = (
    party("a", "10.244.0.1", "here", "front", "red", 80),
    party("b", "10.244.0.2", "here", "back", "red", 8080),
    party("c", "10.244.0.3", "there", "front", "blue", 80),
    Party("out", "192.0.2.7"),
)
ASKED = connections(PARTIES)

labels = st.sampled_from([{"app": "a"}, {"app": "b"}, {"tier": "front"}, {"none": "such"}])
expressions = st.sampled_from(
    [
        {"key": "tier", "operator": "In", "values": ["front", "back"]},
        {"key": "app", "operator": "NotIn", "values": ["a"]},
        {"key": "tier", "operator": "Exists"},
        {"key": "none", "operator": "DoesNotExist"},
    ]
)
selectors = st.one_of(
    st.just({}),
    st.builds(lambda each: {"matchLabels": each}, labels),
    st.builds(lambda each: {"matchExpressions": [each]}, expressions),
)
namespaces = st.sampled_from(
    [{}, {"matchLabels": {"team": "red"}}, {"matchLabels": {NAMESPACE_NAME: "there"}}]
)
blocks = st.builds(
    lambda cidr, excepted: {"ipBlock": {"cidr": cidr, **({"except": excepted} if excepted else {})}},
    st.sampled_from(["0.0.0.0/0", "10.244.0.0/24", "10.244.0.2/32", "192.0.2.0/24"]),
    st.lists(st.sampled_from(["10.244.0.2/32", "10.244.0.0/30", "192.0.2.7/32"]), max_size=2),
)
peers = st.one_of(
    blocks,
    st.builds(lambda pods: {"podSelector": pods}, selectors),
    st.builds(lambda where: {"namespaceSelector": where}, namespaces),
    st.builds(lambda where, pods: {"namespaceSelector": where, "podSelector": pods}, namespaces, selectors),
)
ports = st.sampled_from(
    [
        {"port": 80},
        {"port": "web"},
        {"port": "names", "protocol": "UDP"},
        {"port": "names"},
        {"protocol": "UDP"},
        {"port": 22, "endPort": 443},
    ]
)


def rules(side: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rules of one direction; a side or ports that are left out mean everybody, every port."""
    rule = st.fixed_dictionaries(
        {},
        optional={
            side: st.lists(peers, min_size=1, max_size=2),
            "ports": st.lists(ports, min_size=1, max_size=2),
        },
    )
    return st.lists(rule, max_size=2)


types = st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]])
specs = st.fixed_dictionaries(
    {"podSelector": selectors},
    optional={"policyTypes": types, "ingress": rules("from"), "egress": rules("to")},
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(specs, min_size=1, max_size=3))
def test_any_policies_are_enforced_as_they_are_read(made: list[dict[str, Any]]) -> None:
    """Policies of every shape: our model, the local target and the enforcer never differ."""
    policies: list[Manifest] = [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": f"made-{index}", "namespace": "here"},
            "spec": spec,
        }
        for index, spec in enumerate(made)
    ]
    answers = enforced(policies, ASKED)
    assert differing(ASKED, answers, meant(policies, ASKED)) == []
    assert differing(ASKED, answers, compiled(policies, ASKED)) == []
