"""What must be there of a deployment that is attached to."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.deployment.interface import DeploymentError
from fixtures.rendering.objects import Manifest, Ref
from fixtures.targets.attaching import Attachment


def made(kind: str, name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}


OBJECTS = (
    made("ConfigMap", "files-2456789bcd"),
    made("Deployment", "web"),
    made("StatefulSet", "store"),
    made("CronJob", "backup"),
    made("Job", "setup"),
    made("Service", "web"),
)
THERE = {Ref.of(each) for each in OBJECTS if each["kind"] not in ("Job", "ConfigMap")}
SECRET, FOREIGN = made("Secret", "words"), made("Secret", "foreign")


def wanted(*secrets: str) -> Attachment:
    return Attachment("matrix", "tiny.example", OBJECTS, secrets, Path("run"), run="1", begin=0.0)


def test_rendered_objects_and_declared_secrets_are_the_deployment() -> None:
    """A Job that has ended may be gone; what else is in the namespace is nobody's business."""
    there = {*THERE, Ref("Deployment", "somebody-else-s")}
    found = wanted("words").with_secrets(there, {"words": SECRET, "foreign": FOREIGN})
    assert found == (*OBJECTS, SECRET)


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (
            THERE - {Ref("Deployment", "web")},
            "Deployment/web of the overlay is",
        ),
        (
            set(),
            "Deployment/web, StatefulSet/store, CronJob/backup and 1 more of the overlay are",
        ),
    ],
    ids=["one", "none"],
)
def test_what_does_not_run_is_named(there: set[Ref], said: str) -> None:
    """A few by name, the rest by number."""
    with pytest.raises(DeploymentError) as refusal:
        wanted("words").with_secrets(there, {"words": SECRET})
    remedy = "give the overlay that was deployed with --overlay"
    assert str(refusal.value) == f"namespace matrix: {said} not there; {remedy}"


@pytest.mark.parametrize("secrets", [{}, {"words": None}], ids=["never asked for", "not there"])
def test_a_secret_that_is_not_there_is_named(secrets: dict[str, Manifest | None]) -> None:
    with pytest.raises(DeploymentError, match=r"^namespace matrix: Secret/words is not there; make what .*"):
        wanted("words").with_secrets(THERE, secrets)
