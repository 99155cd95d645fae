"""What stands around the bytes of a download: how a browser may show it, keep it, and fetch a part of it."""

import secrets

import httpx
import pytest

from fixtures.clients.media import BOXES, Media, download, thumbnail, upload
from fixtures.clients.pictures import halves
from fixtures.clients.plain import MatrixClient
from fixtures.clients.servers import server_of
from fixtures.plugins.evidence import Evidence

SAFE = ("image/png", "image/jpeg", "image/gif", "image/webp", "video/mp4", "audio/ogg", "text/plain")

UNSAFE = (
    "text/html",
    "text/html; charset=utf-8",
    "Text/HTML",
    "application/xhtml+xml",
    "image/svg+xml",
    "text/javascript",
    "application/javascript",
    "application/pdf",
    "text/xml",
)
"""What runs scripts, or is read by something that does."""

SCRIPT = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
SIDE = 400
FIRST, LAST = 100, 299
"""A range of bytes, both ends included."""


async def disposition(alice: MatrixClient, bob: MatrixClient, kind: str) -> str:
    """`inline` or `attachment`: how a browser is told to take a file of this type."""
    answer = await download(bob, await upload(alice, SCRIPT, content_type=kind, filename="file"))
    assert answer.is_success, f"download of {kind}: {answer.status_code} {answer.text:.200}"
    how: str = answer.headers.get("Content-Disposition", "nothing")
    return how.partition(";")[0]


@pytest.mark.requirement("MED-014")
async def test_what_may_run_is_not_shown(alice: MatrixClient, bob: MatrixClient, evidence: Evidence) -> None:
    """Files of types that a browser runs, or might. Each is an attachment: it is saved, not shown."""
    how = {kind: await disposition(alice, bob, kind) for kind in UNSAFE}
    evidence("disposition", how)
    assert set(how.values()) == {"attachment"}, f"a browser shows what it should save: {how}"


@pytest.mark.requirement("MED-014")
async def test_what_only_shows_is_shown(alice: MatrixClient, bob: MatrixClient, evidence: Evidence) -> None:
    """Pictures, sound, films and plain text come inline."""
    how = {kind: await disposition(alice, bob, kind) for kind in SAFE}
    evidence("disposition", how)
    assert set(how.values()) == {"inline"}, f"a browser saves what it could show: {how}"


@pytest.mark.requirement("MED-015")
async def test_a_file_is_locked_in(alice: MatrixClient, bob: MatrixClient, evidence: Evidence) -> None:
    """A file with a script. It comes with the sandbox that the specification asks for, its type is not guessed, and
    pages of other origins may show it: clients are such pages."""
    answer = await download(bob, await upload(alice, SCRIPT, content_type="image/svg+xml"))
    policy = [
        each.split() for each in answer.headers.get("Content-Security-Policy", "").split(";") if each.strip()
    ]
    evidence("Content-Security-Policy", policy)
    assert ["sandbox"] in policy, f"no sandbox without exceptions in {policy}"
    for kind in ("default-src", "script-src"):
        assert [kind, "'none'"] in policy, f"{kind} is not 'none' in {policy}"
    assert answer.headers.get("X-Content-Type-Options") == "nosniff", "a browser may guess the type of a file"
    assert answer.headers.get("Cross-Origin-Resource-Policy") == "cross-origin", (
        f"Cross-Origin-Resource-Policy is {answer.headers.get('Cross-Origin-Resource-Policy')}: a client at another "
        "origin cannot show media"
    )


@pytest.mark.requirement("MED-022")
async def test_a_part_is_that_part_or_the_whole(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Bob asks for some bytes in the middle of a file. He gets just these as 206, with their place, or all as 200."""
    content = secrets.token_bytes(1000)
    media = await upload(alice, content, content_type="video/mp4")
    answer = await bob.request("GET", media.path, headers={"Range": f"bytes={FIRST}-{LAST}"})
    evidence("status", answer.status_code)
    if answer.status_code == httpx.codes.PARTIAL_CONTENT:
        place = f"bytes {FIRST}-{LAST}/{len(content)}"
        assert answer.headers.get("Content-Range") == place, (
            f"206 for {place} with Content-Range {answer.headers.get('Content-Range')}: a player sews the wrong parts"
        )
        assert answer.content == content[FIRST : LAST + 1], f"{place} are other bytes"
    else:
        assert answer.status_code == httpx.codes.OK, f"{answer.status_code} {answer.text:.200}"
        assert answer.content == content, "200 with other content than the whole file"


@pytest.mark.requirement("MED-022")
async def test_the_head_says_what_the_answer_is(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """HEAD and GET of a file and of its thumbnail agree on type, length and disposition; HEAD has no body."""
    media = await upload(alice, halves(SIDE, SIDE), content_type="image/png", filename="square.png")
    for path, asked in ((media.path, {}), (media.thumbnail_path, BOXES[0].parameters)):
        head = await bob.request("HEAD", path, params=asked)
        whole = await bob.request("GET", path, params=asked)
        told = {
            name: head.headers.get(name) for name in ("Content-Type", "Content-Disposition", "Content-Length")
        }
        evidence(path, told)
        assert head.is_success, f"HEAD {path}: {head.status_code}"
        assert not head.content, f"HEAD {path} has a body of {len(head.content)} bytes"
        assert told == {name: whole.headers.get(name) for name in told}, f"HEAD {path} says {told}"
        assert told["Content-Length"] == str(len(whole.content)), f"GET {path}: {len(whole.content)} bytes"


def directives(answer: httpx.Response) -> set[str]:
    """The parts of Cache-Control, in lower case."""
    return {each.strip().lower() for each in answer.headers.get("Cache-Control", "").split(",")}


def asks_each_time(told: set[str]) -> bool:
    """Whether a cache that many share keeps nothing, or asks the server each time (RFC 9111, 5.2.2)."""
    if told & {"private", "no-store", "no-cache"}:
        return True
    return "s-maxage=0" in told and bool(told & {"proxy-revalidate", "must-revalidate"})


@pytest.mark.requirement("MED-023")
async def test_no_shared_cache_gives_media_away(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """A file and its thumbnail may only be shown to who is logged in. So a cache between must ask the server each time,
    or keep nothing."""
    media = await upload(alice, halves(SIDE, SIDE), content_type="image/png")
    for answer in (await download(bob, media), await thumbnail(bob, media, BOXES[0])):
        told = directives(answer)
        evidence(answer.request.url.path, sorted(told))
        assert asks_each_time(told), f"{answer.request.url.path}: a shared cache may keep it: {sorted(told)}"


@pytest.mark.requirement("MED-023")
async def test_a_copy_is_good_only_for_who_may_have_it(
    alice: MatrixClient, bob: MatrixClient, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """Bob has a copy and asks whether it is still good: it is, without a body, or comes again. A stranger who asks with
    the same tag is not even told that."""
    content = halves(SIDE, SIDE)
    media = await upload(alice, content, content_type="image/png")
    tag = (await download(bob, media)).headers.get("ETag", '"none"')
    again = await bob.request("GET", media.path, headers={"If-None-Match": tag})
    stranger = await http.get(media.path, headers={"If-None-Match": tag})
    evidence("status", {"bob": again.status_code, "a stranger": stranger.status_code})
    fresh = (again.status_code, again.content)
    assert fresh in ((httpx.codes.NOT_MODIFIED, b""), (httpx.codes.OK, content)), (
        f"with the tag {tag}: {again.status_code} and {len(again.content)} bytes"
    )
    assert stranger.status_code == httpx.codes.UNAUTHORIZED, f"without a token: {stranger.status_code}"


@pytest.mark.requirement("MED-023")
async def test_that_there_is_nothing_is_not_kept(alice: MatrixClient, evidence: Evidence) -> None:
    """What is not there yet may be there later: nobody keeps that answer."""
    server = server_of(alice)
    answer = await download(alice, Media(f"mxc://{server}/{secrets.token_hex(12)}"))
    evidence("Cache-Control", sorted(directives(answer)))
    assert answer.status_code == httpx.codes.NOT_FOUND, f"{answer.status_code} {answer.text:.200}"
    assert "no-store" in directives(answer), f"404 may be kept: {sorted(directives(answer))}"
