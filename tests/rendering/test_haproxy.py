"""The shipped HAProxy configuration at work, before processes that only say who they are.

Bent for it: addresses of listeners and servers, certificates left out, waits shortened, few places at each process.
"""

import json
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from fixtures.rendering.objects import Manifest, find
from fixtures.rendering.objects import Ref as Reference
from fixtures.rendering.overlay import synapse_configuration
from fixtures.rendering.routes import STAND_IN, WRITERS, load_routes
from fixtures.rendering.services import port_of

HAPROXY = Path(__file__).parents[2] / "manifests" / "main-instance" / "03-haproxy"
POOLS = {"synchrotron": 3, "initial-sync": 1, "generic-worker": 4, "media-repository": 2}
V3 = "/_matrix/client/v3"


def configuration() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((HAPROXY / "conf.d").glob("*.cfg")))


# --- what the files say


def test_every_pool_of_the_routes_has_a_backend() -> None:
    backends = set(re.findall(r"^backend (\S+)", configuration(), re.MULTILINE))
    assert load_routes().pools() | STAND_IN.keys() | WRITERS <= backends


def test_stand_ins_are_those_of_the_route_table() -> None:
    found = {
        pool: other
        for other, pool, checked in re.findall(
            r"str\(([\w-]+)\) if \{ var\(txn\.pool\) -m str ([\w-]+) \} \{ nbsrv\(([\w-]+)\) eq 0 \}",
            configuration(),
        )
        if pool == checked
    }
    assert found == STAND_IN


def test_every_backend_leads_to_a_port_of_a_service(every_workload: tuple[Manifest, ...]) -> None:
    targets = re.findall(
        r'"(?:_(\w+)\._tcp\.|[\w-]+\.(?=stream-writer\.))?([\w-]+)\.\$\{NAMESPACE\}', configuration()
    )
    assert len(targets) >= 8
    for port, name in targets:
        service = find(every_workload, Reference("Service", name))
        assert service is not None, name
        if port:
            port_of(service, port)
            assert service["spec"]["clusterIP"] == "None", (
                f"{name}: HAProxy would see one address for all pods"
            )


def test_sizes_at_the_edge_are_those_of_synapse(local_objects: tuple[Manifest, ...]) -> None:
    upload, request = (
        int(limit)
        for limit in re.findall(r"acl beyond_\w+ req\.hdr_val\(content-length\) gt (\d+)", configuration())
    )
    said = re.fullmatch(r"(\d+)M", synapse_configuration(local_objects)["max_upload_size"])
    assert said is not None
    assert upload == int(said[1]) * 1024 * 1024
    assert request == 200 * 65536  # synapse/api/constants.py, MAX_REQUEST_SIZE


def test_what_haproxy_answers_itself_a_browser_may_read() -> None:
    answers = re.findall(
        r"^\s*http-(?:error|request return) status \d+ content-type application/json .*",
        configuration(),
        re.MULTILINE,
    )
    assert len(answers) > 10
    for line in answers:
        assert "hdr Access-Control-Allow-Origin *" in line
        json.loads(re.findall(r"string '([^']+)'", line)[0])["errcode"]


# --- what it does


@dataclass
class Process:
    """Stands for a Synapse process: says who it is and what it was sent."""

    name: str
    port: int
    busy: threading.Event


@contextmanager
def process(name: str) -> Iterator[Process]:
    go_on = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # header and body in one packet: the next one would wait for an acknowledgement

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if "slow" in self.path:
                go_on.wait(10)
            sent = {key.lower(): ", ".join(self.headers.get_all(key, ())) for key in self.headers}
            body = json.dumps({"name": name, "headers": sent}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the names that http.server asks for

        def log_message(self, *arguments: object) -> None:
            """Nothing: the test's output stays clean."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *arguments: object) -> None:
            """Nothing: a health check hangs up as soon as it has seen the status."""

    with Server(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield Process(name, listening.server_port, go_on)
        go_on.set()
        listening.shutdown()
        thread.join()


def free_ports(count: int) -> list[int]:
    """Different ones: HAProxy would share a port between two of its listeners without a word."""
    with ExitStack() as stack:
        listening = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in listening]


def bent(text: str, ports: list[int], maps: Path, processes: dict[str, list[Process]]) -> str:
    """The configuration with other addresses."""

    def servers(match: re.Match[str]) -> str:
        return "\n".join(
            f"    server {each.name} 127.0.0.1:{each.port} maxconn 2" for each in processes[match[1]]
        )

    (main,) = processes["main"]
    port, health, metrics = ports
    text = re.sub(r"    server-template ([\w-]+)- .*", servers, text)
    text = re.sub(r"    server main .*", f"    server main 127.0.0.1:{main.port} maxconn 2", text)
    text = re.sub(r'"stream-writer-.*"|"element-web.*"', "127.0.0.1:9", text)
    text = re.sub(r"    bind :8443 .*", f"    bind 127.0.0.1:{port}", text)
    text = re.sub(r"    bind :8404", f"    bind 127.0.0.1:{health}", text)
    text = re.sub(r"    bind (:8448|127).* name .*\n", "", text)
    text = text.replace("    bind :8405", f"    bind 127.0.0.1:{metrics}")
    text = re.sub(r"resolvers kube\n(    .*\n)*", "", text).replace(" resolvers kube resolve-prefer ipv4", "")
    text = text.replace("init-addr none", "").replace("timeout queue 5s", "timeout queue 300ms")
    text = text.replace("inter 500ms fastinter 200ms", "inter 100ms fastinter 50ms")
    return text.replace("/etc/haproxy/maps", str(maps))


@dataclass
class Edge:
    """HAProxy in front of the processes."""

    http: httpx.Client
    processes: dict[str, list[Process]]

    def name(self, path: str, method: str = "GET", **options: object) -> str:
        """Who answered."""
        answer = self.http.request(method, path, **options)  # type: ignore[arg-type]
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        name: str = answer.json()["name"]
        return name


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    folder = tmp_path_factory.mktemp("haproxy")
    port, health, _ = ports = free_ports(3)
    with ExitStack() as stack:
        processes = {
            pool: [stack.enter_context(process(f"{pool}-{index}")) for index in range(count)]
            for pool, count in {**POOLS, "main": 1}.items()
        }
        (folder / "haproxy.cfg").write_text(bent(configuration(), ports, HAPROXY / "maps", processes))
        running = subprocess.Popen(
            ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")],
            env={**os.environ, "NAMESPACE": "matrix"},
            stdout=(folder / "log").open("wb"),
            stderr=subprocess.STDOUT,
        )
        stack.callback(running.wait, 10)
        stack.callback(running.terminate)
        client = stack.enter_context(
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False)
        )
        deadline = time.monotonic() + 10
        while True:
            assert running.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            try:
                if httpx.get(f"http://127.0.0.1:{health}/ready", trust_env=False).status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield Edge(client, processes)


def token(user: str, device: str = "x") -> dict[str, str]:
    return {"Authorization": f"Bearer syt_{user}_{device}_sum"}


def test_a_user_is_always_at_one_synchrotron_whatever_the_device(edge: Edge) -> None:
    at = {
        user: {edge.name(f"{V3}/sync?since=s", headers=token(user, device)) for device in "abc"}
        for user in map(str, range(24))
    }
    assert all(len(names) == 1 for names in at.values()), at
    assert len(set.union(*at.values())) == POOLS["synchrotron"]


def test_the_old_place_of_a_token_counts_the_same(edge: Edge) -> None:
    for user in map(str, range(8)):
        by_header = edge.name(f"{V3}/sync?since=s", headers=token(user))
        assert edge.name(f"{V3}/sync?since=s&access_token=syt_{user}_x_sum") == by_header


@pytest.mark.parametrize("query", ["", "?timeout=0", "?since=s&full_state=true"])
def test_a_first_sync_has_a_pool_of_its_own(edge: Edge, query: str) -> None:
    assert edge.name(f"{V3}/sync{query}", headers=token("a")) == "initial-sync-0"


def test_a_room_is_always_at_one_worker_however_it_is_written(edge: Edge) -> None:
    at = {}
    for room in (f"!room{index}" for index in range(24)):
        encoded = room.replace("!", "%21")
        at[room] = {
            edge.name(f"{V3}/rooms/{room}/messages", headers=token("a")),
            edge.name(f"{V3}/rooms/{encoded}/messages", headers=token("b")),
            edge.name(f"{V3}/rooms/{encoded}/send/m.room.message/1", "PUT", headers=token("c"), json={}),
            edge.name(f"{V3}/join/{encoded}", "POST", headers=token("d"), json={}),
        }
    assert all(len(names) == 1 for names in at.values()), at
    assert len(set.union(*at.values())) == POOLS["generic-worker"]


@pytest.mark.parametrize(
    "form",
    [
        'X-Matrix origin="{}",key="k",sig="s"',
        "X-Matrix key=k,destination=b.test,origin={},sig=s",
        'x-matrix ORIGIN="{}"',
    ],
)
def test_another_server_is_always_at_one_worker(edge: Edge, form: str) -> None:
    send = "/_matrix/federation/v1/send/"
    servers = [f"s{index}.test" for index in range(24)]
    at = {
        server: {
            edge.name(f"{send}{each}", "PUT", headers={"Authorization": form.format(server)}, json={})
            for each in (1, 2)
        }
        | {
            edge.name(
                f"{send}3", "PUT", headers={"Authorization": f"X-Matrix origin={server},sig=z"}, json={}
            )
        }
        for server in servers
    }
    assert all(len(names) == 1 for names in at.values()), at
    assert len(set.union(*at.values())) == POOLS["generic-worker"]


def test_previews_and_their_pictures_meet(edge: Edge) -> None:
    names = {
        edge.name("/_matrix/client/v1/media/preview_url?url=x", headers=token("a")),
        edge.name("/_matrix/media/v3/preview_url?url=y", headers=token("b")),
        edge.name("/_matrix/client/v1/media/download/a.test/2026-01-31_abc", headers=token("c")),
        edge.name("/_matrix/media/v3/thumbnail/a.test/2026-01-31_abc", headers=token("d")),
    }
    assert len(names) == 1


def test_what_a_client_says_of_its_way_is_not_believed(edge: Edge) -> None:
    claims = {
        "X-Forwarded-For": "1.2.3.4",
        "X-Real-IP": "1.2.3.4",
        "Forwarded": "for=1.2.3.4",
        "X-Request-ID": "mine",
    }
    answer = edge.http.get(f"{V3}/capabilities", headers=claims)
    sent = answer.json()["headers"]
    assert sent["x-forwarded-for"] == "127.0.0.1"
    assert "1.2.3.4" not in json.dumps(sent)
    assert sent["x-request-id"] == answer.headers["X-Request-ID"] != "mine"
    assert sent["x-forwarded-proto"] == "https"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/_synapse/admin/v1/users", 403),
        ("/_synapse/metrics", 404),
        ("/metrics", 404),
        ("/health", 404),
        ("/", 404),
    ],
)
def test_what_is_inner_is_not_here(edge: Edge, path: str, status: int) -> None:
    assert edge.http.get(path).status_code == status


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        (f"{V3}/keys/upload", 13107201, 413),
        ("/_matrix/federation/v1/send/1", 13107201, 413),
        ("/_matrix/media/v3/upload", 104857601, 413),
        (f"{V3}/keys/upload", 13107200, None),
        ("/_matrix/media/v3/upload", 104857600, None),
    ],
)
def test_what_is_too_large_is_refused_by_its_header(
    edge: Edge, path: str, length: int, status: int | None
) -> None:
    with socket.create_connection(
        (edge.http.base_url.host, edge.http.base_url.port or 0), timeout=0.3
    ) as raw:
        raw.sendall(f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n".encode())
        try:
            answer = raw.recv(4096).decode()
        except TimeoutError:
            answer = ""
    assert answer.startswith("HTTP/1.1 413") == (status == 413), answer
    assert ("M_TOO_LARGE" in answer) == (status == 413)


def test_when_nobody_has_room_it_is_429_and_says_when_to_try_again(edge: Edge) -> None:
    """Two places at each process: the third request of one room waits in vain, another room is served."""
    path = f"{V3}/rooms/!full/event/"
    at = edge.name(f"{path}e")
    (busy,) = (each for each in edge.processes["generic-worker"] if each.name == at)
    with ThreadPoolExecutor(2) as others:
        held = [others.submit(edge.http.get, f"{path}slow{index}") for index in range(2)]
        time.sleep(0.2)
        answer = edge.http.get(f"{path}e")
        free = next(
            room
            for room in map(str, range(99))
            if edge.processes["generic-worker"] and _elsewhere(edge, room, at)
        )
        busy.busy.set()
        assert [each.result().status_code for each in held] == [200, 200]
    assert answer.status_code == 429
    assert answer.json()["errcode"] == "M_LIMIT_EXCEEDED"
    assert answer.json()["retry_after_ms"] == 2000
    assert answer.headers["Retry-After"] == "2"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "X-Out-Of-Capacity" not in answer.headers
    assert free


def _elsewhere(edge: Edge, room: str, at: str) -> bool:
    answer = edge.http.get(f"{V3}/rooms/!{room}/event/e")
    return answer.status_code == 200 and answer.json()["name"] != at
