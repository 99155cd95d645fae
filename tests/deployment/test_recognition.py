"""Programs, their configuration and the names that they call are recognised whatever they are called."""

from typing import Any

import pytest

from fixtures.deployment.hosts import Host, host_of
from fixtures.deployment.recognition import recognised_configurations
from fixtures.deployment.roles import Role, role_of
from fixtures.rendering.objects import Manifest


@pytest.mark.parametrize(
    ("image", "command", "role"),
    [
        ("matrixdotorg/synapse:v1.119.0", [], Role.SYNAPSE_MAIN),
        (
            "ghcr.io/element-hq/synapse:v1.163.2",
            ["python", "-m", "synapse.app.homeserver"],
            Role.SYNAPSE_MAIN,
        ),
        (
            "ghcr.io/element-hq/synapse:v1.163.2",
            ["python", "-m", "synapse.app.generic_worker", "-c", "/conf/homeserver.yaml"],
            Role.GENERIC_WORKER,
        ),
        ("docker.io/library/haproxy:3.2", [], Role.HAPROXY),
        ("haproxytech/haproxy-alpine:3.2", [], Role.HAPROXY),
        ("nginxinc/nginx-unprivileged:1.29", [], Role.EDGE),
        ("docker.io/library/traefik:v3", [], Role.EDGE),
        ("docker.io/bitnami/postgresql:18", [], Role.POSTGRESQL),
        ("ghcr.io/zalando/spilo-17:4.0", [], Role.POSTGRESQL),
        ("ghcr.io/cloudnative-pg/postgresql:18", [], Role.POSTGRESQL),
        ("quay.io/prometheuscommunity/postgres-exporter:v0.18", [], None),
        ("docker.io/valkey/valkey:8.1", [], Role.REDIS),
        ("oliver006/redis_exporter:v1.7", [], None),
        ("quay.io/minio/minio:latest", [], Role.OBJECT_STORAGE),
        ("chrislusf/seaweedfs:4.48", ["weed", "mini"], Role.OBJECT_STORAGE),
        ("chrislusf/seaweedfs:4.48", ["weed", "s3", "-filer=filer:8888"], Role.OBJECT_STORAGE),
        ("chrislusf/seaweedfs:4.48", ["weed", "volume", "-dir=/data"], Role.OBJECT_STORAGE_BACKEND),
        ("chrislusf/seaweedfs:4.48", ["sh", "/etc/seaweedfs/main/filer.sh"], Role.OBJECT_STORAGE_BACKEND),
        ("coturn/coturn:4.7", [], Role.MEDIA_RELAY),
        ("registry.example/anything:1", [], None),
    ],
)
def test_common_images_have_their_role(image: str, command: list[str], role: Role | None) -> None:
    assert role_of({"spec": {"containers": [{"name": "a", "image": image, "command": command}]}}) is role


def pod(files: dict[str, str], **container: Any) -> list[Manifest]:
    """A pod that mounts a ConfigMap at /c."""
    volume = {"name": "v", "configMap": {"name": "c"}}
    mounts = [{"name": "v", "mountPath": "/c"}]
    spec = {"volumes": [volume], "containers": [{"name": "a", "volumeMounts": mounts, **container}]}
    return [
        {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": files},
        {"kind": "Pod", "metadata": {"name": "p"}, "spec": spec},
    ]


HOMESERVER, WORKER = "server_name: a.example\n", "worker_app: synapse.app.generic_worker\n"
LOGGING = "version: 1\nhandlers: {}\nformatters: {}\nroot: {}\n"


@pytest.mark.parametrize(
    ("files", "args", "read"),
    [
        ({"homeserver.yaml": HOMESERVER}, [], {"Synapse": ["/c/homeserver.yaml"]}),
        (
            {"a.yaml": WORKER, "b.yaml": HOMESERVER},
            ["-c", "/c/b.yaml", "--config-path=/c/a.yaml"],
            {"Synapse": ["/c/b.yaml", "/c/a.yaml"]},
        ),
        ({"a.yaml": HOMESERVER, "b.yaml": WORKER}, ["-c", "/c/a.yaml"], {"Synapse": ["/c/a.yaml"]}),
        (
            {"10-a.yaml": HOMESERVER, "20-b.yaml": "redis: {enabled: true}\n", "log.yaml": LOGGING},
            [],
            {"Synapse": ["/c/10-a.yaml", "/c/20-b.yaml"]},
        ),
        ({"a.cfg": "defaults\n  mode http\nfrontend a\n  bind :80\n"}, [], {"HAProxy": ["/c/a.cfg"]}),
        ({"redis.conf": "maxmemory 1gb\nappendonly no\n"}, [], {"Redis": ["/c/redis.conf"]}),
        ({"a.conf": "port 26379\nsentinel monitor main redis-0 6379 2\n"}, [], {"Sentinel": ["/c/a.conf"]}),
        ({"a.yaml": "groups: []\n", "run.sh": "set -eu\nsave all\n"}, [], {}),
    ],
)
def test_configuration_is_recognised_by_what_it_says(
    files: dict[str, str], args: list[str], read: dict[str, list[str]]
) -> None:
    found = recognised_configurations(pod(files, args=args))
    assert {str(each.program): [file.path for file in each.files] for each in found} == read


SERVICES: dict[tuple[str, str], Manifest] = {("own", "peers"): {}, ("other", "db"): {}}


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("db", Host("own", "db")),
        ("db.other", Host("other", "db")),
        ("a-0.peers", Host("own", "peers", "a-0")),
        ("db.other.svc", Host("other", "db", full=True)),
        ("a-0.peers.own.svc.cluster.local", Host("own", "peers", "a-0", full=True)),
        ("_web._tcp.peers.${NAMESPACE}.svc.cluster.local", Host("own", "peers", None, "web", full=True)),
        ("s3.eu.example.org", None),
        ("10.0.0.1", None),
        ("localhost", None),
        ("${REDIS_HOST}", None),
    ],
)
def test_names_mean_what_the_cluster_would_make_of_them(name: str, host: Host | None) -> None:
    assert host_of(name, "own", SERVICES) == host
