"""Rules of policies: each breach is told with object, field and remedy."""

from typing import Any

from fixtures.rendering.objects import Manifest
from fixtures.rendering.reachability import parties_of
from fixtures.rendering.rules.policy_rules import unknown_ports, without_a_policy_of_its_own, without_effect

LABELS = {f"app.kubernetes.io/{each}": "web" for each in ("name", "component", "instance")}
WEB: Manifest = {
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "here"},
    "spec": {
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {"containers": [{"name": "web", "ports": [{"name": "http", "containerPort": 8080}]}]},
        }
    },
}
EVERYBODY = parties_of([WEB])
BOTH = ["Ingress", "Egress"]


def policy(labels: dict[str, str] = LABELS, **spec: Any) -> Manifest:
    return {
        "kind": "NetworkPolicy",
        "metadata": {"name": "p", "namespace": "here"},
        "spec": {"podSelector": {"matchLabels": labels}, **spec},
    }


def to(labels: dict[str, str], port: str = "http") -> list[Manifest]:
    return [{"to": [{"podSelector": {"matchLabels": labels}}], "ports": [{"port": port}]}]


def test_a_policy_or_a_peer_that_is_nobody_is_told() -> None:
    assert list(without_effect([policy(egress=to(LABELS))], EVERYBODY)) == []
    (fault,) = without_effect([policy({"app": "other"})], EVERYBODY)
    assert fault.startswith("NetworkPolicy/p spec.podSelector: no pod of any overlay has these labels")
    (fault,) = without_effect([policy(egress=[{"to": [{"podSelector": {}}]}])], EVERYBODY)
    assert fault.startswith("NetworkPolicy/p spec.egress[0] peer 0: an empty selector is everybody")
    (fault,) = without_effect([policy(egress=to({"app": "other"}))], EVERYBODY)
    assert fault.startswith("NetworkPolicy/p spec.egress[0] peer 0: no pod of any overlay")


def test_a_workload_has_exactly_one_policy_of_its_own() -> None:
    assert list(without_a_policy_of_its_own([WEB, policy(policyTypes=BOTH)])) == []
    for policies in (
        [],
        [policy({}, policyTypes=BOTH)],
        [policy(policyTypes=BOTH), policy(policyTypes=BOTH)],
    ):
        (fault,) = without_a_policy_of_its_own([WEB, *policies])
        assert fault.startswith("web: its own NetworkPolicies are")


def test_a_policy_of_its_own_states_both_directions() -> None:
    (fault,) = without_a_policy_of_its_own([WEB, policy(policyTypes=["Ingress"])])
    assert fault.startswith("NetworkPolicy/p spec.policyTypes: says nothing of egress")


def test_a_port_by_a_name_that_nobody_has_is_told() -> None:
    assert (
        list(unknown_ports([policy(egress=to(LABELS), ingress=[{"ports": [{"port": "http"}]}])], EVERYBODY))
        == []
    )
    (fault,) = unknown_ports([policy(egress=to(LABELS, "htp"))], EVERYBODY)
    assert fault == (
        "NetworkPolicy/p spec.egress[0]: no container port of web is called 'htp'; write a port that they have"
    )
    (fault,) = unknown_ports([policy(ingress=[{"ports": [{"port": "htp"}]}])], EVERYBODY)
    assert fault.startswith("NetworkPolicy/p spec.ingress[0]: no container port of web")
