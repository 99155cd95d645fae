"""Whom the server tells of messages while nobody looks, and when it stops."""

import secrets
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients.accounts import register
from fixtures.clients.interactive import change_password
from fixtures.clients.plain import MatrixClient, log_in
from fixtures.deployment.interface import Deployment
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence

PUSHERS = "/_matrix/client/v3/pushers"
APP = "org.example.conformance"

GATEWAY = "https://push.invalid/_matrix/push/v1/notify"
"""Nobody has a name that ends like that (RFC 2606), and nothing is pushed: the users have no rooms."""


async def add(device: MatrixClient) -> str:
    """POST /pushers/set as an app does when it starts; the pushkey."""
    key = secrets.token_urlsafe(16)
    pusher = {
        "kind": "http",
        "app_id": APP,
        "app_display_name": "Conformance",
        "device_display_name": device.device_id,
        "pushkey": key,
        "lang": "en",
        "data": {"url": GATEWAY, "format": "event_id_only"},
    }
    await device.call("POST", f"{PUSHERS}/set", json=pusher)
    return key


async def keys_of(asker: MatrixClient, path: str = PUSHERS) -> set[str]:
    """The pushkeys of the pushers that are listed."""
    return {pusher["pushkey"] for pusher in (await asker.call("GET", path))["pushers"]}


async def listed(asker: MatrixClient, expected: set[str], *, label: str) -> set[str]:
    """The pushkeys as soon as they are those that are expected."""

    async def so() -> set[str]:
        if (found := await keys_of(asker)) != expected:
            raise NotYet(f"{len(found)} are listed, of which {len(found & expected)} should be")
        return found

    return await eventually(so, within=Budget.DELIVERY, label=label)


@pytest.mark.requirement("CLI-048")
async def test_a_pusher_is_listed_until_it_is_taken_away(
    alice: MatrixClient, bob: MatrixClient, admin: MatrixClient, evidence: Evidence
) -> None:
    """Alice's app asks to be told: she has one pusher, the administrator sees it, Bob has none. It asks no longer: she
    has none."""
    assert await keys_of(alice) == set(), "a new user has a pusher"
    key = await add(alice)
    path = f"/_synapse/admin/v1/users/{quote(alice.user_id)}/pushers"
    seen = {
        "Alice": await keys_of(alice),
        "administrator": await keys_of(admin, path),
        "Bob": await keys_of(bob),
    }
    await alice.call("POST", f"{PUSHERS}/set", json={"kind": None, "app_id": APP, "pushkey": key})
    after = await keys_of(alice)
    evidence("pushers", {**{who: len(keys) for who, keys in seen.items()}, "after": len(after)})
    assert seen == {"Alice": {key}, "administrator": {key}, "Bob": set()}, f"one pusher of Alice's: {seen}"
    assert after == set(), "a pusher that was taken away is still there: somebody's telephone goes on ringing"


@pytest.mark.requirement("CLI-048")
@pytest.mark.parametrize("stay", [False, True], ids=["they are logged out", "they stay"])
async def test_a_new_password_ends_the_pushers_of_devices_that_go(
    stay: bool, deployment: Deployment, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """Precondition: two devices, each with a pusher. One changes the password: the other's pusher is gone with its
    session, unless devices are to stay; its own stays."""
    account = await register(deployment, "alice")
    device = await log_in(http, account.user_id, account.password)
    other = await log_in(http, account.user_id, account.password)
    own, of_other = await add(device), await add(other)
    await listed(device, {own, of_other}, label="the pushers of both devices are listed")
    await change_password(device, account.password, logout_devices=not stay)
    expected = {own, of_other} if stay else {own}
    left = await listed(device, expected, label=f"after a new password {len(expected)} pushers are left")
    evidence("left", len(left))
