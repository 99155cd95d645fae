"""Thumbnails: of what, how large, from where; and of what none is made."""

from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest

from fixtures.clients.media import BOXES, Box, forget_local_copies, thumbnail, upload
from fixtures.clients.object_store import keys_below
from fixtures.clients.pictures import JPEG, halves, jpeg_size, not_halves, read_png, vast
from fixtures.clients.plain import MatrixClient
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.plugins.evidence import Evidence

WIDE, HIGH = 1000, 500
PNG = "image/png"

VAST = 20_000
"""The sides of a picture in pixels: as colours it would be more than the memory that a media worker has."""


@dataclass(frozen=True)
class Kind:
    """A picture, and the size that its thumbnails say they have."""

    content: bytes
    size: tuple[int, int]
    measure: Callable[[bytes], tuple[int, int]]


def png_size(content: bytes) -> tuple[int, int]:
    """Width and height; ValueError when it is no whole PNG."""
    pixels = read_png(content)
    return pixels.width, pixels.height


KINDS = {
    PNG: Kind(halves(WIDE, HIGH), (WIDE, HIGH), png_size),
    "image/jpeg": Kind(JPEG, jpeg_size(JPEG), jpeg_size),
}

NO_PICTURES = {
    "text": (b"These are words.", "text/plain"),
    "words that are called a picture": (b"These are words.", PNG),
    "the beginning of a picture": (halves(WIDE, HIGH)[:20], PNG),
}


@pytest.mark.requirement("MED-009")
@pytest.mark.parametrize("kind", KINDS)
async def test_a_thumbnail_has_the_size_that_was_asked_for(
    kind: str, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Alice uploads a picture. Of each box that is not larger Bob gets a picture of its type that fills or fits it."""
    picture = KINDS[kind]
    media = await upload(alice, picture.content, content_type=kind)
    boxes = [
        box for box in BOXES if all(a >= b for a, b in zip(picture.size, box.of(*picture.size), strict=True))
    ]
    assert boxes, f"{picture.size} is smaller than every box: nothing is proved"
    for box in boxes:
        answer = await thumbnail(bob, media, box)
        assert answer.is_success, f"thumbnail {box}: {answer.status_code} {answer.text:.200}"
        evidence(str(box), {"type": answer.headers["Content-Type"], "bytes": len(answer.content)})
        assert answer.headers["Content-Type"] == kind, f"{box}: {answer.headers['Content-Type']} of a {kind}"
        seen = picture.measure(answer.content)
        assert seen == box.of(*picture.size), f"{box} of {picture.size} is {seen}"


@pytest.mark.requirement("MED-009")
@pytest.mark.parametrize("box", BOXES, ids=str)
async def test_a_thumbnail_shows_the_picture(box: Box, alice: MatrixClient, bob: MatrixClient) -> None:
    """A picture, red on the left and blue on the right. So is each thumbnail."""
    media = await upload(alice, halves(WIDE, HIGH), content_type=PNG)
    shows_halves(f"{box}", given(await thumbnail(bob, media, box)))


@pytest.mark.requirement("MED-009")
async def test_what_does_not_move_has_a_thumbnail_that_does_not(alice: MatrixClient) -> None:
    """An animated thumbnail of a picture that does not move is asked for: it is that picture."""
    media = await upload(alice, halves(WIDE, HIGH), content_type=PNG)
    asked = BOXES[0].parameters | {"animated": "true"}
    shows_halves("animated", given(await alice.request("GET", media.thumbnail_path, params=asked)))


def given(answer: httpx.Response) -> bytes:
    """The picture of an answer; AssertionError where it is none."""
    assert answer.is_success, f"{answer.request.url}: {answer.status_code} {answer.text:.200}"
    return answer.content


def shows_halves(what: str, content: bytes) -> None:
    """AssertionError unless it is a PNG that is red on the left and blue on the right."""
    wrong = not_halves(read_png(content))
    assert not wrong, f"thumbnail {what}: {'; '.join(wrong)}"


@pytest.mark.requirement("MED-009")
@pytest.mark.parametrize("what", NO_PICTURES)
async def test_what_is_no_picture_has_no_thumbnail(
    what: str, alice: MatrixClient, evidence: Evidence
) -> None:
    """An upload that is no picture, whatever it says, is taken. Its thumbnail is refused, as an error of Matrix."""
    content, kind = NO_PICTURES[what]
    media = await upload(alice, content, content_type=kind)
    answer = await thumbnail(alice, media, BOXES[0])
    evidence("thumbnail", {"status": answer.status_code, "body": answer.text[:200]})
    assert answer.is_client_error, f"thumbnail of {what}: {answer.status_code} {answer.text:.200}"
    assert "errcode" in answer.json(), f"thumbnail of {what}: no error of Matrix: {answer.text:.200}"


@pytest.mark.requirement("MED-010")
async def test_thumbnails_outlive_the_local_copies(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """A picture and its thumbnails, which are in the object store. Without any local copy the same bytes come back."""
    media = await upload(alice, halves(WIDE, HIGH), content_type=PNG)
    before = {box: (await thumbnail(alice, media, box)).content for box in BOXES}
    files = {media.thumbnail_file(box.of(WIDE, HIGH), box.method, "png") for box in BOXES}
    kept = await keys_below(deployment, media.thumbnails)
    evidence("in the object store", kept)
    assert not (missing := files.difference(kept)), f"these are not in the object store: {sorted(missing)}"
    assert await forget_local_copies(deployment, media), f"no media worker had a copy of {media.file}"
    for box in BOXES:
        answer = await thumbnail(alice, media, box)
        assert answer.is_success, f"{box} without local copies: {answer.status_code} {answer.text:.200}"
        assert answer.content == before[box], f"{box} without local copies is another picture"


@pytest.mark.requirement("MED-011")
async def test_a_picture_that_is_too_vast_costs_nothing(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """A small file that would be a vast picture is uploaded. It has no thumbnail, no media worker died of it, and none
    took as much memory as it has pixels."""
    pods = await deployment.pods(Role.MEDIA_REPOSITORY)
    lives = [await deployment.incarnation(pod) for pod in pods]
    peaks = [(await deployment.usage(pod)).peak_bytes for pod in pods]
    media = await upload(alice, vast(VAST), content_type=PNG)
    answer = await thumbnail(alice, media, BOXES[0])
    grown = [
        ((await deployment.usage(pod)).peak_bytes or 0) - (peak or 0)
        for pod, peak in zip(pods, peaks, strict=True)
    ]
    evidence("thumbnail", {"status": answer.status_code, "body": answer.text[:200]})
    evidence("memory peaks grew by", grown)
    assert answer.is_client_error, f"thumbnail of {VAST} x {VAST} pixels: {answer.status_code}"
    assert "errcode" in answer.json(), f"no error of Matrix: {answer.text:.200}"
    assert [await deployment.incarnation(pod) for pod in pods] == lives, "a media worker was restarted"
    assert max(grown) < VAST * VAST, f"a media worker took {max(grown)} bytes more: it read the picture"
