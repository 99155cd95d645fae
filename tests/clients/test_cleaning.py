"""What is the run's to take away, and what is not; against an admin API in memory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Never, cast

import httpx
import pytest

from fixtures.clients.cleaning import (
    Cleaned,
    Mark,
    Room,
    abandoned,
    accounts,
    clean,
    look_into,
    purge,
    rooms_of,
)
from fixtures.clients.plain import MatrixClient
from fixtures.deployment.interface import Deployment, DeploymentError
from fixtures.deployment.waiting import Impossible
from fixtures.rendering.objects import Ref

MARK = Mark("conformance-1-", "m.test")
OURS, ALSO, THEIRS = "@conformance-1-alice-a:m.test", "@conformance-1-bob-b:m.test", "@alice:m.test"


@pytest.mark.parametrize(
    ("user", "ours"),
    [
        (OURS, True),
        (THEIRS, False),
        ("@conformance-12-alice-a:m.test", False),
        ("@conformance-1:m.test", False),
        ("@not-conformance-1-alice:m.test", False),
        ("@conformance-1-alice-a:other.test", False),
        ("@conformance-1-alice-a:not.m.test", False),
    ],
)
def test_an_account_is_the_run_s_by_the_beginning_of_its_name(user: str, ours: bool) -> None:
    """Not of another run whose id begins alike, not one that has the prefix inside, not one of another server."""
    assert MARK.is_on(user) is ours


def test_no_prefix_is_no_mark() -> None:
    """Everybody's name begins with nothing."""
    with pytest.raises(ValueError, match="everybody"):
        Mark("", "m.test")


@pytest.mark.parametrize(
    ("creator", "members", "strangers"),
    [
        (OURS, (OURS, ALSO), ()),
        (OURS, (), ()),
        (OURS, (OURS, THEIRS), (THEIRS,)),
        (THEIRS, (OURS,), (THEIRS,)),
        (THEIRS, (), (THEIRS,)),
        (OURS, ("@conformance-1-alice-a:other.test",), ("@conformance-1-alice-a:other.test",)),
    ],
)
def test_a_room_is_the_run_s_when_nobody_else_made_it_or_is_in_it(
    creator: str, members: tuple[str, ...], strangers: tuple[str, ...]
) -> None:
    assert MARK.strangers(Room("!r", creator, members)) == strangers


def test_what_is_left_is_said() -> None:
    assert str(Cleaned(2, 1, 0)) == "2 users deactivated, 1 rooms purged, 0 media deleted; nothing is left"
    assert str(Cleaned(left=["room !r: why", "user u: why"])).endswith("; left: room !r: why; user u: why")


def admin(answers: dict[str, list[Any]], asked: list[str]) -> MatrixClient:
    """An administrator whose server gives the next answer of a path: JSON, or a status alone."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.raw_path.decode()}")
        found = answers[request.url.path]
        said = found.pop(0) if len(found) > 1 else found[0]
        status = said if isinstance(said, int) else 200
        return httpx.Response(status, json={} if isinstance(said, int) else said)

    transport = httpx.MockTransport(answer)
    return MatrixClient(httpx.AsyncClient(transport=transport, base_url="http://m"), OURS, "d", "t")


async def test_accounts_are_found_page_by_page() -> None:
    """The server also finds who has the prefix in a display name: those are left out."""
    pages = [
        {
            "users": [{"name": OURS, "deactivated": False}, {"name": THEIRS, "deactivated": False}],
            "next_token": "100",
        },
        {"users": [{"name": ALSO, "deactivated": True}]},
    ]
    asked: list[str] = []
    assert await accounts(admin({"/_synapse/admin/v2/users": pages}, asked), MARK) == {
        OURS: True,
        ALSO: False,
    }
    assert [each.partition("from=")[2].partition("&")[0] for each in asked] == ["0", "100"]
    assert all("name=conformance-1-&guests=false&deactivated=true" in each for each in asked)


@pytest.mark.parametrize("memberships", [{"memberships": {"!r": "leave", "!s": "invite"}}, 404])
async def test_an_older_synapse_knows_only_where_somebody_is(memberships: Any) -> None:
    path = f"/_synapse/admin/v1/users/{OURS}"
    answers: dict[str, list[Any]] = {
        f"{path}/memberships": [memberships],
        f"{path}/joined_rooms": [{"joined_rooms": ["!s"]}],
    }
    asked: list[str] = []
    found = list(await rooms_of(admin(answers, asked), OURS))
    assert len(asked) == (2 if memberships == 404 else 1)
    assert found == (["!s"] if memberships == 404 else ["!r", "!s"])


async def test_rooms_that_everybody_left_are_found_by_who_made_them() -> None:
    """The emptiest come first: from the first room with somebody in it on nobody looks."""

    def room(room_id: str, creator: str | None, members: int) -> dict[str, Any]:
        return {"room_id": room_id, "creator": creator, "joined_local_members": members}

    pages = [
        {"rooms": [room("!a", OURS, 0), room("!b", THEIRS, 0)], "next_batch": 2},
        {"rooms": [room("!c", None, 0), room("!d", ALSO, 0), room("!e", OURS, 1)], "next_batch": 5},
    ]
    asked: list[str] = []
    found = await abandoned(admin({"/_synapse/admin/v1/rooms": pages}, asked), MARK)
    assert found == ["!a", "!d"]
    assert [each.partition("from=")[2].partition("&")[0] for each in asked] == ["0", "2"]


async def test_a_room_that_is_gone_is_none() -> None:
    path = "/_synapse/admin/v1/rooms/!r"
    there: dict[str, list[Any]] = {path: [{"creator": OURS}], f"{path}/members": [{"members": [ALSO]}]}
    asked: list[str] = []
    assert await look_into(admin(there, asked), "!r") == Room("!r", OURS, (ALSO,))
    assert len(asked) == 2
    assert await look_into(admin({path: [404]}, []), "!r") is None


async def test_a_purge_is_waited_for() -> None:
    """Scheduled and under way are not done."""
    asked: list[str] = []
    states = [{"status": "scheduled"}, {"status": "active"}, {"status": "complete"}]
    answers: dict[str, list[Any]] = {
        "/_synapse/admin/v2/rooms/!r": [{"delete_id": "7"}],
        "/_synapse/admin/v2/rooms/delete_status/7": states,
    }
    await purge(admin(answers, asked), "!r")
    assert len(asked) == 4
    assert asked[0] == "DELETE /_synapse/admin/v2/rooms/%21r"


async def test_a_purge_that_failed_is_not_waited_for() -> None:
    answers = {
        "/_synapse/admin/v2/rooms/!r": [{"delete_id": "7"}],
        "/_synapse/admin/v2/rooms/delete_status/7": [{"status": "failed", "error": "no space"}],
    }
    with pytest.raises(Impossible, match="no space"):
        await purge(admin(answers, []), "!r")


@dataclass
class Silent:
    """A deployment whose main process cannot be reached."""

    prefix: str = "conformance-1-"

    def dial(self, to: Ref, _: str) -> Never:
        raise DeploymentError(f"no ready pod is behind {to}")


async def test_who_cannot_ask_says_what_may_be_left() -> None:
    """One line, and no exception: the end of a run is not the place for another one."""
    done = await clean(cast(Deployment, Silent()), lambda _: None)
    [line] = done.left
    assert re.match(r"accounts that begin with conformance-1-, and their rooms: .*Service/synapse-main", line)
