"""Ways into a room's past: pages, what is around an event, what belongs to one, and a moment."""

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.plain import MatrixClient
from fixtures.plugins.evidence import Evidence

WORDS = ("one", "two", "three", "four", "five")

PAGE = 2
"""Fewer than there are, so that there is a next page."""

TEXTS = '{"types": ["m.room.message"]}'


async def refused(stranger: MatrixClient, path: str, **parameters: str | int) -> None:
    """AssertionError when somebody who is not in the room is answered."""
    answer = await stranger.request("GET", path, params=parameters)
    assert answer.status_code in (httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND), (
        f"GET {path} by a stranger: {answer.status_code} {answer.text:.200}; is there a cache between?"
    )


@pytest.mark.requirement("CLI-033")
async def test_pages_lead_through_a_room_both_ways(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """A room with more messages than a page. Page by page, backwards and forwards, each is there once and in its order,
    to an end that is said to be one. A stranger gets none."""
    room = await alice.create_room()
    for word in WORDS:
        await alice.send(room, word)
    path = rooms.path(room, "messages")
    found = {direction: await all_pages(alice, path, direction) for direction in ("b", "f")}
    evidence("pages", found)
    for direction, words in {"b": WORDS[::-1], "f": WORDS}.items():
        texts = [text for page in found[direction] for text in page]
        assert texts == list(words), f"/messages?dir={direction} gives {found[direction]} of {list(words)}"
        assert all(len(page) <= PAGE for page in found[direction]), f"pages are {found[direction]}"
    await refused(bob, path, dir="b", limit=PAGE, filter=TEXTS)


async def all_pages(user: MatrixClient, path: str, direction: str) -> list[list[str]]:
    """The texts of each page, to the end of the room in a direction."""
    pages: list[list[str]] = []
    parameters: dict[str, str | int] = {"dir": direction, "limit": PAGE, "filter": TEXTS}
    while len(pages) <= len(WORDS):
        answer = await user.call("GET", path, params=parameters)
        pages.append(rooms.bodies(answer["chunk"]))
        if "end" not in answer or not answer["chunk"]:
            break
        parameters["from"] = answer["end"]
    return pages


@pytest.mark.requirement("CLI-034")
async def test_an_event_is_shown_among_its_neighbours(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """A room with messages. Around the one in the middle there are as many as were asked for, and positions from which
    the others are read. A stranger gets nothing."""
    room = await alice.create_room()
    sent = [await alice.send(room, word) for word in WORDS]
    middle = len(WORDS) // 2
    path = rooms.path(room, "context", sent[middle])
    answer = await alice.call("GET", path, params={"limit": PAGE})
    found = {
        "before": rooms.bodies(answer["events_before"]),
        "event": rooms.bodies([answer["event"]]),
        "after": rooms.bodies(answer["events_after"]),
    }
    older = await alice.call(
        "GET", rooms.path(room, "messages"), params={"dir": "b", "from": answer["start"]}
    )
    evidence("context", found | {"older": rooms.bodies(older["chunk"])})
    assert found == {
        "before": [WORDS[middle - 1]],
        "event": [WORDS[middle]],
        "after": [WORDS[middle + 1]],
    }, f"/context with a limit of {PAGE} gives {found}"
    assert rooms.bodies(older["chunk"]) == [WORDS[0]], f"older than `start` is {rooms.bodies(older['chunk'])}"
    await refused(bob, path, limit=PAGE)


@pytest.mark.requirement("CLI-035")
async def test_what_belongs_to_a_message_is_found_with_it(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """A message with an edit, and a thread at another one. /relations has each, /threads the thread; the messages
    themselves come with their newest edit, and the count of the thread. A stranger gets nothing."""
    room = await alice.create_room()
    edited, root = await alice.send(room, "edited"), await alice.send(room, "root")
    edit = await rooms.relate(alice, room, "edit", edited, "m.replace")
    reply = await rooms.relate(alice, room, "reply", root, "m.thread")
    paths = {
        "edits": rooms.path(room, "relations", edited, "m.replace", version="v1"),
        "replies": rooms.path(room, "relations", root, "m.thread", version="v1"),
        "threads": rooms.path(room, "threads", version="v1"),
    }
    found = {}
    for name, path in paths.items():
        found[name] = [event["event_id"] for event in (await alice.call("GET", path))["chunk"]]
    bundled = {
        event: (await rooms.event(alice, room, event)).json()["unsigned"].get("m.relations", {})
        for event in (edited, root)
    }
    evidence("found", found)
    assert found == {"edits": [edit], "replies": [reply], "threads": [root]}, f"found {found}"
    assert bundled[edited]["m.replace"]["event_id"] == edit, f"the message comes with {bundled[edited]}"
    assert bundled[root]["m.thread"]["latest_event"]["event_id"] == reply, (
        f"the thread's root comes with {bundled[root]}"
    )
    for path in paths.values():
        await refused(bob, path)


@pytest.mark.requirement("CLI-042")
async def test_a_moment_leads_to_an_event(alice: MatrixClient, bob: MatrixClient, evidence: Evidence) -> None:
    """A room with two messages. From the time of the second, forwards leads to it; from just before, backwards leads to
    what was earlier; forwards from just after leads nowhere. A stranger is told nothing."""
    room = await alice.create_room()
    await alice.send(room, "first")
    last = await alice.send(room, "second")
    events = {event["event_id"]: event["origin_server_ts"] for event in await alice.messages(room)}
    moment = events[last]
    path = rooms.path(room, "timestamp_to_event", version="v1")
    forwards = await alice.call("GET", path, params={"ts": moment, "dir": "f"})
    backwards = await alice.call("GET", path, params={"ts": moment - 1, "dir": "b"})
    nowhere = await alice.request("GET", path, params={"ts": moment + 1, "dir": "f"})
    evidence("answers", {"forwards": forwards, "backwards": backwards, "after the end": nowhere.status_code})
    assert events[forwards["event_id"]] == moment, f"forwards from {moment} is {forwards}"
    assert events[backwards["event_id"]] < moment, f"backwards from just before {moment} is {backwards}"
    assert nowhere.status_code == httpx.codes.NOT_FOUND, (
        f"after the end: {nowhere.status_code} {nowhere.text:.200}"
    )
    await refused(bob, path, ts=moment, dir="f")
