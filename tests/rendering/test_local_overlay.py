"""The overlay `local` keeps the conventions that everything else builds upon."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import yaml

from fixtures.rendering.catalogue import lookup
from fixtures.rendering.objects import (
    Manifest,
    Ref,
    containers,
    labels_of,
    of_kind,
    pod_template_of,
    workloads,
)
from fixtures.rendering.references import references
from fixtures.rendering.secrets import load_declarations

PROGRAMS = Path(__file__).parents[2] / ".venv" / "programs"
LABELS = {f"app.kubernetes.io/{each}" for each in ("name", "component", "instance")}
PORT_NAMES = {
    *("client", "federation", "replication", "metrics", "health", "http", "https"),
    *("postgresql", "redis", "sentinel", "s3", "volume", "master", "filer"),
}
CLUSTER_KINDS = {"Namespace", "PriorityClass"}

Objects = tuple[Manifest, ...]


def every_container(objects: Objects) -> Iterator[tuple[str, Manifest]]:
    for workload in workloads(objects):
        for place, container in containers(pod_template_of(workload)["spec"]):
            yield f"{Ref.of(workload)} {place}", container


def test_it_has_the_parts_of_a_deployment(local_objects: Objects) -> None:
    assert {str(Ref.of(each)) for each in workloads(local_objects)} >= {
        "StatefulSet/postgresql",
        "StatefulSet/redis",
        "Deployment/redis-proxy",
        "StatefulSet/synapse-main",
        "Deployment/synchrotron",
        "Deployment/initial-sync",
        "Deployment/generic-worker",
        "StatefulSet/media-repository",
        "StatefulSet/event-persister",
        "StatefulSet/federation-sender",
        "Deployment/haproxy",
    }


def test_everything_is_labelled_and_in_one_namespace(local_objects: Objects) -> None:
    for manifest in local_objects:
        assert labels_of(manifest).keys() >= LABELS, Ref.of(manifest)
        if manifest["kind"] not in CLUSTER_KINDS:
            assert manifest["metadata"]["namespace"] == "matrix", Ref.of(manifest)
    for workload in workloads(local_objects):
        assert labels_of(pod_template_of(workload)) == labels_of(workload)


def test_every_consumer_of_a_secret_is_declared(every_workload: Objects) -> None:
    declared = {each.name: set(each.consumers) for each in load_declarations().secrets}
    for reference in references(every_workload):
        if reference.target.kind == "Secret" and reference.target.name in declared:
            assert str(reference.owner) in declared[reference.target.name], reference


def test_every_declared_consumer_of_the_overlay_is_one(local_objects: Objects) -> None:
    there = {str(Ref.of(each)) for each in workloads(local_objects)}
    for declaration in load_declarations().secrets:
        found = {
            str(each.owner) for each in references(local_objects) if each.target.name == declaration.name
        }
        assert found == set(declaration.consumers) & there, declaration.name


def test_pods_are_restricted(local_objects: Objects) -> None:
    for workload in workloads(local_objects):
        spec = pod_template_of(workload)["spec"]
        context, user = spec["securityContext"], lookup(spec["containers"][0]["image"]).user
        assert [context[key] for key in ("runAsUser", "runAsGroup", "fsGroup")] == [user] * 3
        assert context["runAsNonRoot"] is True
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert spec["terminationGracePeriodSeconds"] > 0


def test_containers_are_restricted_and_sized(local_objects: Objects) -> None:
    for where, container in every_container(local_objects):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, where
        resources = container["resources"]
        assert resources["requests"].keys() == {"cpu", "memory"}, where
        assert resources["limits"].keys() == {"memory"}, where


def test_the_user_is_the_one_that_the_image_is_made_for(local_objects: Objects) -> None:
    for workload in workloads(local_objects):
        spec = pod_template_of(workload)["spec"]
        for _, container in containers(spec):
            assert lookup(container["image"]).user == spec["securityContext"]["runAsUser"]


def test_volumes_are_bounded_and_hide_nothing_of_the_image(local_objects: Objects) -> None:
    for workload in workloads(local_objects):
        for volume in pod_template_of(workload)["spec"].get("volumes", ()):
            assert "emptyDir" not in volume or "sizeLimit" in volume["emptyDir"], Ref.of(workload)
    for where, container in every_container(local_objects):
        paths = [mount["mountPath"] for mount in container.get("volumeMounts", ())]
        assert not [path for path in paths if path.startswith("/usr")], where


def test_every_command_is_a_bare_name_on_the_path_of_its_image(local_objects: Objects) -> None:
    for where, container in every_container(local_objects):
        commands = [container["command"][0]]
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            commands += container.get(kind, {}).get("exec", {}).get("command", [])[:1]
        commands += container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", [])[:1]
        for command in commands:
            assert "/" not in command, where
            assert program(container["image"], command) is not None, f"{where}: {command}"


def program(image: str, command: str) -> str | None:
    """Where the machine has a program of an image, None when nowhere."""
    local = lookup(image).local
    assert local is not None
    folders = []
    for folder in local.path:
        bind = next((each for each in local.binds if Path(folder).is_relative_to(each.to)), None)
        folders.append(str(bind.source(PROGRAMS) / Path(folder).relative_to(bind.to)) if bind else folder)
    return shutil.which(command, path=os.pathsep.join(folders))


def test_every_image_prints_the_version_that_runs(local_objects: Objects) -> None:
    for _, container in every_container(local_objects):
        image = lookup(container["image"])
        assert image.local is not None
        assert program(container["image"], image.local.version[0]) is not None


def test_generated_configuration_has_a_hash_in_its_name(local_objects: Objects) -> None:
    for config_map in of_kind(local_objects, "ConfigMap"):
        assert Ref.of(config_map).name.rpartition("-")[2].isalnum()
        assert len(Ref.of(config_map).name.rpartition("-")[2]) == 10


def test_no_two_drop_ins_of_one_level_set_the_same_key(local_objects: Objects) -> None:
    (config_map,) = (
        each for each in of_kind(local_objects, "ConfigMap") if "10-database.yaml" in each["data"]
    )
    setters: dict[tuple[str, str], str] = {}
    for name, text in config_map["data"].items():
        for key in yaml.safe_load(text):
            assert setters.setdefault((name[:2], key), name) == name, (
                f"{key}: in {setters[name[:2], key]} and {name}"
            )
