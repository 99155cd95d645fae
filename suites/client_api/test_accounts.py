"""What a user may change about an account, and what that ends."""

import secrets
from dataclasses import dataclass

import httpx
import pytest

from fixtures.clients.accounts import SHARED_SECRET, Account, ask_for_account, register
from fixtures.clients.interactive import change_password, confirmed
from fixtures.clients.plain import MatrixClient, MatrixError, log_in
from fixtures.clients.tokens import refused_everywhere, taken_everywhere
from fixtures.deployment.interface import Absent, Deployment
from fixtures.plugins.evidence import Evidence

DEACTIVATE = "/_matrix/client/v3/account/deactivate"


@dataclass(frozen=True)
class Owner:
    """A new account and two devices that are logged in to it."""

    account: Account
    device: MatrixClient
    other: MatrixClient

    async def change_password(self, **options: bool) -> str:
        """A new password, asked for by the first device and confirmed with the old one."""
        return await change_password(self.device, self.account.password, **options)


@pytest.fixture
async def owner(deployment: Deployment, http: httpx.AsyncClient) -> Owner:
    """A new user with two devices."""
    account = await register(deployment, "alice")
    devices = [await log_in(http, account.user_id, account.password) for _ in range(2)]
    return Owner(account, *devices)


@pytest.mark.requirement("CLI-011")
async def test_a_new_password_logs_other_devices_out(
    deployment: Deployment, http: httpx.AsyncClient, owner: Owner, evidence: Evidence
) -> None:
    """Precondition: each process has taken the other device's token. After the change all refuse it, and the old
    password; the device that made the change stays, and the new password is taken."""
    await taken_everywhere(deployment, owner.other.access_token)
    new = await owner.change_password()
    evidence(
        "answers to the other device",
        await refused_everywhere(deployment, owner.other.access_token, why="after the password was changed"),
    )
    await taken_everywhere(deployment, owner.device.access_token)
    with pytest.raises(MatrixError, match="M_FORBIDDEN"):
        await log_in(http, owner.account.user_id, owner.account.password)
    assert (await log_in(http, owner.account.user_id, new)).user_id == owner.account.user_id


@pytest.mark.requirement("CLI-011")
async def test_a_new_password_leaves_other_devices_that_are_to_stay(
    deployment: Deployment, owner: Owner
) -> None:
    """Precondition: two devices. The password is changed with `logout_devices` false: every process takes both."""
    await owner.change_password(logout_devices=False)
    for device in (owner.device, owner.other):
        await taken_everywhere(deployment, device.access_token)


@pytest.mark.requirement("CLI-012")
async def test_nobody_deactivates_an_account_without_its_password(
    deployment: Deployment, http: httpx.AsyncClient, owner: Owner, evidence: Evidence
) -> None:
    """Precondition: a device that is logged in. Deactivation with a wrong password is refused, and nothing ended."""
    answer = await confirmed(owner.device, "POST", DEACTIVATE, secrets.token_urlsafe(16), body={})
    evidence("answer", {"status": answer.status_code, "errcode": answer.json().get("errcode")})
    assert answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN), (
        f"POST {DEACTIVATE} with a wrong password: {answer.status_code} {answer.text:.200}"
    )
    await taken_everywhere(deployment, owner.other.access_token)
    assert (await log_in(http, owner.account.user_id, owner.account.password)).user_id


@pytest.mark.requirement("CLI-012")
async def test_an_account_that_was_deactivated_is_over(
    deployment: Deployment, http: httpx.AsyncClient, owner: Owner, evidence: Evidence
) -> None:
    """Precondition: each process has taken both tokens. After the deactivation all refuse them, nobody logs in with
    the password any more, and the name is not given to anybody else."""
    for device in (owner.device, owner.other):
        await taken_everywhere(deployment, device.access_token)
    answer = await confirmed(owner.device, "POST", DEACTIVATE, owner.account.password, body={})
    assert answer.is_success, f"POST {DEACTIVATE}: {answer.status_code} {answer.text:.200}"
    for device in (owner.device, owner.other):
        await refused_everywhere(deployment, device.access_token, why="after the deactivation")
    with pytest.raises(MatrixError) as refusal:
        await log_in(http, owner.account.user_id, owner.account.password)
    taken = await ask_again(deployment, owner.account)
    evidence("refusals", {"log-in": str(refusal.value), "the name again": taken.json()})
    assert refusal.value.status == httpx.codes.FORBIDDEN, f"a log-in after the deactivation: {refusal.value}"
    assert taken.json()["errcode"] == "M_USER_IN_USE", (
        f"the name of a deactivated account is to be had again: {taken.status_code} {taken.text:.200}"
    )


async def ask_again(deployment: Deployment, account: Account) -> httpx.Response:
    """What Synapse says to a registration by an administrator under a name that was used before."""
    secret = await deployment.secret(SHARED_SECRET)
    assert not isinstance(secret, Absent), f"no account can be asked for: {secret}"
    localpart = account.user_id[1:].partition(":")[0]
    return await ask_for_account(deployment, secret.strip(), localpart, secrets.token_urlsafe(16))
