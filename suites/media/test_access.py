"""Who may upload and download, and how much."""

import json
import secrets

import httpx
import pytest

from fixtures.clients.announced import announce
from fixtures.clients.media import UPLOAD, upload
from fixtures.clients.plain import MatrixClient
from fixtures.deployment.interface import Deployment
from fixtures.plugins.evidence import Evidence

MIB = 1024 * 1024
MOST = {UPLOAD: 100 * MIB, "/_matrix/client/v3/createRoom": 25 * MIB // 2}
"""Bytes that the server takes at most, by path: manifests/main-instance/03-haproxy/README.md."""


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
