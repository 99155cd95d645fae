"""Where media go, and from where they come back."""

import hashlib
import secrets
import time

import httpx
import pytest

from fixtures.clients.media import CONFIG, download, forget_local_copies, upload
from fixtures.clients.object_store import stored
from fixtures.clients.plain import MatrixClient
from fixtures.deployment.interface import Deployment
from fixtures.deployment.waiting import Budget
from fixtures.plugins.evidence import Evidence

TYPE = "image/x-conformance"


def picture() -> bytes:
    """Some content that was never there before, larger than one buffer of any proxy."""
    return secrets.token_bytes(200_000)


@pytest.mark.requirement("MED-001")
async def test_a_download_is_what_was_uploaded(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Alice uploads a file; Bob downloads it through the front door: the same bytes, the same type."""
    content = picture()
    media = await upload(alice, content, content_type=TYPE)
    answer = await download(bob, media)
    evidence("download", {"status": answer.status_code, "type": answer.headers.get("Content-Type")})
    assert answer.is_success, f"GET {media.path}: {answer.status_code} {answer.text:.200}"
    assert answer.content == content, (
        f"{len(content)} bytes were uploaded, {len(answer.content)} others came back"
    )
    assert answer.headers["Content-Type"] == TYPE, (
        f"uploaded as {TYPE}, {answer.headers['Content-Type']} came back"
    )


@pytest.mark.requirement("MED-002")
async def test_an_upload_is_in_the_object_store(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Alice's upload is acknowledged. At once, and asked past Synapse, the object store has just those bytes."""
    content = picture()
    media = await upload(alice, content, content_type=TYPE)
    found = await stored(deployment, media.file)
    evidence("object", {"key": media.file, "bytes": None if found is None else len(found)})
    assert found is not None, (
        f"{media.uri} was acknowledged and is not in the object store; set store_synchronous"
    )
    assert found == content, f"{media.uri}: the object store has other content ({len(found)} bytes)"


@pytest.mark.requirement("MED-003")
async def test_without_a_local_copy_the_object_store_serves(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice's upload lies in a media worker's cache, and is removed there. It still comes back whole."""
    content = picture()
    media = await upload(alice, content, content_type=TYPE)
    copies = await forget_local_copies(deployment, media)
    assert copies, f"no media worker had a copy of {media.file}: nothing is proved"
    answer = await download(alice, media)
    evidence("download", {"copies removed": copies, "status": answer.status_code})
    assert answer.status_code == httpx.codes.OK, f"GET {media.path}: {answer.status_code} {answer.text:.200}"
    assert answer.content == content, f"{media.uri} came back with other content"


@pytest.mark.requirement("MED-018")
async def test_as_much_as_is_allowed_is_stored_whole(
    deployment: Deployment, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Alice uploads as many bytes as /config allows. Without a local copy Bob gets the same bytes, in seconds."""
    most = (await alice.call("GET", CONFIG))["m.upload.size"]
    content = secrets.token_bytes(most)
    begin = time.monotonic()
    media = await upload(alice, content, content_type=TYPE, within=Budget.LARGEST_MEDIA)
    sent = time.monotonic()
    assert await forget_local_copies(deployment, media), f"no media worker had a copy of {media.file}"
    answer = await download(bob, media, within=Budget.LARGEST_MEDIA)
    took = {"up": round(sent - begin, 1), "down": round(time.monotonic() - sent, 1)}
    evidence("seconds", took | {"bytes": most})
    assert answer.is_success, f"GET {media.path}: {answer.status_code} {answer.text:.200}"
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(content).digest(), (
        f"of {most} bytes {len(answer.content)} others came back"
    )
