"""Whatever is sent is answered in the words of Matrix."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients.arbitrary import Known, Request, drawn, requests
from fixtures.clients.plain import MatrixClient
from fixtures.deployment.interface import Deployment
from fixtures.plugins.evidence import Evidence
from fixtures.rendering.routes import load_routes

EXAMPLES = 5
"""Requests of each line of the route table."""

CONNECTIONS = 8

BROWSERS = ("/_matrix/client/", "/_matrix/media/", "/.well-known/")
"""What browsers read: the others are for servers, and have no CORS."""

NOWHERE = (
    *(
        "/",
        "/_matrix",
        "/_matrix/client",
        "/_matrix/client/v3/",
        "/_matrix/client/v9/sync",
        "/_matrix/nowhere",
    ),
    *(
        "/.well-known/matrix/",
        "/.well-known/matrix/support",
        "/.well-known/nowhere",
        "/_synapse/client/nowhere",
    ),
)
"""What no route is about, and nobody has."""

WELL_KNOWN = "/.well-known/matrix/server"
WRITING = ("PUT", "DELETE")

NOT_YET_UPLOADED = (httpx.codes.GATEWAY_TIMEOUT, "M_NOT_YET_UPLOADED")
"""The only 5xx of the specification (GET /media/download)."""


@pytest.fixture
async def known(alice: MatrixClient, deployment: Deployment) -> Known:
    """Alice, her device, a room of hers and a message in it."""
    room = await alice.create_room()
    return Known(
        deployment.front().server_name,
        (alice.user_id, alice.device_id, room, await alice.send(room, "hello")),
    )


async def answer(user: MatrixClient, request: Request) -> httpx.Response | str:
    """The answer; how the connection ended where there is none."""
    try:
        return await user.request(
            request.method,
            request.path,
            params=dict(request.query),
            content=request.body,
            headers={"Content-Type": "application/json"},
        )
    except httpx.HTTPError as error:
        return repr(error)


def fault(request: Request, answer: httpx.Response | str) -> str | None:
    """What is wrong with an answer, None when nothing is."""
    if isinstance(answer, str):
        return f"no answer: {answer}"
    if not answer.is_error:
        return None
    if wrong := fault_of_error(request, answer):
        return f"{answer.status_code} {wrong}: {answer.text:.200}"
    return None


def fault_of_error(request: Request, answer: httpx.Response) -> str | None:
    """What is wrong with an answer that is an error, None when nothing is."""
    errcode, asks = said(answer)
    if answer.is_server_error and (answer.status_code, errcode) != NOT_YET_UPLOADED:
        return "is an error of the server"
    if errcode is None and not asks and request.method != "HEAD":
        return "has no errcode"
    if request.path.startswith(BROWSERS) and answer.headers.get("Access-Control-Allow-Origin") != "*":
        return "may be read by no browser"
    return None


def said(answer: httpx.Response) -> tuple[str | None, bool]:
    """The errcode, and whether the answer asks to confirm it (user-interactive authentication), which needs none."""
    try:
        body = answer.json()
    except ValueError:
        return None, False
    if not isinstance(body, dict):
        return None, False
    return body.get("errcode"), "flows" in body


def is_known(request: Request) -> bool:
    """Whether Synapse is known to break on it: the tests of known deviations below prove each."""
    match request.route:
        case "delete-devices":
            return request.method == "POST" and not is_json(request.body)
        case "delayed-events-read" | "delayed-event-restart":
            return "%00" in request.path
        case "well-known":
            return request.path == WELL_KNOWN and request.method in WRITING
        case _:
            return False


def is_json(body: bytes | None) -> bool:
    """Whether a body is JSON for Synapse, which takes no NaN."""
    try:
        json.loads(body or b"", parse_constant=_no_number)
    except (ValueError, RecursionError):
        return False
    return True


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


@pytest.mark.requirement("CLI-061")
@pytest.mark.arbitrary
async def test_whatever_is_sent_is_answered_as_matrix_does(
    alice: MatrixClient, admin: MatrixClient, known: Known, evidence: Evidence
) -> None:
    """Alice, without a limit of messages. For each line of the route table a few requests that are drawn, alike in
    every run: paths of it, methods, parameters and bodies that no client would send. None is a 5xx, and what is refused
    is refused in JSON, with an errcode and for browsers to read."""
    path = f"/_synapse/admin/v1/users/{quote(alice.user_id)}/override_ratelimit"
    await admin.call("POST", path, json={"messages_per_second": 0, "burst_count": 0})
    sent = [each for route in load_routes().routes for each in drawn(requests(route, known), EXAMPLES)]
    sent = [each for each in sent if not is_known(each)]
    sent += [Request("no route", method, path) for method in ("GET", "POST") for path in NOWHERE]
    faults, statuses = list[str](), Counter[str]()

    async def send(turns: Iterator[Request]) -> None:
        for request in turns:
            got = await answer(alice, request)
            statuses["none" if isinstance(got, str) else str(got.status_code)] += 1
            if wrong := fault(request, got):
                faults.append(f"{request.route}: {request}: {wrong}")

    turns = iter(sent)
    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(send(turns))
    evidence("answers", {"requests": len(sent), **statuses})
    assert not faults, f"{len(faults)} of {len(sent)} requests:\n" + "\n".join(faults)


async def refused(user: MatrixClient, request: Request) -> None:
    """AssertionError when a request that is known to break something is not refused as it should be."""
    got = await answer(user, request)
    assert isinstance(got, httpx.Response), f"{request}: {got}"
    assert got.is_client_error, f"{request}: {got.status_code} {got.text:.200}"


@pytest.mark.requirement("CLI-061")
@pytest.mark.known_deviation(
    "https://github.com/element-hq/synapse/blob/v1.163.2/synapse/rest/client/devices.py",
    "DeleteDevicesRestServlet takes a body that is no JSON for an empty object, which its own model refuses: 500",
)
async def test_a_deletion_of_devices_that_is_no_json_is_refused(alice: MatrixClient) -> None:
    """POST /delete_devices without a body. It is a mistake of the client."""
    await refused(alice, Request("delete-devices", "POST", "/_matrix/client/v3/delete_devices", body=b""))


@pytest.mark.requirement("CLI-061")
@pytest.mark.known_deviation(
    "https://github.com/matrix-org/synapse/issues/9341",
    "PostgreSQL has no NUL in its texts, and Synapse asks it for a delayed event whose id has one: 500",
)
@pytest.mark.parametrize(
    ("route", "method", "tail"),
    [("delayed-events-read", "GET", ""), ("delayed-event-restart", "POST", "/restart")],
)
async def test_a_delayed_event_with_nul_in_its_id_is_not_found(
    route: str, method: str, tail: str, alice: MatrixClient
) -> None:
    """Asks for a delayed event by an id that can be none. It is a mistake of the client."""
    path = f"/_matrix/client/unstable/org.matrix.msc4140/delayed_events/%00{tail}"
    await refused(alice, Request(route, method, path))


@pytest.mark.requirement("CLI-061")
@pytest.mark.known_deviation(
    "https://github.com/element-hq/synapse/blob/v1.163.2/synapse/rest/well_known.py",
    "ServerWellKnownResource is a resource of Twisted, which answers a page of HTML to what it does not know: 501",
)
@pytest.mark.parametrize("method", WRITING)
async def test_nobody_writes_the_well_known_file_of_servers(method: str, alice: MatrixClient) -> None:
    """A method that changes something, for a file that is only read. It is a mistake of the client."""
    await refused(alice, Request("well-known", method, WELL_KNOWN))
