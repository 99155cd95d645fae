"""What one finds on another server: its rooms, the rooms of a space, and files."""

import secrets

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.media import download, upload
from fixtures.clients.plain import Json, MatrixClient
from fixtures.clients.servers import Parties, enter, public_room, server_of
from fixtures.clients.spaces import SPACE, add
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence

PUBLIC_ROOMS = "/_matrix/client/v3/publicRooms"


@pytest.mark.requirement("FED-016")
async def test_rooms_of_a_space_are_shown(parties: Parties, evidence: Evidence) -> None:
    """A space of the host's with a public room and a private one. The guest, who is in the space only, is shown the
    public one with its name, and nothing of the private one."""
    host, guest = parties.host, parties.guest
    shown, _ = await public_room(host, name="shown")
    hidden = await host.create_room(preset="private_chat", name="hidden")
    space, _ = await public_room(host, creation_content=SPACE)
    for room in (shown, hidden):
        await add(host, space, room)
    await enter(parties, space)
    path = rooms.path(space, "hierarchy", version="v1")

    async def complete() -> dict[str, str | None]:
        found = {each["room_id"]: each.get("name") for each in (await guest.call("GET", path))["rooms"]}
        if shown not in found:
            raise NotYet(f"shown are {found}")
        return found

    found = await eventually(complete, within=Budget.DELIVERY, label="the guest is shown the public room")
    evidence("shown", found)
    assert found == {space: None, shown: "shown"}, (
        f"of {space} with {shown} and the private {hidden}: {found}"
    )


@pytest.mark.requirement("FED-017")
async def test_a_file_is_fetched_from_its_server(parties: Parties, evidence: Evidence) -> None:
    """The host uploads a file. The guest's own server gives it to the guest, every byte, with its type."""
    content = secrets.token_bytes(200_000)
    media = await upload(parties.host, content, content_type="application/pdf")
    answer = await download(parties.guest, media)
    evidence("answer", {"status": answer.status_code, "seconds": answer.elapsed.total_seconds()})
    assert answer.status_code == httpx.codes.OK, f"GET {media.path}: {answer.status_code} {answer.text[:200]}"
    assert answer.content == content, f"of {len(content)} bytes came {len(answer.content)}, or others"
    assert answer.headers["Content-Type"] == "application/pdf"


@pytest.mark.requirement("FED-018")
async def test_our_list_of_rooms_is_not_told_to_other_servers(
    carol: MatrixClient, alice: MatrixClient
) -> None:
    """A user of another server asks for our list of public rooms: it is refused, also to who knows us by a room."""
    answer = await carol.request("GET", PUBLIC_ROOMS, params={"server": server_of(alice)})
    assert answer.is_error, f"our list of rooms is told to {server_of(carol)}: {answer.text}"


@pytest.mark.requirement("FED-019")
async def test_a_room_on_another_list_is_found(
    alice: MatrixClient, carol: MatrixClient, evidence: Evidence
) -> None:
    """A room on the list of another server. A user of ours asks for that list: the room is on it, by its name."""
    name = f"listed {secrets.token_hex(4)}"
    room, _ = await public_room(carol, name=name, visibility="public")
    asked = {"server": server_of(carol)}

    async def listed() -> Json:
        wanted = {"filter": {"generic_search_term": name}}
        answer = await alice.call("POST", PUBLIC_ROOMS, params=asked, json=wanted)
        if (found := next((each for each in answer["chunk"] if each["room_id"] == room), None)) is None:
            raise NotYet(f"the list has {answer['chunk']}")
        return dict(found)

    found = await eventually(listed, within=Budget.DELIVERY, label="the room is on the other server's list")
    evidence("found", found)
    assert found["name"] == name
