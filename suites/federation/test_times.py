"""What time other servers say it is: a claim, by which nothing is put in order."""

import time
from typing import Final

import pytest

from fixtures.clients.plain import Json, MatrixClient, timeline
from fixtures.clients.servers import server_of
from fixtures.clients.shapes.table import SLIDING
from fixtures.clients.syncing import answers_until
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.peers.fake import FakeServer
from fixtures.peers.meeting import room_with
from fixtures.plugins.evidence import Evidence

MINUTE_MS: Final = 60_000
CLAIMS: Final = {
    "now": 0,
    # Its key is good for an hour: what is later than that is not signed at all (FED-056).
    "ahead": 30 * MINUTE_MS,
    "years ago": -20 * 365 * 24 * 60 * MINUTE_MS,
    "an hour ago": -60 * MINUTE_MS,
    "now again": 0,
}
"""What is claimed of events that follow each other, in milliseconds from now."""

FIRST_ROOM: Final[Json] = {"lists": {"all": {"ranges": [[0, 0]], "required_state": [], "timeline_limit": 1}}}
"""Of the window of sliding sync, in which rooms are in the order in which something came to them."""


@pytest.mark.requirement("FED-065")
async def test_events_stand_where_the_graph_has_them_whatever_their_time(
    alice: MatrixClient, fake: FakeServer, evidence: Evidence
) -> None:
    """Bob's server dates five messages that follow each other: now, ahead, years ago, an hour ago and now. Alice has
    them in their order by /sync and by /messages, each with the time that was claimed."""
    bob, now = fake.user("bob"), round(time.time() * 1000)
    room = await room_with(alice, (fake, bob))
    await alice.sync()
    drafts = [
        await fake.draft(room, bob, claim, origin_server_ts=now + offset) for claim, offset in CLAIMS.items()
    ]
    evidence("answer", await fake.send(server_of(alice), *drafts))
    wanted = [(draft.event_id, draft.event["origin_server_ts"]) for draft in drafts]
    answers = await answers_until(
        alice,
        lambda answer: wanted[-1][0] in [each["event_id"] for each in timeline(answer, room)] or None,
        label="the last message",
    )
    synced = [each for answer in answers for each in timeline(answer, room)]
    read = reversed(await alice.messages(room))
    for way, events in {"/sync": synced, "/messages": list(read)}.items():
        came = [
            (each["event_id"], each["origin_server_ts"])
            for each in events
            if each["type"] == "m.room.message"
        ]
        assert came == wanted, f"sent were {wanted}, and {way} brings {came}"


@pytest.mark.requirement("FED-065")
async def test_a_room_is_not_the_newest_by_what_its_event_claims(
    alice: MatrixClient, fake: FakeServer
) -> None:
    """Alice has two rooms with bob, whose server sends an event dated ahead to the newer one, and then one dated years
    ago to the older one: in her window of sliding sync the older one is the first."""
    bob, now = fake.user("bob"), round(time.time() * 1000)
    older, newer = [await room_with(alice, (fake, bob)) for _ in range(2)]
    for room, claim in ((newer, "ahead"), (older, "years ago")):
        draft = await fake.draft(room, bob, claim, origin_server_ts=now + CLAIMS[claim])
        await fake.send(server_of(alice), draft)

    async def is_first() -> bool:
        shown = (await alice.call("POST", SLIDING, json=FIRST_ROOM))["rooms"]
        events = [each["event_id"] for each in shown.get(older, {}).get("timeline", [])]
        if events != [draft.event_id]:
            raise NotYet(f"the window shows {list(shown)}, of {older} the events {events}")
        return True

    await eventually(is_first, within=Budget.FEDERATION, label=f"{older} is the first room of the window")
