"""Services as rules: deterministic, complete, and text that nft takes."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.rendering.endpoints import Endpoint, endpoints, zone
from fixtures.rendering.objects import Manifest
from fixtures.targets.local import network
from fixtures.targets.local.addresses import BLOCKS
from tests.targets.local.conftest import container, pod_spec, service

BLOCK = BLOCKS[5]
SPEC = pod_spec({**container("x"), "ports": [{"name": "client", "containerPort": 8080}]})
LABELS: tuple[dict[str, str], ...] = ({"app": "web"}, {"app": "db"}, {})


def endpoint(number: int, labels: dict[str, str], *, ready: bool = True, **fields: Any) -> Endpoint:
    """A pod with an address of its own."""
    return Endpoint(f"pod-{number}", "default", str(BLOCK.pods[number]), labels, SPEC, ready, **fields)


many_pods = st.lists(st.tuples(st.sampled_from(LABELS), st.booleans()), max_size=8).map(
    lambda drawn: [endpoint(number, labels, ready=ready) for number, (labels, ready) in enumerate(drawn, 1)]
)
SERVICES = [
    service("web"),
    service("db", ports=[{"port": 5432}, {"name": "udp", "port": 53, "protocol": "UDP", "targetPort": 5353}]),
    service("all", "web", publishNotReadyAddresses=True),
    service("headless", "web", clusterIP="None"),
    service("lost", "web", ports=[{"name": "a", "port": 80, "targetPort": "nope"}]),
    service("none", "nobody"),
]
ADDRESSES = {
    ("default", name): str(BLOCK.services[10 + n])
    for n, name in enumerate(("web", "db", "all", "lost", "none"))
}


def ruleset(pods: Sequence[Endpoint], services: Sequence[Manifest] = SERVICES) -> str:
    """The rules for these pods and Services, where nothing is forbidden."""
    return network.ruleset(BLOCK, services, ADDRESSES, pods, (), ())


def rules_for(text: str, name: str) -> list[str]:
    """The translation rules of one Service, in the chain for pods."""
    chain = text.split("chain from_pods")[1].split("chain from_node", maxsplit=1)[0]
    return [line.strip() for line in chain.splitlines() if f"ip daddr {ADDRESSES['default', name]} " in line]


@given(many_pods)
def test_rules_are_complete(pods: list[Endpoint]) -> None:
    """Same pods, same text; all endpoints of a Service are in its rules, nobody else is; pods and node get the same."""
    text = ruleset(pods)
    assert text == ruleset(list(pods))
    for manifest in SERVICES:
        name = manifest["metadata"]["name"]
        if name == "headless":
            continue
        behind = [] if name == "lost" else endpoints(manifest, pods)
        rules = rules_for(text, name)
        assert len(rules) == (len(manifest["spec"]["ports"]) if behind else 0)
        for rule in rules:
            assert {p.address for p in pods if f" {p.address} ." in rule} == {p.address for p in behind}
            assert f"mod {len(behind)} " in rule
    pods_chain, node_chain = text.split("chain from_pods")[1].split("chain from_node")
    assert pods_chain.splitlines()[1:-1] == node_chain.split("chain hairpin")[0].splitlines()[1:-1]


def test_headless_gets_no_rules() -> None:
    """Its name leads to the pods themselves."""
    with_it = ruleset([endpoint(1, {"app": "web"})])
    without = [manifest for manifest in SERVICES if manifest["metadata"]["name"] != "headless"]
    assert with_it == ruleset([endpoint(1, {"app": "web"})], without)


@pytest.mark.parametrize("pods", [0, 1, 3])
def test_nft_takes_the_text(pods: int) -> None:
    """With nobody, one, or many behind the Services; also a second time, over the first."""
    found = [endpoint(number, LABELS[number % 2]) for number in range(1, pods + 1)]
    text = ruleset(found)
    script = "nft -c -f - <<'END'\n" + text + "END\n"
    done = subprocess.run(
        ["unshare", "--net", "sh", "-ec", script + script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_ip_takes_the_commands() -> None:
    """Node, pod and link, in a namespace of their own."""
    batches = [network.node_commands(BLOCK), network.pod_link_commands("pod-1", "pod1", str(BLOCK.pods[1]))]
    script = "mount -t tmpfs x /run; mkdir -p /run/netns\n"
    script += "".join(f"ip -batch - <<'END'\n{batch}END\n" for batch in batches)
    script += f"ip -n pod-1 -batch - <<'END'\n{network.pod_commands(str(BLOCK.pods[1]))}END\n"
    script += f"ip -n pod-1 route get {network.GATEWAY}\n"
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-ec", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


class TestZone:
    def test_of_a_service_with_an_address(self) -> None:
        """One A record, and SRV records that lead to its own name and port."""
        records = zone([service("web")], ADDRESSES, [endpoint(1, {"app": "web"})])
        name = "web.default.svc.cluster.local"
        assert records.a == {name: (ADDRESSES["default", "web"],)}
        assert records.srv == {f"_client._tcp.{name}": ((80, name),)}

    @pytest.mark.parametrize(
        ("fields", "host"),
        [
            ({}, f"{str(BLOCK.pods[1]).replace('.', '-')}.db.default.svc.cluster.local"),
            ({"subdomain": "db"}, "pod-1.db.default.svc.cluster.local"),
            ({"subdomain": "other"}, f"{str(BLOCK.pods[1]).replace('.', '-')}.db.default.svc.cluster.local"),
        ],
    )
    def test_of_a_headless_service(self, fields: dict[str, Any], host: str) -> None:
        """A records of all ready pods, a name for each, and SRV records to the container's port."""
        pods = [
            endpoint(1, {"app": "db"}, **fields),
            endpoint(2, {"app": "db"}, ready=False),
            endpoint(3, {"app": "web"}),
        ]
        records = zone([service("db", clusterIP="None")], {}, pods)
        name = "db.default.svc.cluster.local"
        assert records.a == {name: (str(BLOCK.pods[1]),), host: (str(BLOCK.pods[1]),)}
        assert records.srv == {f"_client._tcp.{name}": ((8080, host),)}

    def test_names_pods_that_are_not_ready_when_told_to(self) -> None:
        """publishNotReadyAddresses: all of them."""
        pods = [endpoint(1, {"app": "db"}), endpoint(2, {"app": "db"}, ready=False)]
        records = zone([service("db", clusterIP="None", publishNotReadyAddresses=True)], {}, pods)
        assert records.a["db.default.svc.cluster.local"] == (str(BLOCK.pods[1]), str(BLOCK.pods[2]))

    def test_leaves_out_a_port_that_the_pod_has_not(self) -> None:
        """No SRV record, but its address."""
        lost: Manifest = service(
            "lost", "web", clusterIP="None", ports=[{"name": "a", "port": 80, "targetPort": "nope"}]
        )
        records = zone([lost], {}, [endpoint(1, {"app": "web"})])
        assert records.srv == {}
        assert records.a["lost.default.svc.cluster.local"] == (str(BLOCK.pods[1]),)

    def test_selector_is_no_wish(self) -> None:
        """A Service without selector has nobody behind it, and other namespaces do not count."""
        nobody = {**service("x"), "spec": {"ports": [{"port": 1}]}}
        assert endpoints(nobody, [endpoint(1, {"app": "x"})]) == []
        elsewhere = Endpoint("p", "other", "198.18.0.1", {"app": "x"}, SPEC, ready=True)
        assert endpoints(service("x"), [elsewhere]) == []
