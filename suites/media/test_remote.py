"""Files of other servers, of which several media workers have one copy; and what other servers get of ours."""

import asyncio
import json
import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from urllib.parse import urlencode

import httpx
import pytest

from fixtures.clients.media import BOXES, Box, Media, download, forget_local_copies, remote_copy, upload
from fixtures.clients.object_store import keys_below, stored
from fixtures.clients.pictures import halves, not_halves, read_png
from fixtures.clients.plain import MatrixClient, at
from fixtures.clients.servers import server_of
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.peers.fake import FakeServer
from fixtures.plugins.evidence import Evidence

TYPE = "application/octet-stream"
SIZE = 100_000
LARGE = (1000, 500)
"""Width and height of a picture in pixels."""


async def asked_for_at_once(
    deployment: Deployment, media: Media, server: FakeServer, *users: MatrixClient
) -> list[httpx.Response]:
    """The answers to each of the users at each media worker; the other server answers when all workers ask it."""
    pods = await deployment.pods(Role.MEDIA_REPOSITORY)
    await server.told("together", pattern=media.id, number=len(pods))
    async with AsyncExitStack() as stack:
        there = [await stack.enter_async_context(at(deployment, pod, user)) for pod in pods for user in users]
        return await asyncio.gather(*(download(user, media) for user in there))


@pytest.mark.requirement("MED-029")
async def test_a_file_of_another_server_is_fetched_and_kept_once(
    deployment: Deployment,
    admin: MatrixClient,
    alice: MatrixClient,
    bob: MatrixClient,
    fake: FakeServer,
    evidence: Evidence,
) -> None:
    """Two users ask each media worker for a file that we have never had, all at once: all get it, and each worker
    fetches it once at most. Our copy is in the object store: without local ones it comes from there, and the other
    server, which would have it, is not asked again."""
    content, pods = secrets.token_bytes(SIZE), await deployment.pods(Role.MEDIA_REPOSITORY)
    media = Media(await fake.offer(content, TYPE))
    first = await asked_for_at_once(deployment, media, fake, alice, bob)
    asked = await fake.asked(media.id)
    copy = await remote_copy(admin, media)
    in_store = await stored(deployment, copy.file)
    had_it = await forget_local_copies(deployment, copy)
    again = await asked_for_at_once(deployment, media, fake, alice)
    since = await fake.asked(media.id) - asked
    evidence("requests to the other server", {"workers": len(pods), "at first": asked, "later": since})
    evidence("our copy", {"key": copy.file, "workers that had a local one": had_it})
    wrong = [answer.status_code for answer in (*first, *again) if answer.content != content]
    assert not wrong, f"{media.uri}: of {len(first) + len(again)} downloads {len(wrong)} came wrong: {wrong}"
    assert asked <= len(pods), f"{len(pods)} workers have asked for {media.uri} {asked} times"
    assert in_store == content, f"{media.uri} was given out, and the object store has no {copy.file}"
    assert had_it, f"no media worker had a copy of {copy.file}: nothing is proved"
    assert since == 0, f"{media.uri} is in the object store, and {fake.name} was asked {since} times again"


@pytest.mark.requirement("MED-029")
@pytest.mark.known_deviation(
    "https://github.com/element-hq/synapse/issues/8692",
    "what the slower worker has fetched is deleted on its own volume and stays in the object store: a storage provider "
    "cannot be asked to delete",
)
async def test_of_what_two_workers_fetched_one_is_left(
    deployment: Deployment, alice: MatrixClient, new_fake: Callable[[], FakeServer], evidence: Evidence
) -> None:
    """Each media worker is asked at once for a file that we have never had: the object store has it once."""
    server = new_fake()
    media = Media(await server.offer(secrets.token_bytes(SIZE), TYPE))
    await asked_for_at_once(deployment, media, server, alice)
    asked = await server.asked(media.id)
    assert asked > 1, f"{media.uri} was asked for {asked} times: nothing is proved"
    keys = await keys_below(deployment, f"remote_content/{server.name}")
    evidence("objects", keys)
    assert len(keys) == 1, f"one file of {server.name} was fetched, and the object store has {keys}"


@pytest.mark.requirement("MED-031")
@pytest.mark.parametrize("box", [BOXES[0], BOXES[2]], ids=str)
async def test_another_server_is_given_a_thumbnail(
    box: Box, alice: MatrixClient, fake: FakeServer, evidence: Evidence
) -> None:
    """Alice uploads a picture. Another server asks for its thumbnail: first comes what is to be known of it, as JSON,
    then a picture of the size that it asked for, red on the left and blue on the right."""
    media = await upload(alice, halves(*LARGE), content_type="image/png")
    path = f"{media.federation_thumbnail_path}?{urlencode(box.parameters)}"
    metadata, picture = multipart(await fake.fetched(server_of(alice), path))
    evidence("answer", {"metadata": metadata.decode(), "bytes": len(picture)})
    assert json.loads(metadata) == {}
    pixels = read_png(picture)
    assert (pixels.width, pixels.height) == box.of(*LARGE)
    assert not (wrong := not_halves(pixels)), f"thumbnail {box}: {'; '.join(wrong)}"


def multipart(content: bytes) -> list[bytes]:
    """The parts of a multipart answer without their headers (RFC 2046, 5.1.1), whose boundary is in its first line."""
    content = content.lstrip(b"\r\n")
    boundary = content.partition(b"\r\n")[0]
    parts = content.split(boundary)[1:-1]
    return [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in parts]
