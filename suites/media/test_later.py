"""Media that are named first and sent later (client-server API, asynchronous uploads)."""

import asyncio
import secrets

import httpx
import pytest

from fixtures.clients.media import Media, create, download, put_content
from fixtures.clients.plain import MatrixClient, MatrixError, at
from fixtures.clients.servers import server_of
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget
from fixtures.plugins.evidence import Evidence

SHORT_MS, LONG_MS = 2000, 15_000
"""How long a download waits for content: till it gives up, and longer than that."""

PENDING = 5
"""What a user may have announced and not sent: manifests/config/synapse/conf.d/10-media.yaml."""


async def waiting(user: MatrixClient, media: Media, timeout_ms: int) -> httpx.Response:
    """GET of media that waits so long for their content."""
    return await user.request(
        "GET", media.path, params={"timeout_ms": timeout_ms}, timeout=Budget.MEDIA_OUT_OF_REACH.seconds()
    )


def said(answer: httpx.Response) -> tuple[int, str]:
    """Status and errcode."""
    return answer.status_code, "" if answer.is_success else answer.json()["errcode"]


@pytest.mark.requirement("MED-019")
async def test_content_comes_later_and_once(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Alice has a name for media. Until she sends them a download waits, and then says so. Bob may not send them. Once
    she has, they are there for Bob, and she cannot send others."""
    media, content = await create(alice), secrets.token_bytes(1000)
    early = said(await waiting(bob, media, SHORT_MS))
    stranger = said(await put_content(bob, media, b"Bob's"))
    sent = said(await put_content(alice, media, content))
    again = said(await put_content(alice, media, b"others"))
    answer = await download(bob, media)
    seen = {"early": early, "by Bob": stranger, "by Alice": sent, "again": again}
    evidence("answers", seen)
    assert seen == {
        "early": (httpx.codes.GATEWAY_TIMEOUT, "M_NOT_YET_UPLOADED"),
        "by Bob": (httpx.codes.FORBIDDEN, "M_FORBIDDEN"),
        "by Alice": (httpx.codes.OK, ""),
        "again": (httpx.codes.CONFLICT, "M_CANNOT_OVERWRITE_MEDIA"),
    }, f"{media.uri}: {seen}"
    assert answer.content == content, f"{media.uri}: {answer.status_code}, {len(answer.content)} other bytes"


@pytest.mark.requirement("MED-019")
async def test_what_nobody_named_is_nobody_s(alice: MatrixClient) -> None:
    """Content for an id that was never given out is refused, and so is content for another server's media."""
    server = server_of(alice)
    for host in (server, "elsewhere.test"):
        answer = await put_content(alice, Media(f"mxc://{host}/{secrets.token_hex(12)}"), b"words")
        assert said(answer) == (httpx.codes.NOT_FOUND, "M_NOT_FOUND"), f"{host}: {said(answer)}"


@pytest.mark.requirement("MED-020")
async def test_who_waits_gets_what_comes_in_at_any_media_worker(
    deployment: Deployment, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Bob's download waits, and Alice's as well: when hers has given up, she sends the content, to each media worker in
    turn directly, so also to others than the one at which Bob waits. Bob gets it."""
    for pod in await deployment.pods(Role.MEDIA_REPOSITORY):
        media, content = await create(alice), secrets.token_bytes(1000)
        download_of_bob = asyncio.create_task(waiting(bob, media, LONG_MS))
        try:
            early = said(await waiting(alice, media, SHORT_MS))
            async with at(deployment, pod, alice) as there:
                sent = said(await put_content(there, media, content))
            answer = await download_of_bob
        finally:
            download_of_bob.cancel()
        evidence(pod.name, {"early": early, "sent": sent, "Bob's": answer.status_code})
        assert early == (httpx.codes.GATEWAY_TIMEOUT, "M_NOT_YET_UPLOADED"), f"{media.uri}: {early}"
        assert sent == (httpx.codes.OK, ""), f"{media.uri} at {pod.name}: {sent}"
        assert answer.is_success, f"who waits for {media.uri}, sent to {pod.name}, gets {said(answer)}"
        assert answer.content == content, f"{media.uri} came with other content"


@pytest.mark.requirement("MED-021")
async def test_names_without_content_are_few(alice: MatrixClient, evidence: Evidence) -> None:
    """Alice takes as many names as she may have without sending anything. One more is refused; when she has sent one,
    there is another."""
    named = [await create(alice) for _ in range(PENDING)]
    with pytest.raises(MatrixError) as refused:
        await create(alice)
    evidence("one more", str(refused.value))
    assert refused.value.errcode == "M_LIMIT_EXCEEDED", str(refused.value)
    sent = await put_content(alice, named[0], b"words")
    assert sent.is_success, f"PUT {named[0].content_path}: {said(sent)}"
    await create(alice)
