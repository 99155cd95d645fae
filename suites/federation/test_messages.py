"""What is written in rooms that servers share, in both directions."""

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.plain import Json, MatrixClient, timeline
from fixtures.clients.reading import whole_room
from fixtures.clients.servers import (
    Parties,
    delivered,
    delivered_in_a_row,
    enter,
    meeting,
    public_room,
    server_of,
    shown,
)
from fixtures.clients.syncing import POLL_MS, answers_until, ephemeral
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence, Plot

WRITTEN = tuple(f"message {number}" for number in range(15))
"""Within what rc_message lets one write at once."""


async def reads(reader: MatrixClient, room: str, wanted: list[str], *, label: str) -> None:
    """The messages of a room to its beginning, once they are these, in their order."""

    async def found() -> bool:
        if (bodies := [seen.transaction for seen in await whole_room(reader, room)]) != wanted:
            raise NotYet(f"the room has {bodies}")
        return True

    await eventually(found, within=Budget.DELIVERY, label=label)


@pytest.mark.requirement("FED-006")
async def test_messages_reach_the_other_server_in_order(
    parties: Parties, alice: MatrixClient, evidence: Evidence, plot: Plot
) -> None:
    """A room of the host's with the guest. Each writes to the other; then the host writes many at once, while the guest
    follows /sync: the guest has each of them once, in their order."""
    host, guest = parties.host, parties.guest
    room = await meeting(parties)
    seconds = [
        await delivered(host, guest, room, "there"),
        await delivered(guest, host, room, "and back"),
        await delivered(host, guest, room, "there again"),
    ]
    evidence("seconds from one server's client to the other's", [round(each, 3) for each in seconds])
    plot(
        "Messages in a row, from one server to another",
        "from ours to theirs" if host is alice else "from theirs to ours",
        x="number of the message",
        y="seconds until the other's /sync brings it",
        points=enumerate(await delivered_in_a_row(host, guest, room, WRITTEN), 1),
    )
    expected = ["there", "and back", "there again", *WRITTEN]
    await reads(guest, room, expected, label="the guest has every message once, in its order")


@pytest.mark.requirement("FED-007")
async def test_history_from_before_is_fetched(parties: Parties) -> None:
    """The host's room has messages when the guest joins: the guest reads back to the beginning, nothing is missing."""
    room, _ = await public_room(parties.host)
    for body in WRITTEN:
        await parties.host.send(room, body)
    await enter(parties, room)
    await reads(parties.guest, room, list(WRITTEN), label="the guest reads what was written before")


@pytest.mark.requirement("FED-008")
async def test_an_event_is_found_by_its_time(parties: Parties, evidence: Evidence) -> None:
    """The host's room has messages when the guest joins. The guest asks for the first event since the time of one of
    them, which only the host's server has: it is that message."""
    room, _ = await public_room(parties.host)
    events = [await parties.host.send(room, body) for body in ("before", "wanted", "after")]
    sent = (await rooms.event(parties.host, room, events[1])).json()["origin_server_ts"]
    await enter(parties, room)
    path = rooms.path(room, "timestamp_to_event", version="v1")
    answer = await parties.guest.call("GET", path, params={"ts": sent, "dir": "f"})
    evidence("answer", answer)
    assert answer["event_id"] == events[1], (
        f"of {events} the second was sent at {sent}, and found is {answer}"
    )


@pytest.mark.requirement("FED-009")
async def test_what_is_redacted_is_gone_on_the_other_server(parties: Parties) -> None:
    """The host writes a message, and the guest has it. The host redacts it: the guest's server shows no content."""
    host, guest = parties.host, parties.guest
    room = await meeting(parties)
    event = await host.send(room, "a word too much")
    await shown(guest, room, event)
    await rooms.redact(host, room, event)

    async def is_gone() -> bool:
        answer = await rooms.event(guest, room, event)
        assert answer.status_code == httpx.codes.OK, f"GET of the event: {answer.status_code} {answer.text}"
        if answer.json()["content"]:
            raise NotYet(f"its content is {answer.json()['content']}")
        return True

    await eventually(is_gone, within=Budget.DELIVERY, label="the redacted message has no content")


@pytest.mark.requirement("FED-010")
async def test_a_server_that_is_denied_is_not_heard(our_room: Parties, evidence: Evidence) -> None:
    """Two rooms of ours with the guest. In one the guest's server is denied (m.room.server_acl): what the guest writes
    and types there is not seen, up to what the guest writes and types in the other one later."""
    host, guest = our_room.host, our_room.guest
    denied, sentinel = await meeting(our_room), await meeting(our_room)
    acl = {"allow": ["*"], "deny": [server_of(guest).partition(":")[0]]}
    await rooms.put_state(host, denied, "m.room.server_acl", acl)
    await host.sync()
    for room in (denied, sentinel):
        path = rooms.path(room, "typing", guest.user_id)
        await guest.call("PUT", path, json={"typing": True, "timeout": POLL_MS})
        await guest.send(room, "a message")
    heard = set[str]()

    def both(answer: Json) -> bool | None:
        heard.update(kind for kind, events in of(guest, answer, sentinel).items() if events)
        return heard == {"messages", "typing"} or None

    answers = await answers_until(host, both, label="what the guest does in the other room")
    told = [said for answer in answers if any((said := of(guest, answer, denied)).values())]
    evidence("of a denied server", told)
    assert not told, f"{guest.user_id} is of a denied server, and is heard: {told}"


def of(user: MatrixClient, answer: Json, room: str) -> dict[str, list[Json]]:
    """What a user does in a room, as an answer of /sync shows it."""
    return {
        "messages": [each for each in timeline(answer, room) if each["sender"] == user.user_id],
        "typing": [
            each
            for each in ephemeral(answer, room, "m.typing")
            if user.user_id in each["content"]["user_ids"]
        ],
    }
