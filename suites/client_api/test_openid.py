"""Tokens by which a user shows another service who is asking: a call service, a widget, an identity server."""

from urllib.parse import quote

import httpx
import pytest

from fixtures.clients.plain import Json, MatrixClient, accepted
from fixtures.clients.servers import server_of
from fixtures.plugins.evidence import Evidence

USERINFO = "/_matrix/federation/v1/openid/userinfo"


def request_token(user: MatrixClient) -> str:
    """Where a user asks for one."""
    return f"/_matrix/client/v3/user/{quote(user.user_id)}/openid/request_token"


async def who_is(http: httpx.AsyncClient, token: str) -> httpx.Response:
    """What a service is told that asks with a token it was given; it signs nothing, and has no access token."""
    return await http.get(USERINFO, params={"access_token": token})


@pytest.mark.requirement("CLI-072")
async def test_a_service_learns_who_asks(
    http: httpx.AsyncClient, alice: MatrixClient, evidence: Evidence
) -> None:
    """Alice gets a token and hands it on: through the front door, without a signature, the service is told her user
    id. The token says at which server to ask, and for how long."""
    given: Json = await alice.call("POST", request_token(alice), json={})
    told = accepted(f"GET {USERINFO}", await who_is(http, given["access_token"]))
    evidence("the token", {key: value for key, value in given.items() if key != "access_token"})
    assert told == {"sub": alice.user_id}
    assert given["matrix_server_name"] == server_of(alice)
    assert given["expires_in"] > 0


@pytest.mark.requirement("CLI-072")
async def test_such_a_token_is_good_for_nothing_else(
    http: httpx.AsyncClient, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """A service that holds Alice's token does not get at her account by it. Her access token tells it nothing, nor does
    one that nobody gave, or none; and Bob gets no token in her name."""
    given = await alice.call("POST", request_token(alice), json={})
    bearer = {"Authorization": f"Bearer {given['access_token']}"}
    answers = {
        "her account by the token": await http.get("/_matrix/client/v3/account/whoami", headers=bearer),
        "her name by her access token": await who_is(http, alice.access_token),
        "her name by a token that nobody gave": await who_is(http, given["access_token"][::-1]),
        "her name without a token": await http.get(USERINFO),
        "a token for her": await bob.request("POST", request_token(alice), json={}),
    }
    seen = {what: answer.status_code for what, answer in answers.items()}
    evidence("answers", seen)
    forbidden = {"a token for her": httpx.codes.FORBIDDEN}
    assert seen == {what: forbidden.get(what, httpx.codes.UNAUTHORIZED) for what in answers}
