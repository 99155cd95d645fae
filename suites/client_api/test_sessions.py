"""Logging in and out, and who may not."""

import secrets

import httpx
import pytest

from fixtures.clients.accounts import localpart, register
from fixtures.clients.plain import MatrixClient, MatrixError, log_in
from fixtures.clients.tokens import answers, refused_everywhere, taken_everywhere
from fixtures.deployment.interface import Deployment
from fixtures.plugins.evidence import Evidence

UNKNOWN_TOKEN = "M_UNKNOWN_TOKEN"

Devices = tuple[MatrixClient, MatrixClient]

GUESSES = 10
"""CLI-008: how many wrong guesses at most are answered as such."""


@pytest.fixture
async def devices(deployment: Deployment, http: httpx.AsyncClient) -> Devices:
    """Two devices of a new user."""
    account = await register(deployment, "alice")
    first = await log_in(http, account.user_id, account.password)
    return first, await log_in(http, account.user_id, account.password)


@pytest.mark.requirement("CLI-002")
async def test_every_process_knows_who_logged_in(
    deployment: Deployment, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """Precondition: an account. After a password login each Synapse process, asked directly, knows the user."""
    account = await register(deployment, "alice")
    user = await log_in(http, account.user_id, account.password)
    found = await answers(deployment, user.access_token)
    evidence("answers", {name: answer.status_code for name, answer in found.items()})
    for name, answer in found.items():
        assert answer.is_success, f"whoami at {name}: {answer.status_code} {answer.text:.200}"
        assert answer.json()["user_id"] == account.user_id, f"whoami at {name}: {answer.text:.200}"


@pytest.mark.requirement("CLI-003")
async def test_no_process_knows_who_logged_out(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: each Synapse process has taken the token, so it may remember it. After the logout all refuse it."""
    await taken_everywhere(deployment, alice.access_token)
    await alice.logout()
    refusals = await refused_everywhere(deployment, alice.access_token, why="after the logout")
    evidence("answers after the logout", refusals)
    assert set(refusals.values()) == {UNKNOWN_TOKEN}, (
        f"a client is not told to log in again, but {refusals}; it must be {UNKNOWN_TOKEN}"
    )


@pytest.mark.requirement("CLI-010")
async def test_a_logout_ends_one_device(deployment: Deployment, evidence: Evidence, devices: Devices) -> None:
    """Precondition: a user with two devices. One logs out. The other's token is still taken by every process."""
    leaving, staying = devices
    await leaving.logout()
    await refused_everywhere(deployment, leaving.access_token, why="of the device that logged out")
    found = await answers(deployment, staying.access_token)
    evidence("answers to the other device", {name: answer.status_code for name, answer in found.items()})
    for name, answer in found.items():
        assert answer.is_success, (
            f"whoami of the other device at {name}: {answer.status_code} {answer.text:.200}; /logout must end one "
            "device only: is it routed and passed on as it came?"
        )


@pytest.mark.requirement("CLI-010")
async def test_a_logout_of_all_ends_every_device(
    deployment: Deployment, evidence: Evidence, devices: Devices
) -> None:
    """Precondition: each process has taken the tokens of two devices. One asks for /logout/all: both are refused."""
    for device in devices:
        await taken_everywhere(deployment, device.access_token)
    await devices[0].logout_all()
    for device in devices:
        refusals = await refused_everywhere(deployment, device.access_token, why="after /logout/all")
        evidence(f"answers to {device.device_id}", refusals)


@pytest.mark.requirement("CLI-007")
async def test_a_stranger_cannot_make_an_account(
    deployment: Deployment, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """Without any token: POST /register with a name and a password, in one step as bots do. It is forbidden."""
    answer = await http.post(
        "/_matrix/client/v3/register",
        json={
            "username": localpart(deployment, "stranger"),
            "password": secrets.token_urlsafe(16),
            "auth": {"type": "m.login.dummy"},
        },
    )
    evidence("answer", {"status": answer.status_code, "error": answer.json().get("error")})
    assert answer.status_code == httpx.codes.FORBIDDEN, (
        f"POST /register by a stranger: {answer.status_code}; set enable_registration to false"
    )


@pytest.mark.requirement("CLI-008")
async def test_guessing_a_password_is_stopped(
    deployment: Deployment, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """Precondition: an account. Wrong passwords are refused as wrong, until the guessing itself is refused (429)."""
    account = await register(deployment, "alice")
    refusals = []
    for _ in range(GUESSES + 1):
        with pytest.raises(MatrixError) as refusal:
            await log_in(http, account.user_id, secrets.token_urlsafe(16))
        refusals.append(refusal.value.errcode)
        if refusal.value.status == httpx.codes.TOO_MANY_REQUESTS:
            break
    evidence("refusals", refusals)
    assert refusals[0] == "M_FORBIDDEN", (
        f"the first wrong password was refused as {refusals[0]}, not as wrong"
    )
    assert refusals[-1] == "M_LIMIT_EXCEEDED", (
        f"{len(refusals)} wrong passwords were tried and none was one too many; lower rc_login.failed_attempts"
    )
