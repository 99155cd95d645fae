"""The edge alone: what is bent for it, and that it tells the truth about what it was sent."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fixtures.deployment.interface import DeploymentError
from fixtures.deployment.patch import FileEdit, Patch
from fixtures.rendering.kustomize import render
from fixtures.rendering.objects import Manifest
from fixtures.targets.rig.bending import bent
from fixtures.targets.rig.echo import DO, HANG_UP
from fixtures.targets.rig.edge import Rig, rig
from fixtures.targets.rig.wire import Request

OVERLAYS = Path(__file__).parents[2] / "manifests" / "overlays"
TYPING = Request("PUT", "/_matrix/client/v3/rooms/!r:a/typing/@u:a")


@pytest.fixture(scope="module")
def large() -> tuple[Manifest, ...]:
    """An overlay with everything that the edge may lead to."""
    return render(OVERLAYS / "ccu-20k")


@pytest.fixture(scope="module")
async def running(
    large: tuple[Manifest, ...], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Rig]:
    async with rig(large, tmp_path_factory.mktemp("rig")) as made:
        yield made


def test_only_addresses_tls_and_waits_are_bent() -> None:
    shipped = (
        "global\n    maxconn 50000\ndefaults\n    timeout queue 5s\n    timeout connect 3s\n"
        "resolvers kube\n    parse-resolv-conf\nfrontend a\n"
        "    bind :8443 name https ssl crt /run/tls.crt alpn h2,http/1.1\n    bind 127.0.0.1:8442 name b\n"
        "    map(/etc/haproxy/maps/m)\nbackend b\n    server s one:8008 maxconn 1000\n"
    )
    made = bent({"a.cfg": shipped}, address="127.1.2.3", nameserver="127.1.2.4", maps=Path("/m"))
    assert made["a.cfg"] == (
        "global\n    maxconn 2000\ndefaults\n    timeout check 3s\n    timeout queue 500ms\n    timeout connect 3s\n"
        "resolvers kube\n    nameserver rig 127.1.2.4:5353\nfrontend a\n"
        "    bind 127.1.2.3:8443 name https\n    bind 127.1.2.3:8442 name b\n"
        "    map(/m/m)\nbackend b\n    server s one:8008 maxconn 1000\n"
    )


async def test_a_request_arrives_as_it_was_written(running: Rig) -> None:
    written = Request("GET", "/_matrix/client/v3/rooms/%21a%3ab/state?x=%2F&y", (("X-Odd", "a,  b"),))
    answer = await running.one(written)
    assert (answer.json["method"], answer.json["target"]) == ("GET", written.target)
    assert answer.sent("x-odd") == ["a,  b"]
    assert answer.process in running.names("generic-worker")


async def test_who_answered_is_known_from_the_process_alone(running: Rig) -> None:
    refused, broken, head = await running.ask(
        Request("GET", "/nothing"),
        Request("GET", "/_matrix/x", ((DO, HANG_UP),)),
        Request("HEAD", "/_matrix/x"),
    )
    assert (refused.status, refused.process, running.pool_of(refused)) == (404, None, None)
    assert (broken.status, broken.process) == (502, None)
    assert (head.status, running.pool_of(head), head.body) == (200, "main", b"")


async def test_writers_of_their_own_get_what_they_write(running: Rig) -> None:
    assert running.writers
    asked = {
        "writer-ephemeral": TYPING,
        "writer-device": Request("PUT", "/_matrix/client/v3/sendToDevice/m.x/1"),
        "writer-account": Request("POST", "/_matrix/client/v3/rooms/!r:a/read_markers"),
    }
    found = await running.ask(*asked.values())
    assert [running.pool_of(answer) for answer in found] == list(asked)


async def test_nobody_stands_in_for_a_writer_of_its_own(running: Rig) -> None:
    async with running.dead("writer-ephemeral"):
        answer = await running.one(TYPING)
    assert (answer.status, answer.process) == (503, None)
    assert running.pool_of(await running.one(TYPING)) == "writer-ephemeral"


async def test_what_haproxy_does_not_take_is_told(large: tuple[Manifest, ...], tmp_path: Path) -> None:
    wrong = Patch(
        edits=(
            FileEdit(configmap="haproxy-conf.d", file="40-main.cfg", old="option httpchk", new="nonsense"),
        )
    )
    with pytest.raises(DeploymentError, match=r"HAProxy ended with 1 and said: .*40-main.cfg:2.*nonsense"):
        async with rig(wrong.apply(large), tmp_path):
            pass
