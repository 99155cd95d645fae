"""Who may upload and download, and how much."""

import json
import secrets

import httpx
import pytest

from fixtures.clients.announced import announce
from fixtures.clients.media import BOXES, CONFIG, UPLOAD, settings, upload
from fixtures.clients.pictures import halves
from fixtures.clients.plain import MatrixClient
from fixtures.deployment.interface import Deployment
from fixtures.plugins.evidence import Evidence

MIB = 1024 * 1024
MOST = {UPLOAD: 100 * MIB, "/_matrix/client/v3/createRoom": 25 * MIB // 2}
"""Bytes that the server takes at most, by path: manifests/main-instance/03-haproxy/README.md."""

PREVIEWS = ("/_matrix/client/v1/media/preview_url", "/_matrix/media/v3/preview_url")
SIDE = 100


@pytest.mark.requirement("MED-006")
@pytest.mark.parametrize("path", MOST)
async def test_too_much_is_refused_before_it_comes_in(
    path: str, deployment: Deployment, evidence: Evidence
) -> None:
    """The head of a POST announces a byte too many, none follows: 413 at once, with CORS. One less: no answer yet."""
    answers = {
        size: await announce(deployment.front(), "POST", path, {"Content-Length": str(size)})
        for size in (MOST[path], MOST[path] + 1)
    }
    just_fits, too_large = answers.values()
    evidence("status", {size: answer.status if answer else None for size, answer in answers.items()})
    assert just_fits is None, (
        f"POST {path} of {MOST[path]} bytes is refused with {just_fits and just_fits.status}"
    )
    assert too_large is not None, f"POST {path} of {MOST[path] + 1} bytes is let in; bound it in 30-front.cfg"
    assert too_large.status == httpx.codes.REQUEST_ENTITY_TOO_LARGE, f"refused with {too_large.status}"
    assert json.loads(too_large.body)["errcode"] == "M_TOO_LARGE", f"refused with {too_large.body!r}"
    assert too_large.headers.get("access-control-allow-origin") == "*", "a browser may not read the refusal"


@pytest.mark.requirement("MED-007")
async def test_without_a_token_there_are_no_media(
    alice: MatrixClient, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """Precondition: Alice can download what she uploaded. Without a token uploading and both ways to download fail."""
    content = secrets.token_bytes(1000)
    media = await upload(alice, content, content_type="text/plain")
    own = await alice.request("GET", media.path)
    assert own.content == content, f"Alice herself gets {own.status_code}: nothing is proved"
    answers = {
        "upload": await http.post(UPLOAD, content=content),
        "download": await http.get(media.path),
        "deprecated download": await http.get(media.unauthenticated_path),
    }
    evidence("answers without a token", {what: answer.status_code for what, answer in answers.items()})
    for what, answer in answers.items():
        # The deprecated path knows of no tokens: it says that there is nothing.
        expected = httpx.codes.NOT_FOUND if what.startswith("deprecated") else httpx.codes.UNAUTHORIZED
        assert answer.status_code == expected, (
            f"{what} without a token: {answer.status_code} {answer.text:.200}"
        )


@pytest.mark.requirement("MED-016")
async def test_without_a_token_there_is_nothing_of_a_picture(
    alice: MatrixClient, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """A picture. Without a token its thumbnail, its download under a name, the limits and previews are refused; by the
    deprecated paths, which know of no tokens, there is nothing, with one neither."""
    media = await upload(alice, halves(SIDE, SIDE), content_type="image/png")
    small = str(httpx.QueryParams(BOXES[0].parameters))
    new = (f"{media.thumbnail_path}?{small}", f"{media.path}/picture.png")
    old = [path.replace("/_matrix/client/v1/media/", "/_matrix/media/v3/") for path in (*new, media.path)]
    for path in new:
        own = await alice.request("GET", path)
        assert own.is_success, f"Alice herself gets {own.status_code} for {path}: nothing is proved"
    answers = {path: await http.get(path) for path in (*new, *old, CONFIG, *PREVIEWS)}
    answers |= {f"{path}, with a token": await alice.request("GET", path) for path in old}
    evidence("status", {path: answer.status_code for path, answer in answers.items()})
    for path, answer in answers.items():
        gone = path.removesuffix(", with a token") in old
        expected = httpx.codes.NOT_FOUND if gone else httpx.codes.UNAUTHORIZED
        assert answer.status_code == expected, f"GET {path}: {answer.status_code} {answer.text:.200}"
        assert "errcode" in answer.json(), f"GET {path}: no error of Matrix: {answer.text:.200}"


@pytest.mark.requirement("MED-016")
async def test_previews_are_made_only_where_they_are_on(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Where previews of links are off, both paths are unknown; where they are on, one without a link is refused."""
    on = (await settings(deployment)).get("url_preview_enabled", False)
    expected = (400, "M_MISSING_PARAM") if on else (404, "M_UNRECOGNIZED")
    for path in PREVIEWS:
        answer = await alice.request("GET", path)
        evidence(path, answer.status_code)
        assert (answer.status_code, answer.json()["errcode"]) == expected, f"{path}: {answer.text:.200}"


@pytest.mark.requirement("MED-017")
async def test_the_limit_that_is_told_is_the_limit(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """/config tells how large an upload may be. One of that size is let in; one byte more is refused."""
    told = (await alice.call("GET", CONFIG))["m.upload.size"]
    answers = {
        size: await announce(deployment.front(), "POST", UPLOAD, {"Content-Length": str(size)})
        for size in (told, told + 1)
    }
    evidence("status", {size: answer and answer.status for size, answer in answers.items()})
    fits, beyond = answers.values()
    assert fits is None, f"{told} bytes are told and refused with {fits and fits.status}"
    assert beyond is not None, (
        f"{told} bytes are told, one more is let in: 30-front.cfg and 10-media.yaml differ"
    )
    assert json.loads(beyond.body)["errcode"] == "M_TOO_LARGE", f"refused with {beyond.body!r}"


@pytest.mark.requirement("MED-017")
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_an_upload_of_no_length_is_refused_before_it_comes_in(
    method: str, deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """An upload in chunks, of which nobody knows how many will come, is refused by its head, as an error of Matrix."""
    path = UPLOAD if method == "POST" else f"{UPLOAD}/{alice.user_id.partition(':')[2]}/anything"
    head = {"Transfer-Encoding": "chunked", "Authorization": f"Bearer {alice.access_token}"}
    answer = await announce(deployment.front(), method, path, head)
    evidence("status", answer and answer.status)
    assert answer is not None, f"{method} {path}: chunks without end are let in"
    assert answer.status == httpx.codes.LENGTH_REQUIRED, f"{method} {path}: {answer.status} {answer.body!r}"
    assert "errcode" in json.loads(answer.body), f"{method} {path}: no error of Matrix: {answer.body!r}"
