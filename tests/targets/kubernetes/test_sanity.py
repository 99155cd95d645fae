"""What a cluster must have, read off its nodes and storage classes; whose namespaces are left over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fixtures.deployment.interface import Completed, DeploymentError, Reach, Usage
from fixtures.rendering.footprint import GIB, Footprint
from fixtures.rendering.objects import Manifest
from fixtures.targets.kubernetes.measuring import usage_of
from fixtures.targets.kubernetes.placing import RUN_LABEL
from fixtures.targets.kubernetes.reach import reach_of
from fixtures.targets.kubernetes.reaper import left_over, namespace_object
from fixtures.targets.kubernetes.sanity import DEFAULT_CLASS, too_small, without_storage

NOW = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)
ASKED = Footprint(pods=10, cores=2.0, memory=4 * GIB)


def node(*, cpu: str = "2", memory: str = "4Gi", pods: str = "110", ready: str = "True") -> Manifest:
    """A node, as large as ASKED unless said otherwise."""
    status = {
        "conditions": [{"type": "Ready", "status": ready}],
        "allocatable": {"cpu": cpu, "memory": memory, "pods": pods},
    }
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node"}, "status": status}


@pytest.mark.parametrize(
    ("nodes", "lacks"),
    [
        ([node()], None),
        ([node(cpu="1500m"), node(cpu="500m", memory="1Ki")], None),
        ([node(cpu="1900m")], "CPU (2.0 cores are asked for, 1.9 are there)"),
        ([node(memory="3Gi")], "memory"),
        ([node(pods="9")], "pods (10"),
        ([node(), node(ready="False")], None),
        ([node(ready="Unknown")], "no node that is ready"),
        ([], "no node that is ready"),
    ],
)
def test_a_cluster_has_room(nodes: list[Manifest], lacks: str | None) -> None:
    """By requests, over all nodes that are ready."""
    found = too_small(ASKED, nodes)
    assert (found is None) if lacks is None else (found is not None and lacks in found), found


def storage_class(name: str, *, default: bool) -> Manifest:
    """A class, marked as the default one or not."""
    marks = {DEFAULT_CLASS: "true"} if default else {}
    return {"kind": "StorageClass", "metadata": {"name": name, "annotations": marks}}


def claimant(wanted: str | None) -> Manifest:
    """A StatefulSet whose claims name that class."""
    spec = {"storageClassName": wanted} if wanted is not None else {}
    return {
        "kind": "StatefulSet",
        "metadata": {"name": "redis"},
        "spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": spec}]},
    }


@pytest.mark.parametrize(
    ("wanted", "classes", "fault"),
    [
        (None, [storage_class("local", default=True)], None),
        (None, [storage_class("local", default=False)], "no default one"),
        ("local", [storage_class("local", default=False)], None),
        ("fast", [storage_class("local", default=True)], "no storage class fast; it has: local"),
    ],
)
def test_claims_can_be_served(wanted: str | None, classes: list[Manifest], fault: str | None) -> None:
    """By the class that they name, or the default one."""
    found = without_storage([claimant(wanted)], classes)
    assert (found is None) if fault is None else (found is not None and fault in found), found


def ours(alive: datetime, *, kept: bool = False) -> Manifest:
    """The namespace of a run that was alive then."""
    bare = {"kind": "Namespace", "metadata": {"name": f"at-{alive:%H%M}", "labels": {RUN_LABEL: "run"}}}
    return namespace_object(bare, kept=kept, now=alive)


def test_only_runs_that_are_over_are_swept() -> None:
    """One that is alive, one that was kept, and somebody else's namespace stay."""
    long_ago = NOW - timedelta(hours=5)
    foreign: Manifest = {"kind": "Namespace", "metadata": {"name": "default"}}
    found = [ours(long_ago), ours(NOW - timedelta(minutes=6)), ours(long_ago, kept=True), foreign]
    assert left_over(found, NOW) == ("at-0700",)


def said(text: str) -> Completed:
    """A command that printed this."""
    return Completed(0, text.encode(), b"")


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("open\n", Reach.OPEN),
        ("bash: connect: Connection refused\ncode 1\n", Reach.REFUSED),
        ("code 124\n", Reach.TIMED_OUT),
        ("bash: connect: No route to host\ncode 1\n", Reach.REFUSED),
        ("bash: connect: Connection timed out\ncode 1\n", Reach.TIMED_OUT),
    ],
)
def test_what_programs_say_of_a_connection(text: str, reach: Reach) -> None:
    """Bash, Python and nc, each in its words."""
    assert reach_of(said(text), "Pod/web") is reach


@pytest.mark.parametrize("text", ["no program\n", "code 2\n", ""])
def test_a_connection_that_nobody_can_tell_of_is_an_error(text: str) -> None:
    """Neither open nor closed: no verdict."""
    with pytest.raises(DeploymentError, match="Pod/web"):
        reach_of(said(text), "Pod/web")


def test_memory_is_without_what_can_be_given_back() -> None:
    """Of either version of control groups."""
    first = "memory 1000\npeak 3000\ncached 400\nnanoseconds 2500000000\n"
    second = "memory 1000\ncached 400\nmicroseconds 2500000\n"
    assert usage_of(said(first)) == Usage(600, 3000, 2.5)
    assert usage_of(said(second)) == Usage(600, None, 2.5)
