"""What users see while the object store is away, and afterwards."""

import secrets
import time

import httpx
import pytest

from fixtures.clients.media import UPLOAD, Media, download, forget_local_copies, upload
from fixtures.clients.plain import MatrixClient
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.faults.pods import away
from fixtures.plugins.evidence import Evidence

TYPE = "application/octet-stream"


async def cold(deployment: Deployment, user: MatrixClient, content: bytes) -> Media:
    """An upload that lies in the object store only."""
    media = await upload(user, content, content_type=TYPE)
    assert await forget_local_copies(deployment, media), f"no media worker had a copy of {media.file}"
    return media


async def refused(
    user: MatrixClient, method: str, path: str, content: bytes | None, *, within: Budget
) -> str | None:
    """What is wrong with the answer to a request that needs the object store; None when it is a clear error in time."""
    begin = time.monotonic()
    try:
        answer = await user.request(
            method,
            path,
            content=content,
            timeout=within.seconds(),
            headers={"Content-Type": TYPE},
        )
    except httpx.TimeoutException:
        return f"{method} {path}: no answer within {within.seconds():g} s"
    seen = f"{method} {path}: {answer.status_code} after {time.monotonic() - begin:.1f} s"
    if not answer.is_server_error:
        return f"{seen}; nothing can have been stored or fetched, so it must be an error of the server"
    if (
        not answer.headers.get("Content-Type", "").startswith("application/json")
        or "errcode" not in answer.json()
    ):
        return f"{seen}: no Matrix error: {answer.text:.200}"
    return None


@pytest.mark.requirement("MED-004")
@pytest.mark.disruptive(Role.OBJECT_STORAGE)
async def test_an_outage_is_told(deployment: Deployment, alice: MatrixClient, evidence: Evidence) -> None:
    """Precondition: media that are in the object store only, and nobody is behind its Service.

    Expected: an upload and a download of those media are answered in time, with errors of Matrix.
    """
    content = secrets.token_bytes(1000)
    media = await cold(deployment, alice, content)
    async with away(deployment, Role.OBJECT_STORAGE):
        faults = [
            await refused(alice, "POST", UPLOAD, content, within=Budget.MEDIA_REFUSED),
            await refused(alice, "GET", media.path, None, within=Budget.MEDIA_REFUSED),
        ]
    evidence("faults", faults)
    assert not any(faults), "\n".join(filter(None, faults))


@pytest.mark.requirement("MED-005")
@pytest.mark.disruptive(Role.OBJECT_STORAGE)
async def test_an_outage_costs_nothing(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: media in the object store only. It goes away and comes back: they are whole, uploads succeed."""
    content = secrets.token_bytes(100_000)
    media = await cold(deployment, alice, content)
    async with away(deployment, Role.OBJECT_STORAGE):
        pass

    async def served() -> httpx.Response:
        answer = await download(alice, media)
        if answer.is_server_error:
            raise NotYet(f"{answer.status_code} {answer.text:.200}")
        return answer

    answer = await eventually(served, within=Budget.HEALTH, label="a download is answered again")
    evidence("download after the outage", answer.status_code)
    assert answer.is_success, (
        f"GET {media.path}: {answer.status_code} {answer.text:.200}; it was stored before"
    )
    assert answer.content == content, f"{media.uri} came back with other content"
    await upload(alice, content, content_type=TYPE)


@pytest.mark.requirement("MED-008")
@pytest.mark.disruptive(Role.MEDIA_REPOSITORY, Role.OBJECT_STORAGE)
async def test_a_store_that_cannot_be_reached_is_told(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: media in the object store only. No packet passes between it and the media workers.

    Unlike above nobody refuses a connection: only the client's own patience ends the waiting.
    """
    content = secrets.token_bytes(1000)
    media = await cold(deployment, alice, content)
    begin = time.monotonic()
    async with deployment.partitioned(Role.MEDIA_REPOSITORY, Role.OBJECT_STORAGE):
        fault = await refused(alice, "GET", media.path, None, within=Budget.MEDIA_OUT_OF_REACH)
    evidence("seconds until the answer", round(time.monotonic() - begin, 1))
    assert fault is None, fault
