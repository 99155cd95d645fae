"""What an administrator takes away is away, at every media worker."""

import uuid
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.media import BOXES, Media, everywhere, forget_local_copies, upload
from fixtures.clients.object_store import stored
from fixtures.clients.pictures import halves
from fixtures.clients.plain import Json, MatrixClient
from fixtures.deployment.interface import Deployment
from fixtures.peers.fake import FakeServer
from fixtures.plugins.evidence import Evidence

ADMIN = "/_synapse/admin/v1"
SIDE = 100


def content() -> bytes:
    """A picture that is like no other: media of the same content share their quarantine."""
    return halves(SIDE, SIDE) + uuid.uuid4().bytes


async def picture(user: MatrixClient) -> Media:
    """One that was uploaded."""
    return await upload(user, content(), content_type="image/png")


async def show(user: MatrixClient, media: Media) -> str:
    """A new room of the user's in which the picture is; its id."""
    room = await user.create_room()
    message: Json = {"msgtype": "m.image", "body": "picture.png", "url": media.uri}
    await rooms.put_event(user, room, "m.room.message", message)
    return room


async def of_its_id(admin: MatrixClient, user: MatrixClient, media: Media) -> Json:
    """Quarantine of one file."""
    return await admin.call("POST", f"{ADMIN}/media/quarantine/{media.name}")


async def of_a_room(admin: MatrixClient, user: MatrixClient, media: Media) -> Json:
    """Quarantine of all that is shown in a room."""
    return await admin.call("POST", f"{ADMIN}/room/{quote(await show(user, media))}/media/quarantine")


async def of_a_user(admin: MatrixClient, user: MatrixClient, media: Media) -> Json:
    """Quarantine of all that a user has uploaded."""
    return await admin.call("POST", f"{ADMIN}/user/{quote(user.user_id)}/media/quarantine")


WAYS: dict[str, Callable[[MatrixClient, MatrixClient, Media], Awaitable[Json]]] = {
    "by its id": of_its_id,
    "by its room": of_a_room,
    "by its user": of_a_user,
}


async def seen(
    deployment: Deployment, users: dict[str, MatrixClient], media: Media
) -> dict[str, dict[str, int]]:
    """How the file and its thumbnail are answered everywhere, to each user."""
    return {
        f"{what} for {name}": await everywhere(deployment, user, media, box)
        for name, user in users.items()
        for what, box in (("file", None), ("thumbnail", BOXES[0]))
    }


def all_are(status: int, answers: dict[str, dict[str, int]]) -> bool:
    """Whether every answer has that status."""
    return {each for by_name in answers.values() for each in by_name.values()} == {status}


@pytest.mark.requirement("MED-024")
@pytest.mark.parametrize("way", WAYS)
async def test_what_is_in_quarantine_is_for_nobody(
    way: str,
    deployment: Deployment,
    admin: MatrixClient,
    alice: MatrixClient,
    bob: MatrixClient,
    evidence: Evidence,
) -> None:
    """A picture that everybody gets everywhere and that is in the object store alone is put into quarantine: neither it
    nor its thumbnail is there for anybody, at any media worker. Taken out of it, it is there again."""
    users, media = {"Alice": alice, "Bob": bob}, await picture(alice)
    before = await seen(deployment, users, media)
    assert all_are(httpx.codes.OK, before), f"it is not there before: {before}"
    assert await forget_local_copies(deployment, media), f"no media worker had a copy of {media.file}"
    done = await WAYS[way](admin, alice, media)
    inside = await seen(deployment, users, media)
    evidence("in quarantine", {"answer": done, "seen": inside})
    assert all_are(httpx.codes.NOT_FOUND, inside), f"{media.uri} in quarantine: {inside}"
    await admin.call("POST", f"{ADMIN}/media/unquarantine/{media.name}")
    after = await seen(deployment, users, media)
    assert all_are(httpx.codes.OK, after), f"{media.uri} out of quarantine: {after}"


@pytest.mark.requirement("MED-030")
async def test_what_is_in_quarantine_is_for_nobody_though_another_server_has_it(
    deployment: Deployment,
    admin: MatrixClient,
    alice: MatrixClient,
    bob: MatrixClient,
    fake: FakeServer,
    evidence: Evidence,
) -> None:
    """A picture of another server's that everybody gets everywhere, so that we have a copy, is put into quarantine:
    neither it nor its thumbnail is there for anybody, at any media worker, and the other server, which has it still, is
    not asked for it. Taken out of it, it is there again."""
    users, media = {"Alice": alice, "Bob": bob}, Media(await fake.offer(content(), "image/png"))
    before = await seen(deployment, users, media)
    assert all_are(httpx.codes.OK, before), f"it is not there before: {before}"
    asked = await fake.asked(media.id)
    await of_its_id(admin, alice, media)
    inside = await seen(deployment, users, media)
    since = await fake.asked(media.id) - asked
    evidence("in quarantine", {"seen": inside, "asked for before": asked, "since": since})
    assert all_are(httpx.codes.NOT_FOUND, inside), f"{media.uri} in quarantine: {inside}"
    assert since == 0, f"{fake.name} was asked {since} times for what is in quarantine here"
    await admin.call("POST", f"{ADMIN}/media/unquarantine/{media.name}")
    after = await seen(deployment, users, media)
    assert all_are(httpx.codes.OK, after), f"{media.uri} out of quarantine: {after}"


@pytest.mark.requirement("MED-025")
async def test_what_was_deleted_is_gone_everywhere(
    deployment: Deployment, admin: MatrixClient, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Two pictures that everybody gets everywhere, so that each media worker may keep a copy. One is deleted: neither
    it nor its thumbnail is there for anybody, at any media worker. The other one is."""
    users = {"Alice": alice, "Bob": bob}
    gone, stays = await picture(alice), await picture(alice)
    for media in (gone, stays):
        before = await seen(deployment, users, media)
        assert all_are(httpx.codes.OK, before), f"{media.uri} is not there before: {before}"
    answer = await admin.call("DELETE", f"{ADMIN}/media/{gone.name}")
    after = {media: await seen(deployment, users, media) for media in (gone, stays)}
    evidence("deleted", {"answer": answer, "seen": after[gone]})
    evidence("its object is still in the store", await stored(deployment, gone.file) is not None)
    assert all_are(httpx.codes.NOT_FOUND, after[gone]), f"{gone.uri} was deleted: {after[gone]}"
    assert all_are(httpx.codes.OK, after[stays]), f"{stays.uri} was not deleted: {after[stays]}"
