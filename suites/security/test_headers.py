"""What answers tell a browser to do, and what they do not tell."""

import httpx
import pytest

from fixtures.clients.media import upload
from fixtures.clients.plain import MatrixClient
from fixtures.deployment.interface import Deployment
from fixtures.plugins.evidence import Evidence

YEAR_S = 365 * 24 * 60 * 60

ANSWERS = {
    "of the main process": "/_matrix/key/v2/server",
    "of a worker": "/_matrix/client/versions",
    "a page for people": "/_matrix/static/client/login/",
    "an error of Synapse": "/_matrix/client/v3/account/whoami",
    "an error of HAProxy": "/nothing",
    "a refusal of HAProxy": "/_synapse/admin/v1/register",
}

DANGEROUS = ("text/html", "image/svg+xml", "application/xhtml+xml", "application/javascript", "text/xml")
"""Types of content in which a browser would run what a stranger wrote."""


@pytest.mark.requirement("SEC-005")
@pytest.mark.parametrize("what", ANSWERS)
async def test_every_answer_protects_its_reader(
    what: str, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """An answer through the front door: TLS for a year, no guessing of types, no referrer, no name of the server."""
    answer = await http.get(ANSWERS[what])
    evidence("headers", dict(answer.headers))
    seen, remedy = f"GET {ANSWERS[what]} ({answer.status_code})", "see http-after-response in 30-front.cfg"
    policy = answer.headers.get("Strict-Transport-Security", "")
    ages = [int(part.removeprefix("max-age=")) for part in policy.split("; ") if part.startswith("max-age=")]
    assert ages, f"{seen}: no max-age in Strict-Transport-Security {policy!r}; {remedy}"
    assert ages[0] >= YEAR_S, f"{seen}: {ages[0]} s of TLS are promised, {YEAR_S} are needed; {remedy}"
    for header, value in (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")):
        assert answer.headers.get(header) == value, f"{seen}: {header} is not {value}; {remedy}"
    assert "Server" not in answer.headers, f"{seen}: says that it is {answer.headers['Server']}; {remedy}"


@pytest.mark.requirement("SEC-006")
@pytest.mark.parametrize("content_type", [*DANGEROUS, "image/png"])
async def test_media_cannot_harm_who_opens_them(
    content_type: str, deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Alice uploads a file of some type and downloads it, with and without a name of her choice.

    Expected: a sandbox, use from other origins allowed, and what could run a script is saved instead of shown.
    """
    media = await upload(alice, b"<script>alert(1)</script>", content_type=content_type)
    for path in (media.path, f"{media.path}/page.html"):
        answer = await alice.request("GET", path)
        headers, seen = answer.headers, f"{content_type} at {path}"
        evidence(path, dict(headers))
        assert answer.is_success, f"{seen}: {answer.status_code} {answer.text:.200}"
        policy = [part.strip() for part in headers.get("Content-Security-Policy", "").split(";")]
        for part in ("sandbox", "default-src 'none'", "script-src 'none'"):
            assert part in policy, (
                f"{seen}: no {part} in Content-Security-Policy; do not touch it at the edge"
            )
        assert headers.get("Cross-Origin-Resource-Policy") == "cross-origin", (
            f"{seen}: Cross-Origin-Resource-Policy is {headers.get('Cross-Origin-Resource-Policy')}"
        )
        assert headers.get("X-Content-Type-Options") == "nosniff", f"{seen}: a browser may guess another type"
        kind = headers.get("Content-Disposition", "").partition(";")[0]
        expected = "attachment" if content_type in DANGEROUS else "inline"
        assert kind == expected, f"{seen}: Content-Disposition is {kind or 'missing'}, not {expected}"
