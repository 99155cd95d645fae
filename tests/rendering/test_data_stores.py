"""PostgreSQL, Redis and the object store: what their configuration promises."""

import os
import subprocess
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest

from fixtures.rendering.kustomize import render
from fixtures.rendering.objects import Manifest, Ref, find, of_kind
from fixtures.rendering.overlay import ON_ONE_NODE
from fixtures.rendering.rules.redis_and_objects import objects_survive_a_node
from fixtures.rendering.services import selected

MANIFESTS = Path(__file__).parents[2] / "manifests"
REDIS = MANIFESTS / "infrastructure" / "02-redis"
FIXED = {
    "ssl",
    "logging_collector",
    "listen_addresses",
    "port",
    "archive_mode",
    "default_transaction_read_only",
}


@cache
def production() -> tuple[Manifest, ...]:
    return render(MANIFESTS / "overlays" / "production")


def found(kind: str, name: str) -> Manifest:
    manifest = find(production(), Ref(kind, name))
    assert manifest is not None, f"{kind}/{name}"
    return manifest


@pytest.mark.parametrize("alone", [False, True])
def test_copies_on_one_node_are_a_fault_unless_there_is_one_only(alone: bool) -> None:
    staging = deepcopy(render(MANIFESTS / "overlays" / "staging"))
    (namespace,) = of_kind(staging, "Namespace")
    namespace["metadata"]["annotations"][ON_ONE_NODE] = str(alone).lower()
    assert bool([*objects_survive_a_node(staging)]) is not alone


def test_each_archive_has_a_bucket_and_a_user_of_its_own() -> None:
    buckets = found("ConfigMap", "seaweedfs-main")["data"]["buckets.txt"].split()
    for store in of_kind(production(), "ObjectStore"):
        configuration = store["spec"]["configuration"]
        bucket = configuration["destinationPath"].removeprefix("s3://").removesuffix("/")
        assert bucket in buckets
        assert {ref["name"] for ref in configuration["s3Credentials"].values()} == {f"s3-{bucket}"}
        assert configuration["endpointURL"] == "http://s3:8333"


@pytest.mark.parametrize(
    "path",
    [
        "components/single-object-storage/seaweedfs/buckets.txt",
        "infrastructure/03-object-storage/configuration/buckets.txt",
        "components/minio/minio/setup/buckets.txt",
    ],
)
def test_every_object_store_has_the_same_buckets(path: str) -> None:
    assert (MANIFESTS / path).read_text().split() == ["media", "postgresql-backups", "postgresql-li-backups"]


def test_minio_takes_the_place_of_seaweedfs(tmp_path: Path) -> None:
    overlays = MANIFESTS / "overlays" / "production", MANIFESTS / "components" / "minio"
    base, component = (os.path.relpath(path, tmp_path) for path in overlays)
    (tmp_path / "kustomization.yaml").write_text(
        f"namespace: matrix\nresources: [{base}]\ncomponents: [{component}]\n"
    )
    objects = render(tmp_path)
    services = {each["metadata"]["name"]: each for each in of_kind(objects, "Service")}
    assert [Ref.of(each) for each in selected(services["s3"], objects)] == [Ref("StatefulSet", "minio")]
    assert [port["port"] for port in services["s3"]["spec"]["ports"]] == [8333]
    left = [
        each
        for each in objects
        if "seaweedfs" in each["metadata"]["name"] or each["metadata"]["name"] == "postgresql-s3"
    ]
    assert {each["kind"] for each in left} <= {"ConfigMap", "NetworkPolicy"}


@pytest.mark.parametrize("name", ["", "redis-3", "other-0"])
def test_a_pod_of_another_name_is_refused(name: str) -> None:
    finished = subprocess.run(
        ["sh", "-ec", f'. "{REDIS}/server/bin/common.sh"'],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
        env={"PATH": "/usr/bin:/bin", "POD_NAME": name},
    )
    assert finished.returncode == 2
    assert "POD_NAME is" in finished.stderr
