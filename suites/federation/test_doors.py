"""How other servers find us, know us, and are let in."""

import dataclasses
import time
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients.plain import http_client
from fixtures.clients.server_keys import PATH as KEYS
from fixtures.clients.server_keys import is_signed, public_key, published
from fixtures.deployment.interface import Absent, Deployment, SecretRef
from fixtures.deployment.waiting import Budget
from fixtures.plugins.evidence import Evidence

DOORS: Final = ("port", "federation_port")
WELL_KNOWN: Final = "/.well-known/matrix/server"
ROOM, EVENT, USER = quote("!room:matrix.test"), quote("$event"), quote("@somebody:matrix.test")

FOR_SERVERS: Final = {
    ("PUT", "/_matrix/federation/v1/send/1"),
    ("GET", f"/_matrix/federation/v1/event/{EVENT}"),
    ("GET", f"/_matrix/federation/v1/state/{ROOM}"),
    ("GET", f"/_matrix/federation/v1/state_ids/{ROOM}"),
    ("GET", f"/_matrix/federation/v1/backfill/{ROOM}"),
    ("GET", f"/_matrix/federation/v1/event_auth/{ROOM}/{EVENT}"),
    ("GET", f"/_matrix/federation/v1/timestamp_to_event/{ROOM}"),
    ("GET", f"/_matrix/federation/v1/hierarchy/{ROOM}"),
    ("GET", "/_matrix/federation/v1/query/profile"),
    ("GET", "/_matrix/federation/v1/query/directory"),
    ("GET", f"/_matrix/federation/v1/user/devices/{USER}"),
    ("POST", "/_matrix/federation/v1/user/keys/query"),
    ("POST", "/_matrix/federation/v1/user/keys/claim"),
    ("POST", f"/_matrix/federation/v1/get_missing_events/{ROOM}"),
    ("GET", f"/_matrix/federation/v1/make_join/{ROOM}/{USER}"),
    ("GET", f"/_matrix/federation/v1/make_leave/{ROOM}/{USER}"),
    ("GET", f"/_matrix/federation/v1/make_knock/{ROOM}/{USER}"),
    ("PUT", f"/_matrix/federation/v2/send_join/{ROOM}/{EVENT}"),
    ("PUT", f"/_matrix/federation/v2/send_leave/{ROOM}/{EVENT}"),
    ("PUT", f"/_matrix/federation/v1/send_knock/{ROOM}/{EVENT}"),
    ("PUT", f"/_matrix/federation/v2/invite/{ROOM}/{EVENT}"),
    ("GET", "/_matrix/federation/v1/media/download/some"),
    ("GET", "/_matrix/federation/v1/media/thumbnail/some?width=32&height=32"),
}
"""Server-server API: what takes the signature of a server."""


@pytest.fixture(params=DOORS)
async def door(request: pytest.FixtureRequest, deployment: Deployment) -> AsyncIterator[httpx.AsyncClient]:
    """Either port at which other servers may come in."""
    front = deployment.front()
    async with http_client(dataclasses.replace(front, port=getattr(front, request.param))) as http:
        yield http


@pytest.mark.requirement("FED-020")
async def test_our_key_is_the_one_that_signs(
    door: httpx.AsyncClient, deployment: Deployment, evidence: Evidence
) -> None:
    """Anybody asks for our keys, at both ports: among them is that of the Secret, the answer is signed by it in our
    name, and holds for longer than a request takes."""
    signing_key = await deployment.secret(SecretRef("synapse-signing-key", "signing.key"))
    assert not isinstance(signing_key, Absent), signing_key
    name, key = public_key(signing_key)
    told, server_name = await published(door), deployment.front().server_name
    valid_for_s = told["valid_until_ts"] / 1000 - time.time()
    evidence("keys", {**told, "valid for seconds": round(valid_for_s)})
    assert told["server_name"] == server_name, f"the keys are of {told['server_name']}"
    assert told["verify_keys"].get(name, {}).get("key") == key, f"{name} is not among {told['verify_keys']}"
    assert is_signed(told, server_name, name, key), (
        f"the answer is not signed by {name}: {told['signatures']}"
    )
    assert valid_for_s > Budget.REQUEST.seconds(), f"the keys are valid for {valid_for_s:.0f} s"


@pytest.mark.requirement("FED-021")
async def test_who_asks_is_told_where_we_are(
    http: httpx.AsyncClient, deployment: Deployment, evidence: Evidence
) -> None:
    """At port 443 of our name another server learns where to go, and there is our server."""
    answer = await http.get(WELL_KNOWN)
    evidence("answer", {"status": answer.status_code, "body": answer.text[:200]})
    assert answer.status_code == httpx.codes.OK, f"GET {WELL_KNOWN}: {answer.status_code} {answer.text[:200]}"
    front = deployment.front()
    assert answer.json() == {"m.server": f"{front.server_name}:443"}, f"the answer is {answer.json()}"
    assert (await published(http))["server_name"] == front.server_name


@pytest.mark.requirement("FED-023")
async def test_who_does_not_sign_is_not_let_in(door: httpx.AsyncClient, evidence: Evidence) -> None:
    """Every request of the server-server API without a signature, at both ports: each is refused as not
    authenticated. What anybody may ask is answered."""
    control = [await door.get(path) for path in ("/_matrix/federation/v1/version", KEYS)]
    answers = {
        f"{method} {path}": await door.request(method, path, json=None if method == "GET" else {})
        for method, path in sorted(FOR_SERVERS)
    }
    told = {request: (answer.status_code, answer.text[:100]) for request, answer in answers.items()}
    evidence("answers", told)
    assert all(answer.is_success for answer in control), [answer.status_code for answer in control]
    let_in = {request: answer for request, answer in told.items() if answer[0] != httpx.codes.UNAUTHORIZED}
    assert not let_in, f"without a signature, not refused as unauthorized: {let_in}"
