"""Asking a container how it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fixtures.targets.local.probes import Probe, ask
from tests.targets.local.conftest import container, pod_spec

SPEC = pod_spec(container("x"))


async def nothing(argv: list[str], within: float) -> int:
    raise AssertionError((argv, within))


@asynccontextmanager
async def answering(reply: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that says this to everybody; its port, and what it was asked."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(reply)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], asked


@pytest.mark.parametrize(
    ("reply", "ok", "said"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True, "200"),
        (b"HTTP/1.0 302 Found\r\nLocation: /x\r\n\r\n", True, "302"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", False, "404"),
        (b"HTTP/1.1 503\r\n\r\n", False, "503"),
        (b"SSH-2.0-OpenSSH\r\n", False, "no HTTP answer"),
        (b"", False, "no HTTP answer"),
        (b"\xff" * 200000, False, "limit"),
    ],
)
async def test_http_is_good_from_200_to_399(reply: bytes, *, ok: bool, said: str) -> None:
    """Redirects are not followed; what is no HTTP is a failure."""
    async with answering(reply) as (port, asked):
        action = {"path": "/health?x", "port": port, "httpHeaders": [{"name": "Host", "value": "matrix"}]}
        outcome = await ask(Probe({"httpGet": action}), "127.0.0.1", SPEC, nothing)
    assert outcome.ok is ok
    assert said in outcome.observation
    assert asked[0].startswith(b"GET /health?x HTTP/1.1\r\n")
    assert b"Host: matrix\r\n" in asked[0]


async def test_tcp_is_good_when_open() -> None:
    """And says what it saw otherwise."""
    async with answering(b"") as (port, _):
        assert (await ask(Probe({"tcpSocket": {"port": port}}), "127.0.0.1", SPEC, nothing)).ok
    outcome = await ask(Probe({"tcpSocket": {"port": port}}), "127.0.0.1", SPEC, nothing)
    assert not outcome.ok
    assert str(port) in outcome.observation


async def test_port_that_does_not_exist_is_named() -> None:
    """Not a crash: the pod is not ready, and the reason is seen."""
    outcome = await ask(Probe({"tcpSocket": {"port": "smtp"}}), "127.0.0.1", SPEC, nothing)
    assert "no container port is named 'smtp'" in outcome.observation


@pytest.mark.parametrize(("code", "ok"), [(0, True), (1, False), (137, False)])
async def test_command_is_good_with_0(code: int, *, ok: bool) -> None:
    """The command's first word and its exit code are said."""

    async def run(argv: list[str], within: float) -> int:
        assert (argv, within) == (["test", "-e", "/x"], 1.0)
        return code

    outcome = await ask(Probe({"exec": {"command": ["test", "-e", "/x"]}}), "127.0.0.1", SPEC, run)
    assert (outcome.ok, outcome.observation) == (ok, f"exec test: exit code {code}")


async def test_silence_ends_with_the_time_out() -> None:
    """timeoutSeconds counts, whatever is asked."""

    async def run(argv: list[str], within: float) -> int:
        await asyncio.Event().wait()
        return len(argv) + int(within)

    outcome = await ask(Probe({"exec": {"command": ["x"]}, "timeoutSeconds": 0.05}), "127.0.0.1", SPEC, run)
    assert (outcome.ok, outcome.observation) == (False, "no answer within 0.05 s")


@pytest.mark.parametrize(
    ("spec", "read", "value"),
    [
        ({}, lambda p: (p.delay, p.period, p.timeout, p.failures, p.patience), (0, 10, 1, 3, 30)),
        ({"periodSeconds": 2, "failureThreshold": 5, "initialDelaySeconds": 1}, lambda p: p.patience, 11),
    ],
)
def test_defaults_are_those_of_kubernetes(
    spec: dict[str, Any], read: Callable[[Probe], object], value: object
) -> None:
    """Delay, period, time-out, failures."""
    assert read(Probe(spec)) == value
