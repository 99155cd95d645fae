"""That names lead to the pods that are meant, and to nobody else."""

from collections.abc import Iterator

import pytest

from fixtures.deployment.rules.addresses import unspread_pools
from fixtures.deployment.rules.exposure import side_doors
from fixtures.deployment.rules.replication import split_replication
from fixtures.plugins.judging import Judge
from fixtures.rendering.findings import Finding, Objects
from fixtures.rendering.objects import Ref, of_kind
from fixtures.rendering.rules.governing import confused_ports, doubled_services, ungoverned_sets

PORT_NAMES = {
    *("client", "federation", "replication", "metrics", "health", "http", "https"),
    *("postgresql", "redis", "sentinel", "s3"),
    *(name + suffix for name in ("master", "volume", "filer") for suffix in ("", "-grpc")),
}


@pytest.mark.requirement("STA-024")
def test_pods_of_stateful_sets_have_names(judge: Judge) -> None:
    """Precondition: the overlays are rendered. Each StatefulSet is governed by a headless Service of its pods."""
    judge(ungoverned_sets)


@pytest.mark.requirement("STA-024")
def test_services_and_ports_can_be_told_apart(judge: Judge) -> None:
    """Precondition: the overlays are rendered. No Service is another one again, no port of one is there twice."""

    def confused(objects: Objects) -> Iterator[Finding]:
        yield from confused_ports(objects)
        yield from doubled_services(objects)

    judge(confused)


@pytest.mark.requirement("STA-024")
def test_ports_have_the_names_of_the_readme(ours: None, judge: Judge) -> None:
    """Precondition: our overlays are rendered. Ports of Services have names that policies and monitoring know."""

    def unknown(objects: Objects) -> Iterator[Finding]:
        for service in of_kind(objects, "Service"):
            for index, port in enumerate(service["spec"].get("ports") or ()):
                if port.get("name") not in PORT_NAMES:
                    fault = f"is {port.get('name')!r}"
                    remedy = f"use one of: {', '.join(sorted(PORT_NAMES))}"
                    yield Finding(Ref.of(service), f"spec.ports[{index}].name", fault, remedy)

    judge(unknown)


@pytest.mark.requirement("STA-024")
def test_pools_find_each_of_their_pods(judge: Judge) -> None:
    """Precondition: the overlays are rendered. Where HAProxy looks for many servers, their Service is headless."""
    judge(unspread_pools)


@pytest.mark.requirement("STA-028")
def test_only_the_front_door_is_open_to_outside(judge: Judge) -> None:
    """Precondition: the overlays are rendered. LoadBalancer, NodePort and ports of nodes lead to the edge alone."""
    judge(side_doors)


@pytest.mark.requirement("STA-029")
def test_every_process_of_synapse_reaches_the_one_master(judge: Judge) -> None:
    """Precondition: the overlays are rendered. Redis, as Synapse is told of it, is one server or follows the master."""
    judge(split_replication)
