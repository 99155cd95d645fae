"""Several media workers are one: what one took, each gives, and what was acknowledged outlives it."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from functools import partial

import httpx
import pytest

from fixtures.clients.media import UPLOAD, Media, download, forget_local_copies, upload
from fixtures.clients.plain import MatrixClient, at
from fixtures.deployment.correlation import REQUEST_ID, answered_by
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.faults.pods import killed
from fixtures.plugins.clients import NewUser
from fixtures.plugins.evidence import Evidence

TYPE = "application/octet-stream"
PEOPLE, FILES, SIZE = 4, 6, 30_000
"""How many people upload how many files each at once, of how many bytes."""

HALF = 500_000
"""Bytes of an upload before and after its media worker is killed."""


@pytest.mark.requirement("MED-026")
async def test_many_uploads_at_once_are_not_mixed_up(
    deployment: Deployment, new_user: NewUser, evidence: Evidence
) -> None:
    """Some people upload files at once, each one of the same content as everybody. All have ids of their own. Without
    local copies all are asked for at once: each is what was uploaded under its id."""
    people = [await new_user(f"person{number}") for number in range(PEOPLE)]
    common = secrets.token_bytes(SIZE)
    contents = [
        common if number == 0 else secrets.token_bytes(SIZE) for _ in people for number in range(FILES)
    ]
    authors = [person for person in people for _ in range(FILES)]
    uploads = [
        upload(person, content, content_type=TYPE) for person, content in zip(authors, contents, strict=True)
    ]
    media = await asyncio.gather(*uploads)
    evidence("uploads", {"number": len(media), "ids": len(set(media))})
    assert len(set(media)) == len(media), f"{len(media)} uploads have {len(set(media))} ids"
    for each in media:
        await forget_local_copies(deployment, each)
    readers = [*authors[FILES:], *authors[:FILES]]
    answers = await asyncio.gather(
        *(download(reader, each) for reader, each in zip(readers, media, strict=True))
    )
    wrong = [
        f"{each.uri}: {answer.status_code}, {'another file' if answer.content in contents else 'no file of these'}"
        for each, answer, content in zip(media, answers, contents, strict=True)
        if answer.content != content
    ]
    assert not wrong, f"of {len(media)} files {len(wrong)} came back wrong: {wrong}"


@pytest.mark.requirement("MED-027")
async def test_every_media_worker_gives_what_another_took(
    deployment: Deployment, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Alice uploads a file to each media worker directly. Each of them gives each file to Bob."""
    pods = await deployment.pods(Role.MEDIA_REPOSITORY)
    given: dict[str, dict[str, bool]] = {}
    for taker in pods:
        content = secrets.token_bytes(SIZE)
        async with at(deployment, taker, alice) as there:
            media = await upload(there, content, content_type=TYPE)
        given[taker.name] = {}
        for giver in pods:
            async with at(deployment, giver, bob) as there:
                given[taker.name][giver.name] = (await download(there, media)).content == content
    evidence("took and gave", given)
    assert all(each for by_name in given.values() for each in by_name.values()), (
        f"who took a file, and who gives it: {given}; a file that only its worker has goes with it"
    )


@pytest.mark.requirement("MED-028")
@pytest.mark.disruptive(Role.MEDIA_REPOSITORY)
async def test_what_was_acknowledged_outlives_the_worker(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Alice has uploaded a file and is in the middle of another one when her media worker is killed. That upload
    ends: acknowledged, refused as an error of Matrix, or cut, by which HAProxy has a client try again. What was
    acknowledged is there, whole, when all are back."""
    before, content = secrets.token_bytes(SIZE), secrets.token_bytes(2 * HALF)
    first = await alice.request("POST", UPLOAD, content=before, headers={"Content-Type": TYPE})
    acknowledged = {Media(first.json()["content_uri"]): before}
    pod = await answered_by(deployment, first.headers[REQUEST_ID])
    begun, go_on = asyncio.Event(), asyncio.Event()
    under_way = asyncio.create_task(send(alice, halted(content, begun, go_on), len(content)))
    await begun.wait()
    async with killed(deployment, pod):
        go_on.set()
        ended = await under_way
        await deployment.settled(within=Budget.REPLACEMENT.seconds())
    if isinstance(ended, httpx.Response):
        evidence("the upload under way", {"status": ended.status_code, "body": ended.text[:200]})
        assert ended.is_success or "errcode" in ended.json(), f"no error of Matrix: {ended.text:.200}"
        if ended.is_success:
            acknowledged[Media(ended.json()["content_uri"])] = content
    else:
        evidence("the upload under way", repr(ended))
        assert not isinstance(ended, httpx.TimeoutException), f"the upload did not end: {ended!r}"
    for media, kept in acknowledged.items():
        answer = await eventually(
            partial(answered, alice, media),
            within=Budget.HEALTH,
            label=f"a download of {media.uri} is answered",
        )
        assert answer.content == kept, (
            f"{media.uri} was acknowledged; after {pod.name} was killed: {answer.status_code} {answer.text:.100}"
        )


async def halted(content: bytes, begun: asyncio.Event, go_on: asyncio.Event) -> AsyncIterator[bytes]:
    """The content, of which the second half comes when it may."""
    yield content[:HALF]
    begun.set()
    await go_on.wait()
    yield content[HALF:]


async def send(
    user: MatrixClient, content: AsyncIterator[bytes], length: int
) -> httpx.Response | httpx.TransportError:
    """POST /upload of content that comes bit by bit; the answer whatever its status, or why there is none."""
    headers = {"Content-Type": TYPE, "Content-Length": str(length)}
    try:
        return await user.request("POST", UPLOAD, content=content, headers=headers)
    except httpx.TransportError as error:
        return error


async def answered(user: MatrixClient, media: Media) -> httpx.Response:
    """The download, when it is no error of the server."""
    answer = await download(user, media)
    if answer.is_server_error:
        raise NotYet(f"{answer.status_code} {answer.text:.200}")
    return answer
