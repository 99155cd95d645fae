"""The second judge of policies: what it is given, how its words are read, when it differs from the table."""

from typing import Any

import pytest

from fixtures.rendering.analyzer import PORTS, Range, analyzed, parsed, remaining, staged
from fixtures.rendering.objects import Manifest, RenderingError
from fixtures.rendering.operators import operator_workloads
from fixtures.rendering.policies import Party
from fixtures.rendering.reachability import Reachability, bystanders
from fixtures.rendering.second_opinion import Comparison, Judgement

LABELS = {f"app.kubernetes.io/{each}": "web" for each in ("name", "component", "instance")}
WEB = {
    "kind": "Deployment",
    "apiVersion": "apps/v1",
    "metadata": {"name": "web", "namespace": "here"},
    "spec": {
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {"containers": [{"name": "web", "ports": [{"name": "http", "containerPort": 8080}]}]},
        }
    },
}
TABLE = Reachability.model_validate(
    {
        "private": ["10.0.0.0/8"],
        "rows": [
            {"from": ["web"], "to": ["names"], "ports": ["dns", "dns-tcp"], "verdict": "allow"},
            {"from": ["monitoring"], "to": ["web"], "ports": ["http"], "verdict": "allow"},
            {"from": ["web"], "to": ["outside"], "ports": ["*"], "verdict": "allow"},
            {"from": ["*"], "to": ["*"], "ports": ["*"], "verdict": "deny"},
        ],
    }
)


def policy(**changes: Any) -> Manifest:
    """What the table says, as a policy."""
    spec: Manifest = {
        "podSelector": {"matchLabels": LABELS},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [_namespace("monitoring")], "ports": [{"port": "http"}]}],
        "egress": [
            {
                "to": [_namespace("kube-system")],
                "ports": [{"port": 53, "protocol": each} for each in ("TCP", "UDP")],
            },
            {
                "to": [
                    {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}},
                    {"ipBlock": {"cidr": "::/0"}},
                ],
                "ports": [{"protocol": "TCP"}],
            },
        ],
    }
    metadata = {"name": "web", "namespace": "here"}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": {name: value for name, value in (spec | changes).items() if value is not None},
    }


def _namespace(name: str) -> Manifest:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def differences(*objects: Manifest) -> list[str]:
    analysis = analyzed(objects, bystanders("here", TABLE.private))
    remarks = Comparison.of(analysis, objects, TABLE).remarks()
    return [each.text for each in remarks if each.judgement is Judgement.DIFFERS]


def test_policies_that_say_what_the_table_says_differ_in_nothing() -> None:
    assert differences(WEB, policy()) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ingress": []}, "monitoring -> web http: the analyzer denies it"),
        ({"ingress": [{}]}, "stranger -> web http: the analyzer allows it"),
        ({"ingress": [{"from": [_namespace("monitoring")]}]}, "monitoring -> web SCTP 1 and"),
        ({"egress": [{}]}, "web -> private SCTP 1 and"),
        ({"egress": []}, "web -> outside (0.0.0.0-9.255.255.255): the analyzer denies it"),
        ({"policyTypes": ["Egress"], "ingress": None}, "outside -> web http: the analyzer allows it"),
    ],
)
def test_what_is_more_or_less_than_the_table_says_is_told(changes: Manifest, told: str) -> None:
    found = differences(WEB, policy(**changes))
    assert any(told in each for each in found), found


@pytest.mark.parametrize(
    ("what", "ports"),
    [
        ("{protocols:TCP,dst_ports:80-81,443}", {(80, "TCP"), (81, "TCP"), (443, "TCP")}),
        ("{protocols:TCP, UDP,dst_ports:53}", {(53, "TCP"), (53, "UDP")}),
        ("{protocols:UDP}", {(port, "UDP") for port in PORTS}),
        ("All but {protocols:TCP},{protocols:SCTP}", {(port, "UDP") for port in PORTS}),
    ],
)
def test_ports_are_read(what: str, ports: set[tuple[int, str]]) -> None:
    assert parsed(f"a/b-1 => c/d : {what}") == {("a/b-1", "c/d"): ports}


def test_two_lines_of_one_pair_are_one_answer() -> None:
    line = "a/b-1 => 0.0.0.0-9.255.255.255 : {{protocols:{},dst_ports:53}}"
    (ports,) = parsed("\n".join(line.format(each) for each in ("TCP", "UDP"))).values()
    assert ports == {(53, "TCP"), (53, "UDP")}


@pytest.mark.parametrize("line", ["a/b => c/d : some", "something else", ""])
def test_what_is_not_understood_is_no_answer(line: str) -> None:
    with pytest.raises(RenderingError, match=r"cannot understand|no connection at all"):
        parsed(line)


def test_a_range_without_another_is_up_to_two_pieces() -> None:
    whole = Range(4, 0, 9)
    assert whole.without(Range(4, 3, 5)) == (Range(4, 0, 2), Range(4, 6, 9))
    assert whole.without(Range(4, 0, 9)) == ()
    assert whole.without(Range(6, 0, 9)) == (whole,)
    assert remaining([whole], [Range(4, 0, 4), Range(4, 5, 9)]) == ()


def test_it_is_given_two_pods_of_everything_also_of_what_operators_make() -> None:
    labels = {"inheritedMetadata": {"labels": LABELS}}
    cluster = {
        "kind": "Cluster",
        "metadata": {"name": "db", "namespace": "here"},
        "spec": {"instances": 3, **labels},
    }
    (instances,) = operator_workloads([cluster])
    assert instances["spec"]["template"]["metadata"]["labels"] == {
        "cnpg.io/cluster": "db",
        "cnpg.io/podRole": "instance",
        **LABELS,
    }
    stage = staged([WEB, cluster], [Party("outside", "192.0.2.1")])
    assert [(each["metadata"]["name"], each["spec"]["replicas"]) for each in stage] == [("web", 2), ("db", 2)]
