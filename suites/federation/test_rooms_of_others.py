"""What a server that is in a room may ask of it, so that it understands what it is sent; and that no other may."""

from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import quote

import pytest

from fixtures.clients.plain import Json, MatrixClient
from fixtures.clients.rooms import bodies
from fixtures.clients.servers import server_of
from fixtures.peers.fake import FakeServer
from fixtures.peers.meeting import room_with
from fixtures.plugins.evidence import Evidence

V1 = "/_matrix/federation/v1"


class Question(NamedTuple):
    """A request about a room."""

    method: str
    path: str
    content: Json | None = None

    async def asked(self, by: FakeServer, of: MatrixClient) -> Json:
        """What the user's server answers to a server: `status` and `body`."""
        return await by.request(server_of(of), self.method, self.path, content=self.content)


def questions(room: str, first: str, last: str) -> Iterator[tuple[str, Question]]:
    """All that is asked about a room, by what is asked for."""
    room, last_id = quote(room), quote(last)
    yield "an event", Question("GET", f"{V1}/event/{last_id}")
    yield "what allows it", Question("GET", f"{V1}/event_auth/{room}/{last_id}")
    yield "the state before it", Question("GET", f"{V1}/state/{room}?event_id={last_id}")
    yield "the ids of that", Question("GET", f"{V1}/state_ids/{room}?event_id={last_id}")
    yield "what was before it", Question("GET", f"{V1}/backfill/{room}?v={last_id}&limit=10")
    yield "the event of a time", Question("GET", f"{V1}/timestamp_to_event/{room}?ts=0&dir=f")
    between = {"earliest_events": [first], "latest_events": [last], "limit": 10}
    yield "what is between", Question("POST", f"{V1}/get_missing_events/{room}", between)


def types(events: list[Json]) -> set[str]:
    """The types of events."""
    return {event["type"] for event in events}


@pytest.mark.requirement("FED-066")
async def test_a_server_in_a_room_is_told_what_it_missed_and_why_it_is_right(
    alice: MatrixClient, fake: FakeServer, evidence: Evidence
) -> None:
    """Bob's server is in alice's room, where she wrote four messages. It asks for what is between the first and the
    last: the two, in their order. It asks what allows the last one: the room's beginning, who may do what, and that
    alice is in it."""
    room = await room_with(alice, (fake, fake.user("bob")))
    first, *_, last = [await alice.send(room, f"message {number}") for number in range(4)]
    asked = dict(questions(room, first, last))
    between = await asked["what is between"].asked(fake, alice)
    auth = await asked["what allows it"].asked(fake, alice)
    evidence("statuses", {"what is between": between["status"], "what allows it": auth["status"]})
    assert (between["status"], auth["status"]) == (200, 200), f"{between}, {auth}"
    assert bodies(between["body"]["events"]) == ["message 1", "message 2"]
    chain = auth["body"]["auth_chain"]
    assert {"m.room.create", "m.room.power_levels", "m.room.member"} <= types(chain)
    members = {event["state_key"] for event in chain if event["type"] == "m.room.member"}
    assert alice.user_id in members, f"that alice may write is because of {members}"


@pytest.mark.requirement("FED-066")
async def test_a_server_that_is_not_in_a_room_is_told_nothing_of_it(
    alice: MatrixClient, fake: FakeServer, new_fake: Callable[[], FakeServer], evidence: Evidence
) -> None:
    """Bob's server is in alice's room, dave's is not, and knows the ids of its events. Whatever they ask about the
    room, bob's server is answered, and dave's is refused."""
    stranger = new_fake()
    room = await room_with(alice, (fake, fake.user("bob")))
    first, _, last = [await alice.send(room, f"message {number}") for number in range(3)]
    answers = {}
    for what, question in questions(room, first, last):
        inside, outside = [await question.asked(server, alice) for server in (fake, stranger)]
        answers[what] = (inside["status"], outside["status"], outside["body"].get("errcode"))
    evidence("in the room, and not in it", answers)
    unanswered = {what: answer for what, answer in answers.items() if answer[0] != 200}
    assert not unanswered, f"a server that is in the room is not told: {unanswered}"
    told = {what: answer for what, answer in answers.items() if answer[1] not in (403, 404)}
    assert not told, f"a server that is not in the room is told, or not refused as such: {told}"
