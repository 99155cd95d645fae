"""What the edge refuses by itself, and how it says so."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence
from fixtures.rendering.objects import Manifest
from fixtures.rendering.overlay import synapse_configuration
from fixtures.targets.rig.bending import CONFIGURATION, files_of
from fixtures.targets.rig.echo import DO, HANG_UP, HOLD
from fixtures.targets.rig.edge import Rig
from fixtures.targets.rig.wire import Answer, Request

V3 = "/_matrix/client/v3"
LARGEST_REQUEST: Final = 200 * 65536
"""Bytes that Synapse takes where it is not media: synapse/api/constants.py, MAX_REQUEST_SIZE."""

LOGINS_A_MINUTE: Final = 300
FIRST_SYNCS_AT_ONCE: Final = 8  # 40-initial-sync.cfg

OWN_STATUSES: Final = {400, 408, 500, 502, 503, 504}  # what HAProxy says without a rule that tells it to

Provoke = Callable[[Rig], Awaitable[Answer]]


def announcing(length: int, path: str = f"{V3}/keys/upload") -> bytes:
    """A request that says how long its body is and sends nothing of it."""
    return f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n".encode()


def saying(message: bytes) -> Provoke:
    return lambda rig: rig.say(message)


def asking(request: Request) -> Provoke:
    return lambda rig: rig.one(request)


async def all_places_taken(rig: Rig) -> Answer:
    """One first sync more than the process of that user takes at a time."""
    token = ("Authorization", "Bearer syt_crowd_x_y")
    held = [
        asyncio.create_task(rig.one(Request("GET", f"{V3}/sync", (token, (DO, HOLD)))))
        for _ in range(FIRST_SYNCS_AT_ONCE)
    ]

    async def crowded() -> bool:
        at_work = sum(each.held for each in rig.processes["initial-sync"])
        if at_work < FIRST_SYNCS_AT_ONCE:
            raise NotYet(f"{at_work} are at work")
        return True

    try:
        await eventually(crowded, within=Budget.RIG, label="every place is taken")
        return await rig.one(Request("GET", f"{V3}/sync", (token,)))
    finally:
        for process in rig.processes["initial-sync"]:
            process.let_go()
        await asyncio.gather(*held)


ANSWERS: Final[dict[str, tuple[Provoke, int, str]]] = {
    "body that does not come": (saying(announcing(100)), 408, "M_UNKNOWN"),
    "body too large": (saying(announcing(LARGEST_REQUEST + 1)), 413, "M_TOO_LARGE"),
    "transaction too large": (
        saying(announcing(LARGEST_REQUEST + 1, "/_matrix/federation/v1/send/1")),
        413,
        "M_TOO_LARGE",
    ),
    "admin API": (asking(Request("GET", "/_synapse/admin/v1/users")), 403, "M_FORBIDDEN"),
    "nothing of Matrix": (asking(Request("GET", "/index.html")), 404, "M_UNRECOGNIZED"),
    "dot segments": (asking(Request("GET", "/_matrix/media/../client/v3/sync")), 404, "M_UNRECOGNIZED"),
    "process that hangs up": (
        asking(Request("POST", f"{V3}/createRoom", ((DO, HANG_UP),))),
        502,
        "M_UNKNOWN",
    ),
    "process that says nothing": (
        asking(Request("GET", f"{V3}/joined_rooms", ((DO, HOLD),))),
        504,
        "M_UNKNOWN",
    ),
    "no place free": (all_places_taken, 429, "M_LIMIT_EXCEEDED"),
}
"""What goes wrong, how it is brought about, and what HAProxy says: status and errcode."""

UNREADABLE: Final[dict[str, tuple[Provoke, int]]] = {
    "no HTTP": (saying(b"NONSENSE\r\n\r\n"), 400),
    "two lengths": (
        saying(b"POST /_matrix/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        400,
    ),
    "header too long": (saying(f"GET {V3}/sync HTTP/1.1\r\nX: {'x' * 20000}\r\n\r\n".encode()), 400),
    "header that does not come": (saying(f"GET {V3}/sync HTTP/1.1\r\nHost: a\r\n".encode()), 408),
}
"""What HAProxy cannot read as a request. Before 3.2 it says so in words of its own (haproxy issue 3032)."""


@pytest.fixture(scope="session")
async def provoked(running_rig: Rig) -> dict[str, Answer]:
    """HAProxy's answer to all of this; at once, as some of them are waited for."""
    provoking = {what: provoke for what, (provoke, *_) in (ANSWERS | UNREADABLE).items()}
    answers = await asyncio.gather(*(provoke(running_rig) for provoke in provoking.values()))
    return dict(zip(provoking, answers, strict=True))


@pytest.mark.requirement("ROU-018")
@pytest.mark.parametrize("what", ANSWERS)
def test_what_the_edge_says_itself_is_a_matrix_error(
    what: str, provoked: dict[str, Answer], evidence: Evidence
) -> None:
    """Something goes wrong at the edge. HAProxy answers with the status and error code for it, readable by browsers."""
    _, status, errcode = ANSWERS[what]
    answer = provoked[what]
    evidence("answer", {"status": answer.status, "body": answer.body.decode(errors="replace")})
    seen = f"{what}: HAProxy answered {answer.status} {answer.body[:120]!r}"
    assert answer.process is None, (
        f"{what}: {answer.process} got it ({answer.status}); refuse it in 30-front.cfg"
    )
    assert (answer.status, (answer.json or {}).get("errcode")) == (status, errcode), (
        f"{seen}, wanted is {status} {errcode}; correct http-error in 20-defaults.cfg, or the rule in 30-front.cfg"
    )
    assert answer.header("Content-Type") == "application/json", f"{seen} as {answer.header('Content-Type')}"
    assert answer.header("Access-Control-Allow-Origin") == "*", (
        f"{seen} without Access-Control-Allow-Origin; a browser hides it from the client"
    )
    assert answer.header("X-Out-Of-Capacity") is None, f"{seen} with a header that is the edge's own"


@pytest.mark.requirement("ROU-018")
def test_no_answer_of_the_edge_was_forgotten(objects: tuple[Manifest, ...]) -> None:
    """Precondition: the overlay is rendered. Answers that are hard to bring about are like the others.

    Each that HAProxy gives in JSON has an error code and may be read by a browser; each status that it makes without a
    rule has one.
    """
    text = "\n".join(files_of(objects, CONFIGURATION).values())
    answers = re.findall(
        r"^\s*http-(?:error|request return) status \d+ content-type application/json .*", text, re.MULTILINE
    )
    faults = [
        f"{CONFIGURATION}: {line.strip()[:60]}…: {'no errcode' if readable else 'no Access-Control-Allow-Origin *'}"
        for line in answers
        for readable in ["hdr Access-Control-Allow-Origin *" in line]
        if not readable or not re.search(r"string '\{\"errcode\":\"M_[A-Z_]+\"", line)
    ]
    assert not faults, "\n".join(faults)
    made = set(
        map(
            int, re.findall(r"^\s*http-error status (\d+) content-type application/json ", text, re.MULTILINE)
        )
    )
    assert made >= OWN_STATUSES, (
        f"{CONFIGURATION} 20-defaults.cfg: no http-error in JSON for {sorted(OWN_STATUSES - made)}; add it"
    )


@pytest.mark.requirement("ROU-018")
@pytest.mark.parametrize("what", UNREADABLE)
def test_what_is_no_request_is_refused_by_the_edge(what: str, provoked: dict[str, Answer]) -> None:
    """Something comes that is no request, or never becomes one. HAProxy itself refuses it."""
    answer = provoked[what]
    assert (answer.process, answer.status) == (None, UNREADABLE[what][1]), (
        f"{what}: {answer.process or 'HAProxy'} answered {answer.status}, wanted is {UNREADABLE[what][1]}; "
        "timeout http-request in 20-defaults.cfg; no option accept-invalid-http-request"
    )


@pytest.mark.requirement("ROU-018")
def test_a_full_house_says_when_to_come_again(provoked: dict[str, Answer]) -> None:
    """Every place at a process is taken for longer than the queue lasts. The answer says when to try again, twice."""
    answer = provoked["no place free"]
    said = (answer.header("Retry-After"), (answer.json or {}).get("retry_after_ms"))
    assert said == ("2", 2000), f"429 says {said}; hdr Retry-After and retry_after_ms in 20-defaults.cfg"


@pytest.mark.requirement("ROU-018")
async def test_media_may_be_as_large_as_synapse_takes(objects: tuple[Manifest, ...], rig: Rig) -> None:
    """Uploads announced with max_upload_size, and one byte more. The first one is waited for, the other refused."""
    said = str(synapse_configuration(objects)["max_upload_size"])
    size = re.fullmatch(r"(\d+)M", said)
    assert size is not None, f"ConfigMap/synapse-conf.d max_upload_size: is {said!r}; write it in M"
    largest = int(size[1]) * 1024 * 1024
    upload = "/_matrix/media/v3/upload"
    fits, beyond, request = await asyncio.gather(
        rig.say(announcing(largest, upload)),
        rig.say(announcing(largest + 1, upload)),
        rig.say(announcing(LARGEST_REQUEST)),
    )
    remedy = "beyond_upload and beyond_request in 30-front.cfg are Synapse's limits"
    assert beyond.status == 413, f"an upload of {said} and one byte: {beyond.status}; {remedy}"
    assert fits.status == 408, f"an upload of {said}: {fits.status}, it was to be waited for; {remedy}"
    assert request.status == 408, (
        f"a request of {LARGEST_REQUEST} bytes: {request.status}, was to be waited for; {remedy}"
    )


@pytest.mark.requirement("ROU-018")
async def test_guesses_of_passwords_are_counted_at_the_edge(rig: Rig, evidence: Evidence) -> None:
    """More log-ins from one address than a minute may have, over all versions of the API.

    Expected: those within the limit pass, then log-in and registration are refused there. All else stays open, and so
    does everything for other addresses.
    """
    guesser, other = f"{rig.block}.201", f"{rig.block}.202"
    tries = [
        Request("POST", f"/_matrix/client/{version}/login") for version in ("v3", "r0", "api/v1", "unstable")
    ]
    passed = await rig.ask(*tries * (LOGINS_A_MINUTE // len(tries)), source=guesser)
    refused = await rig.ask(*tries, Request("POST", f"{V3}/register"), source=guesser)
    open_still = await rig.ask(
        Request("GET", f"{V3}/login"), Request("GET", f"{V3}/capabilities"), source=guesser
    )
    elsewhere = await rig.one(tries[0], source=other)
    evidence(
        "statuses",
        {"passed": sorted({each.status for each in passed}), "refused": [each.status for each in refused]},
    )
    assert {each.status for each in passed} == {200}, (
        f"refused within {LOGINS_A_MINUTE} a minute: {passed[-1]}"
    )
    assert {(each.status, each.json.get("errcode")) for each in refused} == {(429, "M_LIMIT_EXCEEDED")}, (
        f"after {LOGINS_A_MINUTE} log-ins in a minute: {[each.status for each in refused]}; "
        "is_login and the table logins in 30-front.cfg must count every spelling of log-in and registration"
    )
    assert all(each.header("Access-Control-Allow-Origin") == "*" for each in refused), "429 without CORS"
    assert {each.status for each in open_still} == {200}, "more than log-in is closed; narrow is_login"
    assert elsewhere.status == 200, "log-in is closed for other addresses, too; track src"
