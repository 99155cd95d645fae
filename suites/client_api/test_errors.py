"""What is wrong with a request is said in the same words everywhere."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.plain import MatrixClient, inside_client
from fixtures.deployment.correlation import synapse_pods
from fixtures.deployment.interface import Deployment
from fixtures.plugins.evidence import Evidence

LARGEST_EVENT = 65536
"""Bytes of an event: client-server API, size limits."""

FRONT = "the front door"


@dataclass(frozen=True)
class Wrong:
    """A request that is wrong, and how it is refused."""

    method: str
    path: Callable[[str], str]
    body: bytes
    status: int
    errcode: str


def message(room: str) -> str:
    """Where a message is sent to."""
    return rooms.path(room, "send", "m.room.message", uuid.uuid4().hex)


def whoami(_: str) -> str:
    """What is only there to be read."""
    return "/_matrix/client/v3/account/whoami"


def nowhere(_: str) -> str:
    """What is not there."""
    return "/_matrix/client/v3/no_such_thing"


FRACTION = b'{"msgtype": "m.text", "body": "half", "share": 0.5}'

LARGE = b'{"msgtype": "m.text", "body": "' + b"x" * LARGEST_EVENT + b'"}'

WRONG = {
    "unknown path": Wrong("GET", nowhere, b"", httpx.codes.NOT_FOUND, "M_UNRECOGNIZED"),
    "wrong method": Wrong("DELETE", whoami, b"", httpx.codes.METHOD_NOT_ALLOWED, "M_UNRECOGNIZED"),
    "no JSON": Wrong("PUT", message, b"{", httpx.codes.BAD_REQUEST, "M_NOT_JSON"),
    "no number": Wrong("PUT", message, b'{"body": NaN}', httpx.codes.BAD_REQUEST, "M_NOT_JSON"),
    "a fraction": Wrong("PUT", message, FRACTION, httpx.codes.BAD_REQUEST, "M_BAD_JSON"),
    "too large": Wrong("PUT", message, LARGE, httpx.codes.REQUEST_ENTITY_TOO_LARGE, "M_TOO_LARGE"),
}


@pytest.mark.requirement("CLI-043")
@pytest.mark.parametrize("wrong", WRONG)
async def test_a_wrong_request_is_refused_alike_everywhere(
    wrong: str, deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """A room. The same wrong request at the front door and at each process: one status and one errcode, in JSON. The
    room has nothing of it."""
    room, case = await alice.create_room(), WRONG[wrong]
    asked: dict[str, httpx.Response] = {FRONT: await ask(alice.request, case, room)}
    for pod in await synapse_pods(deployment):
        async with inside_client(deployment, pod) as inside:
            there = MatrixClient(inside, alice.user_id, alice.device_id, alice.access_token)
            asked[pod.name] = await ask(there.request, case, room)
    found = {name: [answer.status_code, errcode(answer)] for name, answer in asked.items()}
    evidence("answers", found)
    strange = {name: seen for name, seen in found.items() if seen != [case.status, case.errcode]}
    assert not strange, (
        f"{wrong} is {case.status} {case.errcode}, but {strange}; do these processes have the resource `client` in "
        "their listener?"
    )
    assert not rooms.bodies(await alice.messages(room)), "what was refused is in the room"


def errcode(answer: httpx.Response) -> str:
    """The errcode; what there is instead when the answer is no error of Matrix."""
    try:
        return str(answer.json()["errcode"])
    except (ValueError, KeyError, TypeError):
        return f"no errcode: {answer.text:.80}"


async def ask(request: Callable[..., Awaitable[httpx.Response]], case: Wrong, room: str) -> httpx.Response:
    """The answer to a wrong request."""
    headers = {"Content-Type": "application/json"}
    return await request(case.method, case.path(room), content=case.body, headers=headers)
