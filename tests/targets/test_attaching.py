"""What must be there of a deployment that is attached to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from fixtures.deployment.interface import DeploymentError
from fixtures.peers.placing import AUTHORITY
from fixtures.rendering.objects import Manifest, Ref
from fixtures.rendering.secrets import load_declarations
from fixtures.targets.attaching import LASTING, Attachment


def made(kind: str, name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}


DOCUMENT = Path(__file__).parents[2] / "docs" / "targets.md"

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


def test_the_role_that_is_documented_suffices() -> None:
    """It names every Secret that is read, and every kind that is listed; who signs for other servers is not asked."""
    [text] = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    rules = yaml.safe_load(text)["rules"]
    [secrets] = (rule["resourceNames"] for rule in rules if rule["resources"] == ["secrets"])
    assert {*secrets, AUTHORITY} == {each.name for each in load_declarations().secrets}
    assert AUTHORITY not in secrets
    listed = {resource for rule in rules if "list" in rule["verbs"] for resource in rule["resources"]}
    assert {f"{kind.lower()}s" for kind in LASTING} <= listed
    assert "pods" in listed
