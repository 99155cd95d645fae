"""Logging in and out, and who may not."""

import secrets

import httpx
import pytest

from fixtures.clients.accounts import localpart, register
from fixtures.clients.plain import MatrixClient, MatrixError, inside_client, log_in
from fixtures.deployment.correlation import synapse_pods
from fixtures.deployment.interface import Deployment, Pod
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence

GUESSES = 10
"""CLI-008: how many wrong guesses at most are answered as such."""


async def whoami(deployment: Deployment, pod: Pod, token: str) -> httpx.Response:
    """What one process makes of an access token."""
    async with inside_client(deployment, pod) as inside:
        return await inside.get(
            "/_matrix/client/v3/account/whoami", headers={"Authorization": f"Bearer {token}"}
        )


@pytest.mark.requirement("CLI-002")
async def test_every_process_knows_who_logged_in(
    deployment: Deployment, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """Precondition: an account. After a password login each Synapse process, asked directly, knows the user."""
    account = await register(deployment, "alice")
    user = await log_in(http, account.user_id, account.password)
    answers = {
        pod.name: await whoami(deployment, pod, user.access_token) for pod in await synapse_pods(deployment)
    }
    evidence("answers", {name: answer.status_code for name, answer in answers.items()})
    for name, answer in answers.items():
        assert answer.is_success, f"whoami at {name}: {answer.status_code} {answer.text:.200}"
        assert answer.json()["user_id"] == account.user_id, f"whoami at {name}: {answer.text:.200}"


@pytest.mark.requirement("CLI-003")
async def test_no_process_knows_who_logged_out(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: each Synapse process has taken the token, so it may remember it. After the logout all refuse it."""
    pods = await synapse_pods(deployment)
    for pod in pods:
        assert (await whoami(deployment, pod, alice.access_token)).is_success, (
            f"{pod.name} never took the token"
        )
    await alice.logout()

    async def all_refuse() -> dict[str, int]:
        answers = {pod.name: (await whoami(deployment, pod, alice.access_token)).status_code for pod in pods}
        if any(status != httpx.codes.UNAUTHORIZED for status in answers.values()):
            raise NotYet(f"whoami with the old token: {answers}")
        return answers

    answers = await eventually(all_refuse, within=Budget.DELIVERY, label="every process refuses the token")
    evidence("answers after the logout", answers)


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
