"""NetworkPolicies and the table of reachability: what they mean."""

from typing import Any

import pytest

from fixtures.rendering.objects import Manifest, RenderingError
from fixtures.rendering.policies import Party, allowed, label_selector_matches, policies_of, policy_of
from fixtures.rendering.reachability import (
    Row,
    Verdict,
    expected,
    without_rows,
    without_workloads,
)

WEB = Party("web", "10.0.0.1", "here", {"app": "web"}, {"team": "a"}, {"http": (8080, "TCP")})
CLIENT = Party("client", "10.0.0.2", "here", {"app": "client", "tier": "front"}, {"team": "a"})
FOREIGN = Party("foreign", "10.0.0.3", "there", {"app": "client"}, {"team": "b"})
OUTSIDE = Party("outside", "192.0.2.1")


def policy(**spec: Any) -> Manifest:
    return {"kind": "NetworkPolicy", "metadata": {"name": "p", "namespace": "here"}, "spec": spec}


def reaches(source: Party, *specs: Manifest, port: int | str = "http", to: Party = WEB) -> bool:
    return allowed(policies_of(specs), source, to, port)


def from_peers(*peers: Manifest, **rule: Any) -> Manifest:
    return policy(podSelector={"matchLabels": {"app": "web"}}, ingress=[{"from": list(peers), **rule}])


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ({}, True),
        ({"matchLabels": {"app": "client", "tier": "front"}}, True),
        ({"matchLabels": {"app": "client", "tier": "back"}}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["front", "x"]}]}, True),
        ({"matchExpressions": [{"key": "none", "operator": "In", "values": ["front"]}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["front"]}]}, False),
        ({"matchExpressions": [{"key": "none", "operator": "NotIn", "values": ["front"]}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, False),
        (
            {
                "matchLabels": {"app": "client"},
                "matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}],
            },
            False,
        ),
    ],
)
def test_a_selector_needs_all_its_parts(selector: Manifest, fits: bool) -> None:
    assert label_selector_matches(selector, CLIENT.labels or {}) is fits


def test_an_unknown_operator_is_refused() -> None:
    with pytest.raises(RenderingError, match="unknown operator 'Gt'"):
        label_selector_matches({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}, {})


def test_without_policies_everything_is_open() -> None:
    assert reaches(OUTSIDE)


def test_a_policy_without_rules_closes_what_it_selects() -> None:
    assert not reaches(CLIENT, policy(podSelector={}, policyTypes=["Ingress"]))
    assert reaches(CLIENT, policy(podSelector={"matchLabels": {"app": "other"}}, policyTypes=["Ingress"]))


def test_a_policy_of_another_namespace_does_not_count() -> None:
    there = policy(podSelector={}, policyTypes=["Ingress"])
    there["metadata"]["namespace"] = "there"
    assert reaches(CLIENT, there)


def test_both_ends_must_allow() -> None:
    way_in = from_peers({"podSelector": {"matchLabels": {"app": "client"}}})
    closed = policy(podSelector={"matchLabels": {"app": "client"}}, policyTypes=["Egress"])
    way_out = policy(
        podSelector={"matchLabels": {"app": "client"}},
        policyTypes=["Egress"],
        egress=[{"to": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"port": "http"}]}],
    )
    assert reaches(CLIENT, way_in)
    assert not reaches(CLIENT, way_in, closed)
    assert reaches(CLIENT, way_in, closed, way_out)
    assert not reaches(CLIENT, policy(podSelector={}, policyTypes=["Ingress"]), way_out)


@pytest.mark.parametrize(
    ("peer", "client", "foreign", "outside"),
    [
        ({"podSelector": {}}, True, False, False),
        ({"namespaceSelector": {}}, True, True, False),
        ({"namespaceSelector": {"matchLabels": {"team": "b"}}}, False, True, False),
        ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"tier": "front"}}}, True, False, False),
        ({"ipBlock": {"cidr": "0.0.0.0/0"}}, True, True, True),
        ({"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}, False, False, True),
        ({"ipBlock": {"cidr": "::/0"}}, False, False, False),
    ],
)
def test_a_peer_is_pods_or_addresses(peer: Manifest, client: bool, foreign: bool, outside: bool) -> None:
    rules = from_peers(peer)
    assert [reaches(each, rules) for each in (CLIENT, FOREIGN, OUTSIDE)] == [client, foreign, outside]


@pytest.mark.parametrize(
    ("ports", "at_8080", "at_8081"),
    [
        ([{"port": "http"}], True, False),
        ([{"port": "other"}], False, False),
        ([{"port": 8080}], True, False),
        ([{"port": 8000, "endPort": 8090}], True, True),
        ([{"protocol": "TCP"}], True, True),
        ([{"protocol": "UDP", "port": 8080}], False, False),
        ([], True, True),
    ],
)
def test_a_port_is_a_name_a_number_or_a_range(ports: list[Manifest], at_8080: bool, at_8081: bool) -> None:
    rules = from_peers({"podSelector": {}}, ports=ports)
    assert (reaches(CLIENT, rules, port=8080), reaches(CLIENT, rules, port=8081)) == (at_8080, at_8081)


def test_a_name_is_that_of_the_destination() -> None:
    rules = policy(
        podSelector={"matchLabels": {"app": "client"}},
        policyTypes=["Egress"],
        egress=[{"ports": [{"port": "http"}]}],
    )
    assert reaches(CLIENT, rules)
    assert not reaches(CLIENT, rules, port=8080, to=OUTSIDE)


def test_policy_types_that_are_left_out_follow_the_rules() -> None:
    assert policy_of(policy(podSelector={})).egress is None
    assert policy_of(policy(podSelector={})).ingress == ()
    assert policy_of(policy(podSelector={}, egress=[{}])).egress is not None


def test_an_empty_peer_is_refused() -> None:
    with pytest.raises(RenderingError, match="NetworkPolicy/p: a peer is neither pods nor addresses"):
        policy_of(from_peers({}))


def row(**fields: Any) -> Row:
    return Row.model_validate({"from": ["*"], "to": ["*"], "ports": ["*"], "verdict": "deny", **fields})


def test_the_first_row_that_fits_decides() -> None:
    rows = [row(**{"from": ["a"], "to": ["b"], "verdict": "allow"}), row()]
    assert expected(rows, "a", "b", "x") is Verdict.ALLOW
    assert expected(rows, "b", "a", "x") is Verdict.DENY
    assert expected([row(**{"except": ["a"], "verdict": "allow"}), row()], "a", "b", "x") is Verdict.DENY
    with pytest.raises(RenderingError, match="no row is about b -> a x"):
        expected(rows[:1], "b", "a", "x")


def test_a_workload_without_rows_is_named() -> None:
    rows = [row(**{"from": ["a"], "to": ["b"]}), row(**{"except": ["c"]})]
    assert without_rows(rows, ["a", "b", "c"]) == ("c",)


def test_a_name_without_a_workload_is_named() -> None:
    rows = [row(**{"from": ["a", "outside"], "to": ["b"]})]
    assert without_workloads(rows, ["a"]) == ("b",)
