"""Calls that reach nobody."""

import pytest

from fixtures.deployment.addresses import dead_ends
from fixtures.rendering.objects import Manifest, RenderingError

SYNAPSE = """\
instance_map: {main: {host: main, port: 9093}}
redis: {enabled: true, host: redis, port: 6379}
database: {args: {host: postgresql, port: 5432}}
"""


def service(name: str, port: int, *, target: int, headless: bool = False) -> list[Manifest]:
    """A Service and the pods behind it."""
    labels = {"app": name}
    ports = [{"name": "port", "port": port, "targetPort": "port"}]
    spec = {"selector": labels, "ports": ports} | ({"clusterIP": "None"} if headless else {})
    container = {"name": name, "ports": [{"name": "port", "containerPort": target}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return [
        {"kind": "Service", "metadata": {"name": name}, "spec": spec},
        {"kind": "Deployment", "metadata": {"name": name}, "spec": {"template": template}},
    ]


SERVICES = [
    *service("main", 9093, target=9093, headless=True),
    *service("redis", 6379, target=7000),
    *service("postgresql", 5432, target=5432),
]


def deployment(haproxy: str = "", synapse: str = SYNAPSE) -> list[Manifest]:
    return [
        {"kind": "ConfigMap", "metadata": {"name": "synapse-conf.d"}, "data": {"10-a.yaml": synapse}},
        {"kind": "ConfigMap", "metadata": {"name": "haproxy-conf.d"}, "data": {"40-a.cfg": haproxy}},
    ]


def at(name: str) -> str:
    return f"{name}.${{NAMESPACE}}.svc.cluster.local"


@pytest.mark.parametrize(
    ("haproxy", "fault"),
    [
        (f'    server a "{at("main")}:9093"\n', None),
        (f'    server-template a 1-8 "{at("_port._tcp.redis")}"\n', None),
        ("    default-server check\n    # server a nowhere\n", None),
        (f'    server a "{at("nobody")}:1"\n', "there is no Service 'nobody'"),
        (f'    server a "{at("redis")}:7000"\n', "Service/redis has no port 7000; it has: 6379, port"),
        (f'    server-template a 1-8 "{at("_client._tcp.redis")}"\n', "has no port 'client'"),
    ],
)
def test_servers_are_services(haproxy: str, fault: str | None) -> None:
    found = list(dead_ends([*SERVICES, *deployment(haproxy)]))
    assert len(found) == (fault is not None)
    if fault is not None:
        assert fault in found[0]


def test_a_server_that_is_no_service_is_refused() -> None:
    with pytest.raises(RenderingError, match=r"is no Service; write SERVICE\.\$\{NAMESPACE\}"):
        list(dead_ends([*SERVICES, *deployment("    server a 10.0.0.1:80\n")]))


def test_a_headless_service_translates_no_port() -> None:
    objects = [*service("main", 80, target=9093, headless=True), *SERVICES[2:]]
    synapse = SYNAPSE.replace("9093", "80")
    (fault,) = dead_ends([*objects, *deployment(synapse=synapse)])
    assert fault.endswith("instance_map.main: Service/main has no port 80; it has: 9093, port")
