"""Calls that reach nobody."""

import pytest

from fixtures.deployment.rules.addresses import dead_ends
from fixtures.rendering.findings import Unrecognised
from fixtures.rendering.objects import Manifest

SYNAPSE = """\
server_name: a.example
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


def stateful(name: str, replicas: int) -> list[Manifest]:
    """A headless Service and the StatefulSet that it governs."""
    governing, workload = service(name, 80, target=80, headless=True)
    spec = workload["spec"] | {"replicas": replicas, "serviceName": name}
    return [governing, workload | {"kind": "StatefulSet", "spec": spec}]


SERVICES = [
    *stateful("set", 2),
    *service("main", 9093, target=9093, headless=True),
    *service("redis", 6379, target=7000),
    *service("postgresql", 5432, target=5432),
]


def reader(name: str, **files: str) -> list[Manifest]:
    """A ConfigMap, and a pod that reads it."""
    volume = {"name": "v", "configMap": {"name": name}}
    container = {"name": "c", "volumeMounts": [{"name": "v", "mountPath": f"/etc/{name}"}]}
    return [
        {"kind": "ConfigMap", "metadata": {"name": name}, "data": files},
        {"kind": "Pod", "metadata": {"name": name}, "spec": {"volumes": [volume], "containers": [container]}},
    ]


def deployment(haproxy: str = "", synapse: str = SYNAPSE, redis_proxy: str = "") -> list[Manifest]:
    if haproxy and "backend" not in haproxy:
        haproxy = f"backend a\n{haproxy}"
    proxy = f"backend redis\n{redis_proxy}"
    return [
        *reader("proxy", **{"20-a.cfg": proxy}),
        *reader("synapse", **{"10-a.yaml": synapse}),
        *reader("haproxy", **{"40-a.cfg": haproxy}),
    ]


def broken(objects: list[Manifest]) -> list[str]:
    return [str(finding) for finding in dead_ends(tuple(objects))]


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
        (f'    server a "{at("set-1.set")}:80"\n', None),
        (f'    server a "{at("set-2.set")}:80"\n', "no name to a pod 'set-2'; it does to: set-0, set-1"),
        (f'    server a "{at("redis-0.redis")}:6379"\n', "no name to a pod 'redis-0'; it does to: none"),
    ],
)
def test_servers_are_services(haproxy: str, fault: str | None) -> None:
    found = broken([*SERVICES, *deployment(haproxy)])
    assert len(found) == (fault is not None)
    if fault is not None:
        assert fault in found[0]


def test_a_server_that_is_an_address_is_named() -> None:
    (fault,) = broken([*SERVICES, *deployment("    server a 10.0.0.1:80\n")])
    assert fault == (
        "ConfigMap/haproxy 40-a.cfg a server: calls the address 10.0.0.1, which no pod keeps; "
        "write SERVICE.NAMESPACE.svc.cluster.local and a port"
    )


def test_a_short_name_is_not_found_by_resolvers() -> None:
    assert not broken([*SERVICES, *deployment("    server a main:9093\n")])
    (fault,) = broken([*SERVICES, *deployment("    server a main:9093 check resolvers dns\n")])
    assert "calls main, which HAProxy's resolvers do not find" in fault


def test_a_process_does_not_find_others_on_loopback() -> None:
    synapse = SYNAPSE.replace("host: main", "host: 127.0.0.1")
    (fault,) = broken([*SERVICES, *deployment(synapse=synapse)])
    assert "instance_map.main: calls 127.0.0.1, which is in each pod the pod itself" in fault


def test_nothing_recognised_is_not_judged() -> None:
    with pytest.raises(Unrecognised):
        list(dead_ends(tuple(SERVICES)))


def test_a_headless_service_translates_no_port() -> None:
    objects = [*service("main", 80, target=9093, headless=True), *SERVICES[4:]]
    synapse = SYNAPSE.replace("9093", "80")
    (fault,) = broken([*objects, *deployment(synapse=synapse)])
    assert "instance_map.main: calls main: Service/main has no port 80; it has: 9093, port" in fault


SWITCH = (
    "    http-request set-var(txn.pool) str(main) "
    "if { var(txn.pool) -m beg extra- } !{ var(proc.extra) -m found }\n"
)
INSTEAD = "    http-request return status 503 if is_web { nbsrv(web) eq 0 }\n"


@pytest.mark.parametrize(
    ("backend", "front", "excused"),
    [
        ("extra-a", "", False),
        ("extra-a", SWITCH, True),
        ("extra-a", f"{SWITCH}global\n    set-var proc.extra str(on)\n", False),
        ("other", SWITCH, False),
        ("web", INSTEAD, True),
        ("other", INSTEAD, False),
    ],
)
def test_what_is_left_out_must_not_be_routed_to(backend: str, front: str, excused: bool) -> None:
    haproxy = f'frontend front\n{front}backend {backend}\n    server a "{at("nobody")}:1"\n'
    found = broken([*SERVICES, *deployment(haproxy)])
    assert ["there is no Service 'nobody'" in fault for fault in found] == ([] if excused else [True])


def test_the_proxy_of_redis_and_the_object_store_are_followed() -> None:
    synapse = SYNAPSE + "media_storage_providers: [{config: {endpoint_url: 'http://s3:8333'}}]\n"
    proxy = f'    server a "{at("redis-0.peers")}:6379"\n'
    second, first = broken([*SERVICES, *deployment(synapse=synapse, redis_proxy=proxy)])
    assert first.startswith(
        "ConfigMap/synapse 10-a.yaml media_storage_providers[0]: calls s3: there is no Service 's3'"
    )
    assert second.startswith("ConfigMap/proxy 20-a.cfg redis server: calls redis-0.peers.")


def test_an_operator_makes_services_too() -> None:
    cluster = {"kind": "Cluster", "metadata": {"name": "postgresql"}}
    synapse = SYNAPSE.replace("host: postgresql", "host: postgresql-rw")
    assert not broken([cluster, *SERVICES, *deployment(synapse=synapse)])
