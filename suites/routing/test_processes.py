"""Every kind of Synapse process is asked directly, past the front door: it serves what the route table sends it."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import httpx
import pytest

from fixtures.clients.plain import inside_client
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import POOLS, Role
from fixtures.deployment.servlets import Asked, Servlets, behind
from fixtures.plugins.evidence import Evidence
from fixtures.rendering.routes import MAIN, RouteTable

KINDS: Final[Mapping[str, Role]] = {MAIN: Role.SYNAPSE_MAIN} | {str(role): role for role in POOLS}
AT_A_TIME: Final = 8  # connections to one process
MOST_FAULTS: Final = 12  # in a message; the evidence has all

RESOURCES: Final = (
    Asked("GET", "/.well-known/matrix/client", "ClientWellKnownResource"),
    Asked("GET", "/.well-known/matrix/server", "ServerWellKnownResource"),
)
"""What is no servlet, so that Synapse does not name it."""


def unknown(answer: httpx.Response) -> bool:
    """Whether the process says that it has nothing of that kind (client-server API, standard error response)."""
    return answer.status_code == httpx.codes.NOT_FOUND and b"M_UNRECOGNIZED" in answer.content


async def answers(deployment: Deployment, kind: str, asked: Iterable[Asked]) -> dict[Asked, httpx.Response]:
    """What the first process of a kind says to each request, without any token."""
    left, found = iter(sorted(set(asked))), {}
    pod, *_ = await deployment.pods(KINDS[kind])

    async def work(http: httpx.AsyncClient) -> None:
        for each in left:
            body = b"{}" if each.method in ("POST", "PUT") else None
            found[each] = await http.request(each.method, each.path, content=body)

    async with inside_client(deployment, pod) as http:
        await asyncio.gather(*(work(http) for _ in range(AT_A_TIME)))
    return found


async def by_kind(
    deployment: Deployment, asked: Mapping[str, set[Asked]]
) -> dict[str, dict[Asked, httpx.Response]]:
    found = await asyncio.gather(*(answers(deployment, kind, each) for kind, each in asked.items()))
    return dict(zip(asked, found, strict=True))


def statuses(found: Mapping[str, Mapping[Asked, httpx.Response]]) -> dict[str, dict[str, int]]:
    return {
        kind: {str(code): n for code, n in Counter(each.status_code for each in of.values()).items()}
        for kind, of in found.items()
    }


@pytest.mark.requirement("ROU-009")
async def test_every_process_serves_what_may_come_to_it(
    table: RouteTable, servlets: Mapping[str, Servlets], deployment: Deployment, evidence: Evidence
) -> None:
    """Every request that Synapse has a servlet for goes to each process that the table may give it to, fallbacks too.

    Expected: whatever the answer without a token is, it is neither "unrecognized" nor an error of the server.
    """
    every = {each for process in servlets.values() for each in process.requests()} | set(RESOURCES)
    asked: dict[str, set[Asked]] = {kind: set() for kind in KINDS}
    for each in every:
        for query in ("", "since=s"):
            for kind in behind(table.pool(each.method, each.path, query)) & KINDS.keys():
                asked[kind].add(each)
    found = await by_kind(deployment, asked)
    evidence("statuses by kind of process", statuses(found))
    faults = [
        f"{kind}: {each} gave {answer.status_code} {answer.text[:80]}; correct routes.yaml, or its listener's resources"
        for kind, of in found.items()
        for each, answer in of.items()
        if unknown(answer) or answer.is_server_error
    ]
    evidence("not served", faults)
    assert not faults, "\n".join([f"{len(faults)} are not served", *faults[:MOST_FAULTS]])


@pytest.mark.requirement("ROU-009")
async def test_what_only_the_main_process_has_no_worker_knows(
    servlets: Mapping[str, Servlets], deployment: Deployment, evidence: Evidence
) -> None:
    """Every request that only the main process has a servlet for goes to each worker. None knows it.

    So it is right that the table leaves them to the main process: where this fails, a worker could take them.
    """
    workers = [process for kind, process in servlets.items() if kind != MAIN]
    mains = {
        each
        for each in servlets[MAIN].requests()
        if not any(process.serves(each.method, each.path) for process in workers)
    }
    assert mains, "Synapse names nothing that only main has: nothing is proved; correct servlet_samples"
    found = await by_kind(deployment, {kind: mains for kind in KINDS if kind != MAIN})
    evidence("statuses by kind of process", statuses(found))
    # A path of which a worker knows another method is answered with 405.
    known = (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED)
    faults = [
        f"{kind}: {each} gave {answer.status_code} {answer.text[:80]}; let routes.yaml give it to workers"
        for kind, of in found.items()
        for each, answer in of.items()
        if answer.status_code not in known or b"M_UNRECOGNIZED" not in answer.content
    ]
    assert not faults, "\n".join([f"{len(faults)} are served", *faults[:MOST_FAULTS]])


@pytest.mark.requirement("ROU-009")
async def test_browsers_may_ask_for_every_client_path(
    servlets: Mapping[str, Servlets], http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """What a browser asks before it sends a request (OPTIONS), for every client path, at the front door.

    Expected: a success that allows any origin, the method, and the header with the access token.
    """
    methods: dict[str, set[str]] = {}
    for process in servlets.values():
        for each in process.requests():
            if each.path.startswith(("/_matrix/client/", "/_matrix/media/")):
                methods.setdefault(each.path, set()).add(each.method)
    left, faults = iter(sorted(methods.items())), []

    async def work() -> None:
        for path, used in left:
            answer = await http.options(path)
            allowed = {
                name.strip() for name in answer.headers.get("Access-Control-Allow-Methods", "").split(",")
            }
            headers = answer.headers.get("Access-Control-Allow-Headers", "").lower()
            if (
                not answer.is_success
                or answer.headers.get("Access-Control-Allow-Origin") != "*"
                or not used - {"PATCH"} <= allowed
                or "authorization" not in headers
            ):
                faults.append(f"OPTIONS {path}: {answer.status_code}, {dict(answer.headers)}")

    await asyncio.gather(*(work() for _ in range(AT_A_TIME)))
    evidence("paths", len(methods))
    assert methods, "Synapse names no client path: nothing is proved; correct servlet_samples"
    assert not faults, "\n".join(
        [f"browsers may not use {len(faults)} paths; let 30-front.cfg pass OPTIONS", *faults[:MOST_FAULTS]]
    )
