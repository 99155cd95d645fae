"""One path, many spellings: what means the same reaches the same process, and no spelling gets around a rule."""

from collections.abc import Callable
from typing import Final

import pytest

from fixtures.plugins.evidence import Evidence
from fixtures.rendering.routes import RouteTable
from fixtures.targets.rig.edge import Rig
from fixtures.targets.rig.wire import Answer, Request

ROOM, USER = "!r/1:matrix.test", "@u:matrix.test"
TOKEN = (("Authorization", "Bearer syt_dQ_abc_123"),)

# Requests with something in their path that clients write in more than one way.
REQUESTS: Final = (
    ("GET", "/_matrix/client/v3/rooms/{room}/messages"),
    ("PUT", "/_matrix/client/v3/rooms/{room}/send/m.room.message/t1"),
    ("PUT", "/_matrix/client/v3/rooms/{room}/typing/{user}"),
    ("POST", "/_matrix/client/v3/rooms/{room}/forget"),
    ("POST", "/_matrix/client/v3/join/{room}"),
    ("GET", "/_matrix/client/v3/profile/{user}"),
    ("PUT", "/_matrix/client/v3/user/{user}/account_data/m.direct"),
    ("GET", "/_matrix/media/v3/download/matrix.test/{user}"),
    ("GET", "/_matrix/federation/v1/state/{room}"),
)


def encoded(text: str, keep: str = "") -> str:
    """Percent-encoded but for letters, digits and `keep`, as few clients do and all may."""
    return "".join(each if each.isalnum() or each in keep else f"%{ord(each):02X}" for each in text)


# The slash of a room id is always encoded: it would end the segment.
PLAIN: Final[Callable[[str], str]] = lambda text: encoded(text, "!@:._")  # noqa: E731 - one of a table
SPELLINGS: Final[dict[str, Callable[[str], str]]] = {
    "all that need not be plain is encoded": encoded,
    "only ! is encoded": lambda text: encoded(text, "@:._"),
    "only : is encoded": lambda text: encoded(text, "!@._"),
    "hexadecimal digits are small": lambda text: encoded(text).replace("%2F", "%2f").replace("%3A", "%3a"),
}

# What never means the same, and what no client sends: (spelling of the plain path, what HAProxy does).
REFUSED: Final[dict[str, Callable[[str], str]]] = {
    "dot segment": lambda path: path.replace("/v3/", "/v3/./").replace("/v1/", "/v1/./"),
    "two dots": lambda path: f"/_matrix/media/..{path.removeprefix('/_matrix')}",
    "two encoded dots": lambda path: f"/_matrix/media/%2e%2E{path.removeprefix('/_matrix')}",
    "two dots between encoded slashes": lambda path: (
        f"/_matrix/media%2f..%2F{path.removeprefix('/_matrix/')}"
    ),
    "dots at the end": lambda path: f"{path}/..",
    "two slashes before": lambda path: f"/{path}",
    "upper case": lambda path: path.replace("/_matrix/", "/_MATRIX/"),
    "first letter encoded": lambda path: path.replace("/_matrix/", "/%5Fmatrix/"),
}

UNKNOWN: Final[dict[str, Callable[[str], str]]] = {
    "encoded letter": lambda path: path.replace("/client/", "/cl%69ent/").replace(
        "/federation/", "/f%65deration/"
    ),
    "two slashes inside": lambda path: path.replace("/_matrix/", "/_matrix//"),
    "upper case inside": lambda path: path.replace("/client/", "/CLIENT/").replace(
        "/federation/", "/Federation/"
    ),
}
"""Spellings that Synapse takes for something that it does not know: they are the main process's to refuse."""

INNER: Final = (
    "/_synapse/admin/v1/server_version",
    "/_synapse/metrics",
    "/_synapse/replication/",
    "/metrics",
)
DISGUISES: Final[dict[str, Callable[[str], str]]] = REFUSED | {
    "as it is": lambda path: path,
    "behind what is allowed": lambda path: f"/_matrix/..{path}",
    "behind what is allowed, encoded": lambda path: f"/_matrix/%2E%2e{path}",
    "behind an encoded slash": lambda path: f"/_matrix/..%2F{path[1:]}",
    "behind single sign-on": lambda path: f"/_synapse/client/..{path}",
    "underscore encoded": lambda path: path.replace("_", "%5F"),
    "letter encoded": lambda path: path.replace("a", "%61"),
    "upper case": lambda path: path.upper(),
    "two slashes": lambda path: path.replace("/", "//"),
    "semicolon": lambda path: f"{path};/_matrix/client/versions",
    "as a query": lambda path: f"{path}?/_matrix/client/versions",
    "absolute": lambda path: f"http://matrix.test{path}",
}


def whose(rig: Rig, answer: Answer) -> str:
    return f"{answer.process or 'HAProxy itself'} ({answer.status})"


@pytest.mark.requirement("ROU-010")
@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_an_encoded_id_meets_the_same_process(
    spelling: str, rig: Rig, table: RouteTable, evidence: Evidence
) -> None:
    """Each request with its ids plain (but for a slash), then encoded. One and the same process answers both."""
    faults = []
    for method, path in REQUESTS:
        plain, other = (
            Request(method, path.format(room=write(ROOM), user=write(USER)), TOKEN)
            for write in (PLAIN, SPELLINGS[spelling])
        )
        first, second = await rig.ask(plain, other)
        wanted = table.answering(method, plain.target, writers=rig.writers)
        if first.process != second.process or rig.pool_of(second) != wanted:
            faults.append(
                f"{plain} came to {whose(rig, first)}, {other.target} to {whose(rig, second)}, both are {wanted}'s; "
                "decode what is hashed (url_dec), and let patterns of routes.yaml take any segment"
            )
    evidence("requests", len(REQUESTS))
    assert not faults, "\n".join(faults)


@pytest.mark.requirement("ROU-010")
@pytest.mark.parametrize("spelling", REFUSED)
async def test_what_no_client_writes_reaches_no_process(spelling: str, rig: Rig, evidence: Evidence) -> None:
    """Each request in a spelling that no client has, but others may resolve. HAProxy itself refuses it."""
    requests = [
        Request(method, REFUSED[spelling](path.format(room=PLAIN(ROOM), user=PLAIN(USER))), TOKEN)
        for method, path in REQUESTS
    ]
    answers = await rig.ask(*requests)
    evidence("statuses", sorted({answer.status for answer in answers}))
    faults = [
        f"{request}: came to {whose(rig, answer)}; let 30-front.cfg refuse it (is_matrix, is_dotted)"
        for request, answer in zip(requests, answers, strict=True)
        if answer.process is not None or answer.status not in (400, 404)
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.requirement("ROU-010")
@pytest.mark.parametrize("spelling", UNKNOWN)
async def test_what_means_nothing_is_left_to_the_main_process(spelling: str, rig: Rig) -> None:
    """Each client's and server's request in a spelling that Synapse does not know. Main gets it, or nobody does."""
    requests = [
        Request(method, other, TOKEN)
        for method, path in REQUESTS
        if (plain := path.format(room=PLAIN(ROOM), user=PLAIN(USER))) != (other := UNKNOWN[spelling](plain))
    ]
    answers = await rig.ask(*requests)
    faults = [
        f"{request}: came to {whose(rig, answer)}, whose it is not; correct the pattern in routes.yaml"
        for request, answer in zip(requests, answers, strict=True)
        if rig.pool_of(answer) not in ("main", None)
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.requirement("ROU-010")
async def test_no_disguise_leads_inside(rig: Rig, evidence: Evidence) -> None:
    """Admin API, metrics and replication, plain and in every disguise. HAProxy itself refuses each."""
    asked = {
        (path, name): Request("GET", disguise(path)) for path in INNER for name, disguise in DISGUISES.items()
    }
    answers = dict(zip(asked, await rig.ask(*asked.values()), strict=True))
    evidence("statuses", {f"{path} {name}": answer.status for (path, name), answer in answers.items()})
    faults = [
        f"{asked[each].target} ({each[1]}): came to {whose(rig, answer)}; close it in 30-front.cfg"
        for each, answer in answers.items()
        if answer.process is not None or answer.status not in (400, 403, 404)
    ]
    assert not faults, "\n".join(faults)
