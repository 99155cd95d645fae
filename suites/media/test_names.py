"""Names of files: they come back as they were given, and do nothing else."""

import uuid
from email.message import Message
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients.media import UPLOAD, Media, download, forget_local_copies, upload
from fixtures.clients.object_store import stored
from fixtures.clients.plain import MatrixClient
from fixtures.deployment.interface import Deployment
from fixtures.plugins.evidence import Evidence

TYPE = "text/plain"

NAMES = ("report.txt", "two words.txt", "Grüße aus Łódź.txt", "写真 ☃.txt", "it's 100 % done; really.txt")

LONG = 1000
"""Characters of the longest name: in a header three bytes each, and three characters for a byte."""

HOSTILE = {
    "the folder above": "../../../etc/passwd",
    "the folder above, of Windows": "..\\..\\boot.ini",
    "a path": "/etc/passwd",
    "a quote": 'a"; filename="b.exe',
    "a line of its own": "a\r\nSet-Cookie: stolen=1\r\n\r\n<script>",
    "a line that was escaped before": "a%0d%0aSet-Cookie: stolen=1",
    "right to left": "photo_\u202egnp.exe",
    "a NUL": "a\0.txt",
    "very long": "☃" * LONG,
}


def name_of(answer: httpx.Response) -> str | None:
    """The file name in Content-Disposition, as a browser reads it (RFC 6266, RFC 5987)."""
    message = Message()
    message["Content-Disposition"] = answer.headers["Content-Disposition"]
    return message.get_filename()


@pytest.mark.requirement("MED-012")
@pytest.mark.parametrize("name", NAMES)
async def test_a_file_keeps_its_name(
    name: str, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Alice uploads a file with a name. Bob's download has it."""
    media = await upload(alice, b"words", content_type=TYPE, filename=name)
    answer = await download(bob, media)
    evidence("Content-Disposition", answer.headers.get("Content-Disposition"))
    assert name_of(answer) == name, f"{name!r} came back as {answer.headers.get('Content-Disposition')!r}"


@pytest.mark.requirement("MED-012")
@pytest.mark.parametrize("name", NAMES)
async def test_a_download_may_name_the_file(
    name: str, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Alice uploads a file under one name, Bob asks for it under another one in the path: that is what he gets."""
    media = await upload(alice, b"words", content_type=TYPE, filename="first.txt")
    answer = await bob.request("GET", f"{media.path}/{quote(name, safe='')}")
    evidence("Content-Disposition", answer.headers.get("Content-Disposition"))
    assert answer.content == b"words", f"GET {answer.request.url}: {answer.status_code} {answer.text:.200}"
    assert name_of(answer) == name, f"{name!r} came back as {answer.headers.get('Content-Disposition')!r}"


def harmless(what: str, answer: httpx.Response, name: str, usual: set[str]) -> None:
    """AssertionError unless a download is refused as an error of Matrix, or has the name and no further header."""
    if answer.is_client_error:
        assert "errcode" in answer.json(), (
            f"{what}: no error of Matrix: {answer.status_code} {answer.text:.200}"
        )
        return
    assert answer.is_success, f"{what}: {answer.status_code} {answer.text:.200}"
    shown = answer.headers["Content-Disposition"]
    assert name_of(answer) == name, f"{what}: {name!r} came back as {shown[:200]!r}"
    further = set(answer.headers) - usual
    assert not further, f"{what}: the answer has further headers: {further}"


@pytest.mark.requirement("MED-013")
@pytest.mark.parametrize("what", HOSTILE)
async def test_a_hostile_name_does_nothing(
    what: str, deployment: Deployment, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """A name that wants to be more, in the upload and in the path of a download: it is refused, or comes back as a name
    and in one header. The file lies where every other one lies."""
    name, content = HOSTILE[what], uuid.uuid4().bytes
    ordinary = await upload(alice, content, content_type=TYPE, filename=NAMES[0])
    usual = set((await download(bob, ordinary)).headers)
    named = await bob.request("GET", f"{ordinary.path}/{quote(name, safe='')}")
    sent = await alice.request(
        "POST", UPLOAD, params={"filename": name}, content=content, headers={"Content-Type": TYPE}
    )
    evidence("status", {"in a download's path": named.status_code, "in an upload": sent.status_code})
    harmless(f"{what}, in a download's path", named, name, usual)
    if sent.is_client_error:
        assert "errcode" in sent.json(), f"no error of Matrix: {sent.status_code} {sent.text:.200}"
        return
    assert sent.is_success, f"upload with {what} in its name: {sent.status_code} {sent.text:.200}"
    media = Media(sent.json()["content_uri"])
    harmless(f"{what}, in an upload", await download(bob, media), name, usual)
    assert await stored(deployment, media.file) == content, f"{media.file} is not in the object store"
    assert await forget_local_copies(deployment, media), f"no media worker has {media.file}"
