"""Lists that are longer than a page: of rooms that are public, and of what a search finds."""

import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from fixtures.clients import rooms
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import Json, MatrixClient
from fixtures.clients.postgresql import ask
from fixtures.deployment.interface import Absent, Deployment, SecretRef
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence

PUBLIC = "/_matrix/client/v3/publicRooms"
SEARCH = "/_matrix/client/v3/search"

DATABASE = "synapse"
PASSWORD = SecretRef("postgresql-synapse", "password")

PAGE = 2
"""How many of a list a client asks for."""

WORDS = ("one", "two", "three", "four", "five")


async def publish(deployment: Deployment, published: Sequence[str]) -> None:
    """Put rooms on the public list as who runs the server would: nobody may by any API (CLI-037)."""
    password, (pod, *_) = await deployment.secret(PASSWORD), await deployment.pods(Role.POSTGRESQL)
    assert not isinstance(password, Absent), f"nobody can publish a room: {password}"
    ids = ", ".join(f"'{room}'" for room in published)
    statement = f"UPDATE rooms SET is_public = true WHERE room_id IN ({ids});"
    done = await ask(
        deployment, pod, statement, user=DATABASE, password=password.decode().strip(), database=DATABASE
    )
    assert done.exit_code == 0, f"psql ended with {done.exit_code}: {done.stderr!r:.200}"


async def pages(user: MatrixClient, word: str, since: str | None = None) -> AsyncIterator[Json]:
    """The pages of the public list for a word, to its end."""
    while True:
        body: dict[str, Any] = {"limit": PAGE, "filter": {"generic_search_term": word}}
        answer = await user.call("POST", PUBLIC, json=body | ({"since": since} if since else {}))
        yield answer
        if (since := answer.get("next_batch")) is None:
            return


def ids(page: Json) -> list[str]:
    """The rooms of a page."""
    return [entry["room_id"] for entry in page["chunk"]]


@pytest.mark.requirement("CLI-053")
@pytest.mark.disruptive(Role.POSTGRESQL)
async def test_the_public_list_is_read_page_by_page(
    deployment: Deployment, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: three rooms on the public list and one that is not, with a word in the name or the topic. Bob
    searches for it: he finds the three, each once, the one with more members first, with name and topic; back from the
    second page is the first."""
    word = uuid.uuid4().hex
    by_name = [await alice.create_room(preset="public_chat", name=f"{word} {each}") for each in WORDS[:2]]
    by_topic = await alice.create_room(preset="public_chat", name="Lobby", topic=f"about {word}")
    await alice.create_room(preset="public_chat", name=f"{word} unlisted")
    await bob.join(by_topic)
    expected = {*by_name, by_topic}
    await publish(deployment, [*by_name, by_topic])

    async def complete() -> list[Json]:
        """Synapse counts the members of rooms a moment later, and lists none without."""
        found = [page async for page in pages(bob, word)]
        entries = [entry for page in found for entry in page["chunk"]]
        members = {entry["room_id"]: entry["num_joined_members"] for entry in entries}
        if members.keys() < expected or members.get(by_topic) != len((alice, bob)):
            raise NotYet(f"the list has {members}; {expected} are on it, and {by_topic} has two members")
        return found

    found = await eventually(complete, within=Budget.DELIVERY, label="the rooms are on the public list")
    listed = [room for page in found for room in ids(page)]
    first, second = found
    back = await bob.call(
        "POST",
        PUBLIC,
        json={"limit": PAGE, "filter": {"generic_search_term": word}, "since": second["prev_batch"]},
    )
    evidence("pages", {"rooms": [ids(page) for page in found], "back": ids(back)})
    assert sorted(listed) == sorted(expected), f"listed are {listed}, and public are {expected}"
    assert listed[0] == by_topic, (
        f"the room with the most members is {by_topic}, and the first is {listed[0]}"
    )
    assert first["chunk"][0]["topic"] == f"about {word}", f"the topic is missing: {first['chunk'][0]}"
    assert ids(back) == ids(first), f"back from the second page are {ids(back)}, the first was {ids(first)}"


@pytest.mark.requirement("CLI-054")
async def test_what_a_search_finds_is_read_page_by_page(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice and Bob share a room with five messages of one word. She searches in pages of two: the newest
    come first, each once, with the messages before and after, and as many are counted as there are."""
    room, word = await shared_room(alice, bob), uuid.uuid4().hex
    sent = [await bob.send(room, f"{word} {each}") for each in WORDS]

    async def page(position: str | None) -> Json:
        wanted = {
            "search_term": word,
            "keys": ["content.body"],
            "order_by": "recent",
            "filter": {"limit": PAGE, "rooms": [room]},
            "event_context": {"before_limit": 1, "after_limit": 1},
        }
        answer = await alice.call(
            "POST",
            SEARCH,
            json={"search_categories": {"room_events": wanted}},
            params={"next_batch": position} if position else {},
        )
        found: Json = answer["search_categories"]["room_events"]
        return found

    async def complete() -> list[Json]:
        found = [await page(None)]
        while (position := found[-1].get("next_batch")) is not None and len(found) <= len(WORDS):
            found.append(await page(position))
        if len(hits(found)) < len(sent):
            raise NotYet(f"found are {hits(found)}, sent were {sent}")
        return found

    found = await eventually(complete, within=Budget.DELIVERY, label="the search finds every message")
    first, second = found[0]["results"]
    around = [rooms.bodies(second["context"][each]) for each in ("events_before", "events_after")]
    evidence("pages", {"found": hits(found), "counts": [each["count"] for each in found], "around": around})
    assert hits(found) == sent[::-1], f"sent were {sent}, and found, the newest first, {hits(found)}"
    assert first["result"]["content"]["body"] == f"{word} {WORDS[-1]}", f"the newest hit is {first}"
    assert around == [[f"{word} {WORDS[-3]}"], [f"{word} {WORDS[-1]}"]], (
        f"around the message {WORDS[-2]} are {around}"
    )
    assert found[0]["count"] == len(sent), f"{len(sent)} messages are counted as {found[0]['count']}"


def hits(found: Sequence[Json]) -> list[str]:
    """The ids of what pages of a search found, in their order."""
    return [each["result"]["event_id"] for page in found for each in page["results"]]
