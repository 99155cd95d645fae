"""Readers and senders of a history, against a homeserver in memory that answers badly on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx
import pytest

from fixtures.clients.correspondence import submit
from fixtures.clients.plain import MatrixClient
from fixtures.clients.reading import PAGE, Follower, following, whole_room
from fixtures.deployment.waiting import eventually
from fixtures.history.delivery import Postponed, Refused, Unanswered
from fixtures.history.model import Seen

ROOM = "!room:test"
IN_ONE_SYNC = 3
LONG_POLL_S = 0.01


def event_id(number: int) -> str:
    """The id of an event of the room."""
    return f"${number:043}"


@dataclass
class Homeserver:
    """One room. Tokens are numbers of events; /sync brings a few of the newest, as Synapse does."""

    events: list[str] = field(default_factory=list)
    bad_at: str = "/sync"
    bad_answers: list[httpx.Response] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(LONG_POLL_S if request.url.path.endswith("/sync") else 0)
        self.paths.append(request.url.path)
        if self.bad_answers and request.url.path.endswith(self.bad_at):
            return self.bad_answers.pop()
        answer = self._sync if request.url.path.endswith("/sync") else self._messages
        return httpx.Response(200, json=answer(request.url.params))

    def _sync(self, params: httpx.QueryParams) -> object:
        since, end = int(params.get("since", 0)), len(self.events)
        begin = max(since, end - IN_ONE_SYNC)
        timeline = {
            "events": [self._event(number) for number in range(begin, end)],
            "limited": begin > since,
            "prev_batch": str(begin),
        }
        joined = {ROOM: {"timeline": timeline}} if end > since else {}
        return {"next_batch": str(end), "rooms": {"join": joined}}

    def _messages(self, params: httpx.QueryParams) -> object:
        start, first = int(params.get("from", len(self.events))), int(params.get("to", 0))
        end = max(start - int(params["limit"]), first)
        events = [self._event(number) | {"room_id": ROOM} for number in range(start - 1, end - 1, -1)]
        page: dict[str, object] = {"start": str(start), "chunk": events}
        return page | ({"end": str(end)} if end > first else {})

    def _event(self, number: int) -> dict[str, object]:
        return {
            "event_id": event_id(number),
            "type": "m.room.message" if self.events[number] else "m.room.topic",
            "sender": "@ada:test",
            "origin_server_ts": number,
            "content": {"body": self.events[number]},
        }

    @property
    def messages(self) -> list[Seen]:
        """What a reader must find."""
        return [Seen(event_id(number), body) for number, body in enumerate(self.events) if body]


@pytest.fixture
def homeserver() -> Homeserver:
    """An empty room."""
    return Homeserver()


@pytest.fixture
async def client(homeserver: Homeserver) -> AsyncIterator[MatrixClient]:
    """A member."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(homeserver), base_url="http://test") as http:
        yield MatrixClient(http, "@ada:test", "DEVICE", "token")


async def test_a_room_is_read_to_its_beginning(homeserver: Homeserver, client: MatrixClient) -> None:
    """Page by page; what is no message is left out."""
    homeserver.events = ["", *(f"m{number}" for number in range(2 * PAGE + 1)), ""]
    assert await whole_room(client, ROOM) == homeserver.messages
    assert len(homeserver.paths) == 3


async def caught_up(homeserver: Homeserver, follower: Follower) -> None:
    """Wait until it has everything, and see that it has it once and in order."""

    async def has_all() -> bool:
        return follower.events(ROOM) == {seen.event_id for seen in homeserver.messages}

    await eventually(has_all, within=10, label="the follower caught up")
    assert follower.seen[ROOM] == homeserver.messages


@pytest.mark.parametrize("at_once", [1, IN_ONE_SYNC, IN_ONE_SYNC + 1, 3 * PAGE])
async def test_what_a_sync_leaves_out_is_fetched(
    at_once: int, homeserver: Homeserver, client: MatrixClient
) -> None:
    async with following([client], [ROOM]) as [follower]:
        for turn in range(3):
            homeserver.events += [f"{turn}-{number}" for number in range(at_once)]
            await caught_up(homeserver, follower)
    assert follower.came.keys() == follower.events(ROOM)
    assert list(follower.came.values()) == sorted(follower.came.values())


async def test_what_was_there_before_is_not_followed(homeserver: Homeserver, client: MatrixClient) -> None:
    homeserver.events = ["old"]
    async with following([client], [ROOM]) as [follower]:
        homeserver.events += ["new"]
        await eventually(
            lambda: _true(follower.seen[ROOM] == [Seen(event_id(1), "new")]),
            within=10,
            label="the new message",
        )


async def _true(value: bool) -> bool:
    return value


@pytest.mark.parametrize("at", ["/sync", "/messages"])
@pytest.mark.parametrize(
    "bad",
    [
        lambda: httpx.Response(502, json={"errcode": "M_UNKNOWN"}),
        lambda: httpx.Response(502, text="<html>"),
        lambda: httpx.Response(200, json={}),
    ],
    ids=["error", "no JSON", "no answer of Matrix"],
)
async def test_a_step_that_fails_is_done_again(
    bad: Callable[[], httpx.Response], at: str, homeserver: Homeserver, client: MatrixClient
) -> None:
    """Whether /sync fails or the filling of its gap: nothing is left out, nothing comes twice."""
    async with following([client], [ROOM]) as [follower]:
        for count in (1, 2):
            homeserver.bad_at, homeserver.bad_answers = at, [bad() for _ in range(count)]
            homeserver.events += [f"{count}-{number}" for number in range(2 * IN_ONE_SYNC)]
            await caught_up(homeserver, follower)
            assert not homeserver.bad_answers


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (httpx.Response(403, json={"errcode": "M_FORBIDDEN"}), Refused),
        (httpx.Response(404, json={"errcode": "M_UNRECOGNIZED"}), Refused),
        (httpx.Response(408, json={"errcode": "M_UNKNOWN"}), Unanswered),
        (httpx.Response(429, json={"errcode": "M_LIMIT_EXCEEDED"}), Postponed),
        (httpx.Response(500, json={"errcode": "M_UNKNOWN"}), Unanswered),
        (httpx.Response(504, text="<html>"), Unanswered),
        (httpx.Response(200, text=""), Unanswered),
        (httpx.Response(200, json={}), Unanswered),
        (httpx.ReadTimeout("slow"), Unanswered),
        (httpx.ConnectError("nobody"), Unanswered),
    ],
    ids=str,
)
async def test_what_an_answer_says_of_a_message(
    answer: httpx.Response | Exception, meaning: type[Exception]
) -> None:
    def answering(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with httpx.AsyncClient(transport=httpx.MockTransport(answering), base_url="http://test") as http:
        with pytest.raises(meaning):
            await submit(MatrixClient(http, "@ada:test", "DEVICE", "token"), ROOM, "1-1")
