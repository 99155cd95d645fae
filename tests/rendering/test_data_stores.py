"""PostgreSQL, Redis and the object store: what their configuration promises."""

import os
import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fixtures.rendering.kustomize import render
from fixtures.rendering.objects import Manifest, Ref, find, of_kind, pod_template_of
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


def test_a_commit_is_on_two_instances_always() -> None:
    for name in ("postgresql", "postgresql-s3"):
        spec = found("Cluster", name)["spec"]
        assert spec["instances"] >= 3
        assert spec["postgresql"]["synchronous"] == {
            "method": "any",
            "number": 1,
            "dataDurability": "required",
            "failoverQuorum": True,
        }


def test_databases_are_made_as_synapse_demands() -> None:
    for name in ("postgresql", "postgresql-li"):
        initdb = found("Cluster", name)["spec"]["bootstrap"]["initdb"]
        assert (initdb["localeCollate"], initdb["localeCType"], initdb["encoding"]) == ("C", "C", "UTF8")
        assert initdb["database"] == initdb["owner"] == "synapse"


def test_no_parameter_belongs_to_the_operator() -> None:
    for cluster in of_kind(production(), "Cluster"):
        parameters = cluster["spec"]["postgresql"]["parameters"]
        assert not [
            key for key in parameters if key in FIXED or key.startswith(("log_dest", "log_rot", "log_file"))
        ]
        assert all(isinstance(value, str) for value in parameters.values())


def test_a_logical_slot_survives_failover_and_cannot_fill_the_volume() -> None:
    spec = found("Cluster", "postgresql")["spec"]
    parameters = spec["postgresql"]["parameters"]
    assert parameters["wal_level"] == "logical"
    assert parameters["sync_replication_slots"] == parameters["hot_standby_feedback"] == "on"
    assert spec["replicationSlots"]["highAvailability"]["synchronizeLogicalDecoding"] is True
    kept = int(parameters["max_slot_wal_keep_size"].removesuffix("GB"))
    assert 2 * kept <= int(spec["walStorage"]["size"].removesuffix("Gi"))


def test_backups_are_made_at_night_once() -> None:
    backups = list(of_kind(production(), "ScheduledBackup"))
    assert len(backups) == 2
    for backup in backups:
        seconds, minutes, hours, *rest = backup["spec"]["schedule"].split()
        assert (seconds, minutes, rest) == ("0", "0", ["*", "*", "*"])
        assert 0 <= int(hours) <= 5


def test_what_is_backed_up_is_not_needed_to_read_it_back() -> None:
    (filer,) = re.findall(
        r'hostname = "(\S+)-rw"', found("ConfigMap", "seaweedfs-main")["data"]["filer.toml"]
    )
    archived = {
        each["metadata"]["name"] for each in of_kind(production(), "Cluster") if each["spec"].get("plugins")
    }
    assert filer in {each["metadata"]["name"] for each in of_kind(production(), "Cluster")} - archived


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


def test_an_object_survives_a_node() -> None:
    (master,) = pod_template_of(found("StatefulSet", "seaweedfs-master"))["spec"]["containers"]
    assert "-defaultReplication=001" in master["args"]
    for name in ("seaweedfs-master", "seaweedfs-volume", "seaweedfs-filer"):
        workload = found("StatefulSet", name)
        affinity = pod_template_of(workload)["spec"]["affinity"]["podAntiAffinity"]
        (rule,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]
        assert rule["topologyKey"] == "kubernetes.io/hostname"
        assert rule["labelSelector"]["matchLabels"] == pod_template_of(workload)["metadata"]["labels"]


def test_nothing_is_told_to_the_vendor() -> None:
    (master,) = pod_template_of(found("StatefulSet", "seaweedfs-master"))["spec"]["containers"]
    assert "-telemetry=false" in master["args"]
    assert (
        "-master.telemetry=false"
        in (MANIFESTS / "components/single-object-storage/seaweedfs/seaweedfs.sh").read_text()
    )


def test_minio_takes_the_place_of_seaweedfs(tmp_path: Path) -> None:
    overlays = MANIFESTS / "overlays" / "production", MANIFESTS / "components" / "minio"
    base, component = (os.path.relpath(path, tmp_path) for path in overlays)
    (tmp_path / "kustomization.yaml").write_text(f"resources: [{base}]\ncomponents: [{component}]\n")
    objects = render(tmp_path)
    services = {each["metadata"]["name"]: each for each in of_kind(objects, "Service")}
    assert [Ref.of(each) for each in selected(services["s3"], objects)] == [Ref("StatefulSet", "minio")]
    assert services["s3"]["spec"]["ports"][0]["port"] == 8333
    left = [
        each
        for each in objects
        if "seaweedfs" in each["metadata"]["name"] or each["metadata"]["name"] == "postgresql-s3"
    ]
    assert {each["kind"] for each in left} <= {"ConfigMap", "NetworkPolicy"}


def test_clients_of_redis_meet_the_proxy_only() -> None:
    (behind,) = selected(found("Service", "redis"), production())
    assert Ref.of(behind) == Ref("Deployment", "redis-proxy")
    peers = found("Service", "redis-peers")["spec"]
    assert peers["clusterIP"] == "None"
    assert peers["publishNotReadyAddresses"] is True


def test_the_proxy_checks_the_server_its_sentinel_and_the_quorum() -> None:
    check = found("ConfigMap", "redis-proxy-conf.d")["data"]["20-redis.cfg"]
    order = [
        check.index(word)
        for word in ("role:master", "GET-MASTER-ADDR", "%[srv_name].redis-peers", "usable Sentinels")
    ]
    assert order == sorted(order)
    assert "on-marked-down shutdown-sessions" in check
    for number in range(3):
        assert f"server redis-{number} " in check


def test_nobody_is_let_in_while_there_is_a_choice_of_masters() -> None:
    files = found("ConfigMap", "redis-proxy-conf.d")["data"]
    assert "tcp-request connection reject if !{ nbsrv(redis) eq 1 }" in files["20-redis.cfg"]
    assert "monitor fail if !{ nbsrv(redis) eq 1 }" in files["30-health.cfg"]


def test_haproxy_takes_the_configuration_of_the_proxy(tmp_path: Path) -> None:
    for name, text in found("ConfigMap", "redis-proxy-conf.d")["data"].items():
        (tmp_path / name).write_text(text)
    finished = subprocess.run(
        ["haproxy", "-c", "-W", "-f", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=30,
        env={"PATH": "/usr/sbin:/usr/bin", "NAMESPACE": "matrix"},
    )
    assert finished.returncode == 0, finished.stdout
    assert not re.search("WARNING|ALERT", finished.stdout), finished.stdout


@settings(max_examples=25, deadline=None)
@given(st.binary(min_size=1, max_size=40).filter(lambda password: not set(password) & {0, 10}))
@example(b"a" * 64)  # od would abbreviate equal lines
def test_redis_is_told_any_password_as_it_is(password: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "replica_password").write_bytes(password)
        script = f'. "{REDIS}/server/bin/common.sh"; secret="{folder}"; quoted replica_password'
        finished = subprocess.run(
            ["sh", "-ec", script],
            capture_output=True,
            check=True,
            timeout=10,
            env={"PATH": "/usr/bin:/bin", "POD_NAME": "redis-0"},
        )
    text = finished.stdout.decode("ascii")
    assert re.fullmatch(r'"(\\x[0-9a-f]{2})+"', text)
    assert bytes.fromhex(text.strip('"').replace("\\x", "")) == password


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
