"""How a log-in may be written, and what it is refused for."""

import secrets
from collections.abc import Callable

import httpx
import pytest

from fixtures.clients.accounts import Account, register
from fixtures.clients.plain import MatrixError, log_in
from fixtures.deployment.interface import Deployment
from fixtures.plugins.evidence import Evidence

LOGIN = "/_matrix/client/v3/login"

SPELLINGS: dict[str, Callable[[str], str]] = {
    "user id": lambda user_id: user_id,
    "localpart": lambda user_id: user_id[1:].partition(":")[0],
    "localpart in capitals": lambda user_id: user_id[1:].partition(":")[0].upper(),
}


@pytest.fixture
async def account(deployment: Deployment) -> Account:
    """An account that nobody has logged in to."""
    return await register(deployment, "alice")


@pytest.mark.requirement("CLI-009")
async def test_the_password_is_among_the_ways_to_log_in(http: httpx.AsyncClient, evidence: Evidence) -> None:
    """GET /login, as a client does before it shows anything. The password is one of the flows."""
    answer = await http.get(LOGIN)
    assert answer.is_success, f"GET {LOGIN}: {answer.status_code} {answer.text:.200}"
    flows = [flow["type"] for flow in answer.json()["flows"]]
    evidence("flows", flows)
    assert "m.login.password" in flows, (
        f"GET {LOGIN} offers {flows}: no client shows a field for the password; set password_config.enabled to true"
    )


@pytest.mark.requirement("CLI-009")
@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_a_user_is_known_however_the_name_is_written(
    spelling: str, http: httpx.AsyncClient, account: Account, evidence: Evidence
) -> None:
    """Precondition: an account. A log-in with its name, written as people write it, is the account's."""
    name = SPELLINGS[spelling](account.user_id)
    user = await log_in(http, name, account.password)
    evidence("logged in", {"as": name, "is": user.user_id})
    assert user.user_id == account.user_id, f"{name} logged in as {user.user_id}, not as {account.user_id}"


@pytest.mark.requirement("CLI-009")
async def test_a_device_keeps_the_id_that_it_names(
    http: httpx.AsyncClient, account: Account, evidence: Evidence
) -> None:
    """Precondition: an account. The log-in names a device: /login and /account/whoami say that very id."""
    wanted = f"DEVICE{secrets.token_hex(4).upper()}"
    device = await log_in(http, account.user_id, account.password, device_id=wanted)
    found = {"login": device.device_id, "whoami": (await device.whoami())["device_id"]}
    evidence("device ids", found)
    assert set(found.values()) == {wanted}, (
        f"the client asked to be {wanted}, it is {found}: its keys are another device's"
    )


@pytest.mark.requirement("CLI-009")
async def test_a_wrong_password_is_forbidden(
    http: httpx.AsyncClient, account: Account, evidence: Evidence
) -> None:
    """Precondition: an account. A log-in with another password is 403 M_FORBIDDEN, with the right one it is taken."""
    with pytest.raises(MatrixError) as refusal:
        await log_in(http, account.user_id, secrets.token_urlsafe(16))
    evidence("refusal", str(refusal.value))
    assert (refusal.value.status, refusal.value.errcode) == (httpx.codes.FORBIDDEN, "M_FORBIDDEN"), (
        f"a wrong password was not refused as such: {refusal.value}"
    )
    assert (await log_in(http, account.user_id, account.password)).user_id == account.user_id
