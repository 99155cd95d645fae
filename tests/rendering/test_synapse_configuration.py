"""What Synapse is told, beyond that it can be loaded."""

import ipaddress
import re
from pathlib import Path

import yaml

from fixtures.rendering.objects import Manifest, Ref, find, of_kind
from fixtures.rendering.overlay import synapse_configuration

CONFIG = Path(__file__).parents[2] / "manifests" / "config" / "synapse" / "conf.d"
SYNAPSE = Path(__file__).parents[2] / ".venv" / "programs" / "synapse"

Objects = tuple[Manifest, ...]


def test_every_limit_that_synapse_knows_is_stated() -> None:
    (source,) = SYNAPSE.glob("lib/python3*/site-packages/synapse/config/ratelimiting.py")
    known = set(re.findall(r'"(rc_[a-z0-9_]+)[".]', source.read_text(encoding="utf-8")))
    stated = yaml.safe_load((CONFIG / "10-rate-limits.yaml").read_text(encoding="utf-8"))
    old_names = {"rc_messages", "rc_messages_per_second", "rc_message_burst_count"}
    assert known - old_names == {key for key in stated if key.startswith("rc_")}


def test_nothing_is_forgotten_that_lawful_intercept_may_need(local_objects: Objects) -> None:
    settings = synapse_configuration(local_objects)
    for key in (
        "redaction_retention_period",
        "forgotten_room_retention_period",
        "user_ips_max_age",
        "delete_stale_devices_after",
    ):
        assert key in settings, f"{key}: Synapse's default would apply"
        assert settings[key] is None
    assert settings["retention"] == {"enabled": False}


def test_inner_addresses_are_refused_in_production() -> None:
    settings = yaml.safe_load((CONFIG / "10-federation.yaml").read_text(encoding="utf-8"))
    for key in ("ip_range_blacklist", "federation_ip_range_blacklist", "url_preview_ip_range_blacklist"):
        blocks = [ipaddress.ip_network(each) for each in settings[key]]
        for address in (
            "10.0.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "::1",
            "fd00::1",
            "fe80::1",
        ):
            ip = ipaddress.ip_address(address)
            assert any(ip.version == block.version and ip in block for block in blocks), f"{key}: {address}"


def test_whoever_has_a_duty_is_a_pod_that_there_is(local_objects: Objects) -> None:
    settings = synapse_configuration(local_objects)
    pods = {
        f"{Ref.of(each).name}-{ordinal}"
        for each in of_kind(local_objects, "StatefulSet")
        for ordinal in range(each["spec"].get("replicas", 1))
    }
    writers = {name for names in settings["stream_writers"].values() for name in names}
    assert writers | set(settings["federation_sender_instances"]) <= pods
    assert settings["media_instance_running_background_jobs"] in pods
    assert settings["instance_map"].keys() == {"main", *writers}


def test_all_persisters_and_senders_have_a_share(local_objects: Objects) -> None:
    settings = synapse_configuration(local_objects)
    for name, shares in (
        ("event-persister", settings["stream_writers"]["events"]),
        ("federation-sender", settings["federation_sender_instances"]),
    ):
        workload = find(local_objects, Ref("StatefulSet", name))
        assert workload is not None
        assert sorted(shares) == [f"{name}-{ordinal}" for ordinal in range(workload["spec"]["replicas"])]


def test_replication_is_reached_where_the_map_says(local_objects: Objects) -> None:
    for name, place in synapse_configuration(local_objects)["instance_map"].items():
        service = find(local_objects, Ref("Service", place["host"].rpartition(".")[2]))
        assert service is not None, name
        assert place["host"] in {"synapse-main", f"{name}.{Ref.of(service).name}"}
        assert service["spec"]["clusterIP"] == "None"
        assert {"name": "replication", "port": place["port"], "targetPort": "replication"} in service["spec"][
            "ports"
        ]
        assert name == "main" or service["spec"]["publishNotReadyAddresses"] is True
