"""The route table against the pinned Synapse: it is asked what each kind of process registers."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from fixtures.rendering.routes import STAND_IN, WRITERS, load_routes

TABLE = load_routes()
ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "programs" / "synapse" / "bin" / "python"
MODULES = ROOT / "manifests" / "images" / "synapse" / "modules"
STREAM_WRITER = ROOT / "manifests" / "components" / "stream-writers" / "stream-writer"

WORKERS = ("synchrotron", "initial-sync", "generic-worker", "media-repository")
RESOURCES = {"media", "well-known"}
"""Routes to what is no servlet but a tree of resources, which cannot be asked for its paths."""

Servlet = tuple[str, str, str]


@pytest.fixture(scope="module")
def registered(laid_out: Path) -> dict[str, list[Servlet]]:
    """Kind of process -> (method, pattern, servlet class) of everything that it registers."""
    (laid_out / "pod-servlets").mkdir()
    (laid_out / "pod-servlets" / "pod.yaml").write_text('worker_name: "w"\n')
    shared = laid_out / "synapse-conf.d"
    folders = {"main": [shared], "stream-writer": [shared, STREAM_WRITER, laid_out / "pod-servlets"]}
    for kind in WORKERS:
        folders[kind] = [shared, laid_out / f"synapse-{kind}", laid_out / "pod-servlets"]
    question = {
        kind: [
            f"--config-path={file}"
            for folder in each
            for file in sorted(folder.glob("stream-writer.yaml" if folder == STREAM_WRITER else "*.yaml"))
        ]
        for kind, each in folders.items()
    }
    finished = subprocess.run(
        [str(PYTHON), str(Path(__file__).with_name("synapse_servlets.py")), json.dumps(question)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(MODULES)},
    )
    assert finished.returncode == 0, finished.stderr
    return {kind: [(m, p, s) for m, p, s in rows] for kind, rows in json.loads(finished.stdout).items()}


def paths(pattern: str) -> Iterator[str]:
    """Paths that fit a pattern of Synapse: every alternative, with and without what is optional."""
    text = pattern.removeprefix("^").removesuffix("$")
    text = text.replace("(?P<path>pushrules/.*)", "pushrules/global/override/a")
    text = re.sub(r"\(\?P<\w+>\[[^\]]*\][*+]\)", "x1", text)
    text = re.sub(r"\(\?P<\w+>", "(", text).replace("/?", "(/)?").replace("\\.", ".")
    for path in _expanded(text):
        assert re.match(pattern, path), (pattern, path)
        yield path


def _expanded(text: str) -> Iterator[str]:
    group = re.search(r"\(([^()]*)\)(\??)", text)
    if group is None:
        yield text
        return
    choices = [*group[1].split("|"), *([""] if group[2] else [])]
    for choice in choices:
        yield from _expanded(text[: group.start()] + choice + text[group.end() :])


def requests(servlets: list[Servlet]) -> Iterator[tuple[str, str, str]]:
    """Method, path and servlet of what comes through the front door."""
    for method, pattern, servlet in servlets:
        if not pattern.startswith("^/_synapse/admin"):
            for path in paths(pattern):
                yield method, path, servlet


def serves(servlets: list[Servlet], method: str, path: str) -> bool:
    return any(each == method and re.match(pattern, path) for each, pattern, _ in servlets)


def behind(pool: str) -> set[str]:
    """The kinds of process that may get a request of a pool: its own, and whoever stands in."""
    kinds = {"main", "stream-writer"} if pool in WRITERS else {pool}
    while pool in STAND_IN:
        pool = STAND_IN[pool]
        kinds.add(pool)
    return kinds


def test_whoever_gets_a_request_can_answer_it(registered: dict[str, list[Servlet]]) -> None:
    asked = {each for servlets in registered.values() for each in requests(servlets)}
    assert len(asked) > 400
    lost = [
        f"{method} {path} ({servlet}): {kind} of pool {TABLE.pool(method, path)} has no such servlet"
        for (method, path, servlet), query in product(sorted(asked), ("", "since=s"))
        for kind in sorted(behind(TABLE.pool(method, path, query)))
        if not serves(registered[kind], method, path)
    ]
    assert lost == []


def test_what_only_main_registers_stays_there(registered: dict[str, list[Servlet]]) -> None:
    workers = [each for kind, servlets in registered.items() if kind != "main" for each in servlets]
    only_main = [each for each in requests(registered["main"]) if not serves(workers, each[0], each[1])]
    assert len(only_main) > 60
    assert {TABLE.pool(method, path) for method, path, _ in only_main} == {"main"}


def test_no_route_is_about_nothing(registered: dict[str, list[Servlet]]) -> None:
    used = {
        route.name
        for servlets in registered.values()
        for method, path, _ in requests(servlets)
        for query in ("", "since=s")
        if (route := TABLE.route(method, path, query)) is not None
    }
    assert {route.name for route in TABLE.routes} - used == RESOURCES


@pytest.mark.parametrize(
    ("servlet", "methods", "pool"),
    [
        ("RoomTypingRestServlet", "PUT", "writer-ephemeral"),
        ("PresenceStatusRestServlet", "PUT", "writer-ephemeral"),
        ("SendToDeviceRestServlet", "PUT", "writer-device"),
        ("PushRuleRestServlet", "PUT DELETE", "writer-account"),
        ("ReceiptRestServlet", "POST", "writer-account"),
        ("ReadMarkerRestServlet", "POST", "writer-account"),
        ("TagServlet", "PUT DELETE", "writer-account"),
        ("AccountDataServlet", "PUT", "writer-account"),
        ("RoomAccountDataServlet", "PUT", "writer-account"),
        ("SyncRestServlet", "GET", "initial-sync"),
        ("SlidingSyncRestServlet", "POST", "synchrotron"),
        ("RoomSendEventRestServlet", "PUT POST", "generic-worker"),
        ("FederationSendServlet", "PUT", "generic-worker"),
        ("FederationMediaDownloadServlet", "GET", "media-repository"),
        ("DownloadResource", "GET", "media-repository"),
        ("LogoutRestServlet", "POST", "main"),
        ("PasswordRestServlet", "POST", "main"),
    ],
)
def test_a_servlet_has_its_pool(
    registered: dict[str, list[Servlet]], servlet: str, methods: str, pool: str
) -> None:
    found = {
        (method, TABLE.pool(method, path))
        for servlets in registered.values()
        for method, path, name in requests(servlets)
        if name == servlet and method in methods.split()
    }
    assert found == {(method, pool) for method in methods.split()}
