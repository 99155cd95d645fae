"""Access tokens that end soon, and the tokens that renew them."""

import uuid
from dataclasses import replace

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.accounts import Account, register
from fixtures.clients.plain import Json, MatrixClient, accepted
from fixtures.clients.tokens import taken_everywhere
from fixtures.deployment.interface import Deployment
from fixtures.plugins.evidence import Evidence

LOGIN = "/_matrix/client/v3/login"
REFRESH = "/_matrix/client/v3/refresh"


@pytest.mark.requirement("CLI-013")
async def test_a_refresh_token_is_taken_once(
    deployment: Deployment, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """Precondition: a log-in that asked for a refresh token, whose access token has an end. It is renewed, and each
    process takes the new one. From then on the old refresh token is refused.

    The old access token is no part of it: Synapse lets it live to its end, which comes soon.
    """
    old = await renewable(http, await register(deployment, "alice"))
    given, lifetime_ms = sorted(old), old.get("expires_in_ms", 0)  # no token in a traceback
    evidence("the log-in gave", given)
    assert "refresh_token" in given, (
        f"POST {LOGIN} gave {given}: tokens cannot be renewed here; leave refreshable_access_token_lifetime as "
        "Synapse has it"
    )
    assert lifetime_ms > 0, (
        f"POST {LOGIN} gave {given}: an access token that is to be renewed says when it ends"
    )

    new = await renewed(http, old["refresh_token"])
    assert new.is_success, f"POST {REFRESH}: {new.status_code} {new.json().get('error')}"
    device = MatrixClient(http, old["user_id"], old["device_id"], new.json()["access_token"])
    await taken_everywhere(deployment, device.access_token)
    assert (await device.whoami())["device_id"] == old["device_id"], "the new token is another device's"

    again = await renewed(http, old["refresh_token"])
    evidence("the old refresh token again", {"status": again.status_code, "error": again.json().get("error")})
    assert again.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN), (
        f"a refresh token was taken twice: {again.status_code}; whoever found it is now the same device"
    )
    assert (await renewed(http, new.json()["refresh_token"])).is_success, "the new refresh token is refused"


@pytest.mark.requirement("CLI-046")
async def test_a_transaction_is_known_under_the_new_token(
    deployment: Deployment, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """A device sends, renews its token, and sends again with the same transaction id, as if no answer had come: it is
    the same event, and the room holds one."""
    old = await renewable(http, await register(deployment, "alice"))
    device = MatrixClient(http, old["user_id"], old["device_id"], old["access_token"])
    room, body, transaction = await device.create_room(), uuid.uuid4().hex, uuid.uuid4().hex
    first = await device.send(room, body, transaction=transaction)
    new = accepted(f"POST {REFRESH}", await renewed(http, old["refresh_token"]))
    again = await replace(device, access_token=new["access_token"]).send(room, body, transaction=transaction)
    held = rooms.bodies(await device.messages(room)).count(body)
    evidence("events", {"first": first, "under the new token": again, "in the room": held})
    assert (again, held) == (first, 1), (
        f"transaction {transaction} of one device is {first}, under its new token {again}, and {held} times in the "
        "room; an id is the device's, not the token's: does the edge change it?"
    )


async def renewable(http: httpx.AsyncClient, account: Account) -> Json:
    """What a log-in gives that asked for a refresh token."""
    body = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": account.user_id},
        "password": account.password,
        "refresh_token": True,
    }
    return accepted(f"POST {LOGIN}", await http.post(LOGIN, json=body))


async def renewed(http: httpx.AsyncClient, refresh_token: str) -> httpx.Response:
    """POST /refresh."""
    return await http.post(REFRESH, json={"refresh_token": refresh_token})
