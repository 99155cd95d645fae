"""What a peer is made of: hardened as everything here is, reached by whom it should be, no part of the deployment."""

from __future__ import annotations

import dataclasses

import pytest

from fixtures.deployment.roles import role_of
from fixtures.peers.placement import (
    CODE,
    CONTROL,
    FEDERATION,
    Ground,
    Placement,
    ground_of,
    is_federated_privately,
    objects_of,
)
from fixtures.peers.placing import AUTHORITY, new_name
from fixtures.rendering.catalogue import MANIFESTS
from fixtures.rendering.contents import contents
from fixtures.rendering.kustomize import render
from fixtures.rendering.objects import Manifest, Ref, RenderingError, find, of_kind, pod_template_of
from fixtures.rendering.policies import Party, allowed, policies_of
from fixtures.rendering.reachability import parties_of
from fixtures.rendering.rules.schemas import misfits
from fixtures.targets.local.vocabulary import check

WANTED = Placement(
    "other-1", ("python", f"{CODE}/server.py"), {"server.py": b"pass"}, {"key": b"secret"}, lasting=True
)
SPEAKERS = {"synapse-main", "generic-worker", "media-repository", "event-persister", "federation-sender"}
"""Of the overlay local, which has no stream-writer."""


@pytest.fixture(scope="module")
def rendered() -> tuple[Manifest, ...]:
    return render(MANIFESTS / "overlays" / "local")


@pytest.fixture(scope="module")
def ground(rendered: tuple[Manifest, ...]) -> Ground:
    return ground_of(rendered, ("matrix.test",), "matrix")


@pytest.fixture(scope="module")
def made(ground: Ground) -> tuple[Manifest, ...]:
    return objects_of(WANTED, ground, {"tls.key": b"key"})


def pod_of(objects: tuple[Manifest, ...]) -> Manifest:
    (workload,) = of_kind(objects, "StatefulSet")
    return pod_template_of(workload)


def test_it_is_what_targets_and_kubernetes_understand(made: tuple[Manifest, ...]) -> None:
    assert check(made) == made
    assert not [fault for each in made for fault in misfits(each)]


def test_its_pod_is_restricted_as_pod_security_asks(made: tuple[Manifest, ...], ground: Ground) -> None:
    spec = pod_of(made)["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": ground.user,
        "runAsGroup": ground.user,
        "fsGroup": ground.user,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    for container in (*spec["initContainers"], *spec["containers"]):
        assert container["image"] == ground.image
        assert container["resources"]["limits"]["memory"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_it_plays_no_part_in_the_deployment(
    made: tuple[Manifest, ...], rendered: tuple[Manifest, ...]
) -> None:
    """Though it runs in Synapse's image; and the pods of the deployment keep their roles."""
    assert role_of(pod_of(made)) is None
    main = find(rendered, Ref("StatefulSet", "synapse-main"))
    assert main is not None
    assert role_of(pod_template_of(main)) == "synapse-main"


def test_who_may_speak_to_servers_outside_may_speak_to_it_and_nobody_else(
    made: tuple[Manifest, ...], rendered: tuple[Manifest, ...]
) -> None:
    policies = policies_of((*rendered, *made))
    parties = {party.name: party for party in parties_of((*rendered, *made))}
    peer = parties.pop(WANTED.name)
    assert {name for name, each in parties.items() if allowed(policies, each, peer, FEDERATION)} == SPEAKERS
    assert not [name for name, each in parties.items() if allowed(policies, each, peer, CONTROL)]


def test_it_reaches_the_front_door_and_other_peers_only(
    made: tuple[Manifest, ...], rendered: tuple[Manifest, ...], ground: Ground
) -> None:
    another = objects_of(dataclasses.replace(WANTED, name="other-2"), ground, {})
    policies = policies_of((*rendered, *made, *another))
    parties = {party.name: party for party in parties_of((*rendered, *made, *another))}
    peer = parties.pop(WANTED.name)
    reached = {
        (name, port)
        for name, each in parties.items()
        for port in each.ports
        if allowed(policies, peer, each, port)
    }
    assert reached == {
        ("haproxy", "https"),
        ("haproxy", "federation"),
        ("other-2", "federation"),
        ("other-2", "https"),
    }
    assert not allowed(policies, peer, Party("outside", "192.0.2.1"), 443)


def test_whom_the_policies_forbid_to_leave_does_not_reach_it_either(
    rendered: tuple[Manifest, ...], made: tuple[Manifest, ...]
) -> None:
    """A deployment whose senders may not go outside is found out by its peers."""
    without = [each for each in rendered if Ref.of(each) != Ref("NetworkPolicy", "federation-sender")]
    assert ground_of(without, (), None).speakers.keys() == (SPEAKERS - {"federation-sender"}) | {
        "stream-writer"
    }


def test_whom_the_policies_let_out_at_one_port_reaches_it_at_that_port(ground: Ground) -> None:
    assert {speaker.doors for speaker in ground.speakers.values()} == {("federation", "https")}
    assert doors_of({"protocol": "TCP", "port": 8448}) == ("federation",)
    assert doors_of({"port": 400, "endPort": 500}) == ("https",)


def test_whom_the_policies_let_out_otherwise_does_not_reach_it() -> None:
    assert doors_of({"protocol": "UDP", "port": 443}, {"port": 80}) is None
    assert doors_of(cidr="10.0.0.0/8") is None


def doors_of(*ports: Manifest, cidr: str = "0.0.0.0/0") -> tuple[str, ...] | None:
    """At which doors of a peer those are whom a policy lets out to such addresses at such ports; None is nowhere."""
    rule = {"to": [{"ipBlock": {"cidr": cidr}}], "ports": list(ports)}
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [rule]}
    policy = {"kind": "NetworkPolicy", "metadata": {"name": "narrow"}, "spec": spec}
    rendered = render(MANIFESTS / "overlays" / "local")
    speaker = ground_of([*rendered, policy], (), None).speakers.get("narrow")
    return None if speaker is None else speaker.doors


def test_its_files_and_secrets_are_what_was_asked_for(made: tuple[Manifest, ...]) -> None:
    by_kind = {each["kind"]: contents(each) for each in of_kind(made, "ConfigMap", "Secret")}
    assert by_kind == {
        "ConfigMap": {"server.py": b"pass"},
        "Secret": {"key": b"secret", "tls.key": b"key"},
    }


def test_its_data_last_only_where_that_is_asked_for(ground: Ground) -> None:
    (lasting,) = of_kind(objects_of(WANTED, ground, {}), "StatefulSet")
    (passing,) = of_kind(objects_of(dataclasses.replace(WANTED, lasting=False), ground, {}), "StatefulSet")
    assert [claim["metadata"]["name"] for claim in lasting["spec"]["volumeClaimTemplates"]] == ["data"]
    assert "volumeClaimTemplates" not in passing["spec"]
    assert "data" in {volume["name"] for volume in pod_template_of(passing)["spec"]["volumes"]}


@pytest.mark.parametrize(("delegated", "name"), [(False, "other-1:8448"), (True, "other-1")])
def test_a_server_name_says_how_it_is_found(delegated: bool, name: str) -> None:
    assert dataclasses.replace(WANTED, delegated=delegated).server_name == name


def test_further_names_lead_to_the_same_pod(ground: Ground) -> None:
    wanted = dataclasses.replace(WANTED, suffixes=("-a", "-b"))
    assert wanted.hosts == ("other-1", "other-1-a", "other-1-b")
    services = list(of_kind(objects_of(wanted, ground, {}), "Service"))
    assert [Ref.of(each).name for each in services] == list(wanted.hosts)
    assert len({str(each["spec"]) for each in services}) == 1


def test_who_is_found_by_what_he_says_is_nowhere_else(ground: Ground) -> None:
    (service,) = of_kind(objects_of(dataclasses.replace(WANTED, delegated=True), ground, {}), "Service")
    assert {port["port"] for port in service["spec"]["ports"]} == {443, 8008}


def test_names_are_new() -> None:
    assert new_name("other") != new_name("other")


def test_secrets_are_in_no_representation() -> None:
    assert "secret" not in repr(WANTED).replace("secrets", "")


def test_a_deployment_without_a_front_door_is_told() -> None:
    with pytest.raises(RenderingError, match="no Service with ports https and federation"):
        ground_of([], (), None)


@pytest.mark.parametrize(("overlay", "private"), [("local", True), ("production", False)])
def test_the_component_says_whether_peers_are_trusted(overlay: str, private: bool) -> None:
    assert is_federated_privately(render(MANIFESTS / "overlays" / overlay), AUTHORITY) is private
