"""The devices of a user, and how they are taken away: by their owner only, with the password, and at every process."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients.accounts import Account, register
from fixtures.clients.interactive import confirmed
from fixtures.clients.plain import Json, MatrixClient, log_in
from fixtures.clients.tokens import refused_everywhere, taken_everywhere
from fixtures.deployment.interface import Deployment
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence

DEVICES = "/_matrix/client/v3/devices"
ONE_OR_SEVERAL = pytest.mark.parametrize("number", [1, 2], ids=["one", "several"])


@dataclass(frozen=True)
class Owner:
    """A new account, the device that is asked by, and two more."""

    account: Account
    device: MatrixClient
    others: tuple[MatrixClient, ...]

    async def taken_away(
        self, devices: Sequence[MatrixClient], *, password: str | None = None
    ) -> httpx.Response:
        """What the first device is answered, which takes these away and confirms it with the password."""
        ids = [each.device_id for each in devices]
        method, path, body = "POST", "/_matrix/client/v3/delete_devices", Json(devices=ids)
        if len(ids) == 1:
            method, path, body = "DELETE", f"{DEVICES}/{quote(ids[0])}", Json()
        return await confirmed(self.device, method, path, password or self.account.password, body=body)


@pytest.fixture
async def owner(deployment: Deployment, http: httpx.AsyncClient) -> Owner:
    """A new user with three devices."""
    account = await register(deployment, "alice")
    device, *others = [await log_in(http, account.user_id, account.password) for _ in range(3)]
    return Owner(account, device, tuple(others))


async def listed(user: MatrixClient) -> set[str]:
    """The ids of the user's devices."""
    return {each["device_id"] for each in (await user.call("GET", DEVICES))["devices"]}


@pytest.mark.requirement("CLI-066")
@ONE_OR_SEVERAL
async def test_devices_that_are_taken_away_are_logged_out(
    number: int, deployment: Deployment, owner: Owner, evidence: Evidence
) -> None:
    """Precondition: each process has taken the tokens of all three devices. The first one takes others away: every
    process refuses theirs, the list of devices has them no more, and the devices that stay go on."""
    away, stay = owner.others[:number], (owner.device, *owner.others[number:])
    for device in (*away, *stay):
        await taken_everywhere(deployment, device.access_token)
    answer = await owner.taken_away(away)
    assert answer.is_success, f"{number} devices are not taken away: {answer.status_code} {answer.text:.200}"
    for device in away:
        refusals = await refused_everywhere(deployment, device.access_token, why="of the device taken away")
        evidence(f"answers to {device.device_id}", refusals)

    async def those_that_stay() -> set[str]:
        if (found := await listed(owner.device)) != {device.device_id for device in stay}:
            raise NotYet(f"the devices are {sorted(found)}")
        return found

    await eventually(those_that_stay, within=Budget.DELIVERY, label="the list has the devices that stay")
    for device in stay:
        await taken_everywhere(deployment, device.access_token)


@pytest.mark.requirement("CLI-066")
@ONE_OR_SEVERAL
async def test_nobody_takes_a_device_away_without_the_password(
    number: int, deployment: Deployment, owner: Owner, evidence: Evidence
) -> None:
    """A device that was found unlocked, right after its log-in, and a guessed password: refused, and nothing ended."""
    away = owner.others[:number]
    answer = await owner.taken_away(away, password="guessed")
    evidence("answer", {"status": answer.status_code, "errcode": answer.json().get("errcode")})
    assert answer.is_client_error, (
        f"{number} devices are taken away with a wrong password: {answer.text:.200}"
    )
    assert {device.device_id for device in away} <= await listed(owner.device)
    for device in away:
        await taken_everywhere(deployment, device.access_token)


@pytest.mark.requirement("CLI-066")
@ONE_OR_SEVERAL
async def test_nobody_takes_away_what_is_of_another(
    number: int, deployment: Deployment, owner: Owner, bob: MatrixClient, evidence: Evidence
) -> None:
    """The ids of Bob's device, and of two, in a request that its sender confirms: whatever is answered, Bob stays."""
    answer = await owner.taken_away((bob,) * number)
    evidence("answer", {"status": answer.status_code, "errcode": answer.json().get("errcode")})
    assert not answer.is_server_error, f"another's device is asked away: {answer.status_code}"
    await taken_everywhere(deployment, bob.access_token)
    assert bob.device_id in await listed(bob)
