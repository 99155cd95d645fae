"""What is found without being told where it is: messages by their words, rooms, people, aliases."""

import uuid
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import Json, MatrixClient
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.clients import NewUser
from fixtures.plugins.evidence import Evidence

SEARCH = "/_matrix/client/v3/search"
PEOPLE = "/_matrix/client/v3/user_directory/search"
PUBLIC = "/_matrix/client/v3/publicRooms"
LIST = "/_matrix/client/v3/directory/list/room"


def localpart(user: MatrixClient) -> str:
    """The name without server."""
    return user.user_id[1:].partition(":")[0]


@pytest.mark.requirement("CLI-036")
async def test_a_search_finds_what_one_may_read(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """A room with two messages of one word, of which one is redacted. The search finds the other, and for a stranger
    nothing."""
    room, word = await alice.create_room(), uuid.uuid4().hex
    kept, redacted = await alice.send(room, f"{word} kept"), await alice.send(room, f"{word} redacted")
    await rooms.redact(alice, room, redacted)

    async def found(user: MatrixClient) -> list[str]:
        categories = {"room_events": {"search_term": word, "keys": ["content.body"]}}
        answer = await user.call("POST", SEARCH, json={"search_categories": categories})
        results: list[Json] = answer["search_categories"]["room_events"]["results"]
        return [result["result"]["event_id"] for result in results]

    async def the_kept_one() -> list[str]:
        if (hits := await found(alice)) != [kept]:
            raise NotYet(f"found are {hits}; {kept} is the message, {redacted} was redacted")
        return hits

    hits = await eventually(
        the_kept_one, within=Budget.DELIVERY, label="the search finds what was not redacted"
    )
    by_stranger = await found(bob)
    evidence("found", {"by a member": hits, "by a stranger": by_stranger})
    assert not by_stranger, f"a stranger finds {by_stranger}"


@pytest.mark.requirement("CLI-037")
async def test_nobody_publishes_rooms_and_members_see_the_list(
    http: httpx.AsyncClient, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Alice makes a room that is to be public, and asks for it to be put on the list: it is refused, and Bob, who may
    read the list, does not find it there by its name, and the list says of the room that it is not on it. She may take
    it off the list. Who is not logged in is not shown the list."""
    name = uuid.uuid4().hex
    room = await alice.create_room(preset="public_chat", visibility="public", name=name)
    refusal = await alice.request("PUT", f"{LIST}/{quote(room)}", json={"visibility": "public"})
    answer = await bob.call("POST", PUBLIC, json={"filter": {"generic_search_term": name}})
    listed = [entry["room_id"] for entry in answer["chunk"]]
    said = (await bob.call("GET", f"{LIST}/{quote(room)}"))["visibility"]
    await alice.call("PUT", f"{LIST}/{quote(room)}", json={"visibility": "private"})
    unknown = await http.get(PUBLIC)
    evidence(
        "answers",
        {"publish": refusal.status_code, "listed": listed, "said": said, "to anybody": unknown.status_code},
    )
    assert said == "private", f"a user's room is {said} for the list"
    assert refusal.status_code == httpx.codes.FORBIDDEN, (
        f"a user publishes a room: {refusal.status_code} {refusal.text:.200}; leave room_list_publication_rules out"
    )
    assert not listed, f"a user's room is on the list: {answer['chunk']}"
    assert unknown.status_code == httpx.codes.UNAUTHORIZED, (
        f"the list is shown to anybody: {unknown.status_code}; allow_public_rooms_without_auth must be false"
    )


@pytest.mark.requirement("CLI-038")
async def test_people_find_those_they_share_rooms_with(
    alice: MatrixClient, bob: MatrixClient, new_user: NewUser, evidence: Evidence
) -> None:
    """Precondition: Alice and Bob share a private room, Carol is in none of theirs. Alice finds Bob by his name; then
    she does not find Carol by hers."""
    carol = await new_user("carol")
    await shared_room(alice, bob)

    async def found(name: str) -> list[str]:
        answer = await alice.call("POST", PEOPLE, json={"search_term": name})
        return [each["user_id"] for each in answer["results"]]

    async def bob_is_found() -> bool:
        if bob.user_id not in (hits := await found(localpart(bob))):
            raise NotYet(f"found are {hits}")
        return True

    await eventually(bob_is_found, within=Budget.DELIVERY, label="Alice finds Bob in the directory")
    strangers = await found(localpart(carol))
    evidence("found for Carol's name", strangers)
    assert carol.user_id not in strangers, (
        "Alice finds somebody with whom she shares no room; user_directory.search_all_users must be false"
    )


@pytest.mark.requirement("CLI-039")
async def test_an_alias_leads_to_its_room(alice: MatrixClient, bob: MatrixClient, evidence: Evidence) -> None:
    """Alice gives her room an alias, with letters of the world. Bob is led to the room by it, may not give it to
    another, nor take it away. She takes it away: it leads nowhere."""
    room = await alice.create_room(preset="public_chat")
    alias = f"#lobby-ä-{uuid.uuid4().hex}:{alice.user_id.partition(':')[2]}"
    path = f"/_matrix/client/v3/directory/room/{quote(alias)}"
    await alice.call("PUT", path, json={"room_id": room})
    found = (await bob.call("GET", path))["room_id"]
    other = await bob.create_room()
    refusals = {
        "again": (await bob.request("PUT", path, json={"room_id": other})).status_code,
        "away": (await bob.request("DELETE", path)).status_code,
    }
    await bob.join(alias)
    await alice.call("DELETE", path)

    async def nowhere() -> bool:
        return (await bob.request("GET", path)).status_code == httpx.codes.NOT_FOUND

    await eventually(nowhere, within=Budget.DELIVERY, label="the alias that was taken away leads nowhere")
    evidence("alias", {"leads to": found, "refusals": refusals})
    assert found == room, f"{alias} leads to {found}, not to {room}"
    assert refusals == {"again": httpx.codes.CONFLICT, "away": httpx.codes.FORBIDDEN}, (
        f"another's alias, given again and taken away: {refusals}"
    )
