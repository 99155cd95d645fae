"""Profiles, field by field: what is said, what is taken back, and by whom."""

import uuid
from functools import partial
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import Json, MatrixClient, at
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence

NAME, PICTURE, OWN = "displayname", "avatar_url", "test.conformance.motto"
"""The two that every room shows, and one that nobody knows (client-server API, profiles, extra fields)."""


def profile(user: MatrixClient, *field: str) -> str:
    """The path of the profile, or of one of its fields."""
    return "/".join(("/_matrix/client/v3/profile", quote(user.user_id), *field))


def some(field: str) -> str:
    """A value for it that was not there before."""
    return f"mxc://conformance.test/{uuid.uuid4().hex}" if field == PICTURE else uuid.uuid4().hex


async def told_everywhere(deployment: Deployment, reader: MatrixClient, of: MatrixClient) -> dict[str, Json]:
    """The profile as each generic worker tells it, which read it and change it; who says nothing has none (404)."""
    found = {}
    for pod in await deployment.pods(Role.GENERIC_WORKER):
        async with at(deployment, pod, reader) as there:
            answer = await there.request("GET", profile(of))
            found[pod.name] = {} if answer.status_code == httpx.codes.NOT_FOUND else answer.json()
    return found


@pytest.mark.requirement("CLI-068")
@pytest.mark.parametrize("field", [NAME, PICTURE, OWN])
async def test_what_one_says_is_told_until_it_is_taken_back(
    field: str, deployment: Deployment, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice and Bob share a room. She says something of herself: Bob is told it as a field, and as part
    of the profile at each worker. She takes it back, and no worker tells it any more."""
    await shared_room(alice, bob)
    value, path = some(field), profile(alice, field)
    await alice.call("PUT", path, json={field: value})

    async def told() -> Json:
        found = await told_everywhere(deployment, bob, alice)
        if any(each.get(field) != value for each in found.values()):
            raise NotYet(f"{value} is to be told, and the workers tell {found}")
        return await bob.call("GET", path)

    by_itself = await eventually(told, within=Budget.DELIVERY, label=f"each worker tells {field}")
    await alice.call("DELETE", path)

    async def gone() -> httpx.Response:
        found = await told_everywhere(deployment, bob, alice)
        if any(field in each for each in found.values()):
            raise NotYet(f"the workers tell {found}")
        return await bob.request("GET", path)

    after = await eventually(gone, within=Budget.DELIVERY, label=f"no worker tells {field}")
    evidence(field, {"told": by_itself, "taken back": [after.status_code, after.json()]})
    assert by_itself == {field: value}, f"GET {path}: {by_itself}"
    assert field not in after.json(), f"{field} was taken back, and is told: {after.text:.200}"


@pytest.mark.requirement("CLI-068")
@pytest.mark.parametrize("field", [NAME, PICTURE])
async def test_rooms_show_what_one_says_and_forget_what_is_taken_back(
    field: str, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Alice says something of herself that rooms show: the one that she shares with Bob shows it to him. She takes it
    back: the room shows nothing."""
    room, value, path = await shared_room(alice, bob), some(field), profile(alice, field)

    async def shown(wanted: str | None) -> Json:
        found = await rooms.state(bob, room, "m.room.member", alice.user_id)
        if found.get(field) != wanted:
            raise NotYet(f"it shows {found.get(field)}")
        return found

    await alice.call("PUT", path, json={field: value})
    before = await eventually(partial(shown, value), within=Budget.DELIVERY, label=f"the room shows {field}")
    await alice.call("DELETE", path)
    after = await eventually(partial(shown, None), within=Budget.DELIVERY, label=f"the room shows no {field}")
    evidence("member", {"before": before, "after": after})
    assert after["membership"] == "join", f"with her {field} Alice has left the room: {after}"


@pytest.mark.requirement("CLI-068")
@pytest.mark.parametrize("field", [NAME, PICTURE, OWN])
async def test_nobody_says_it_for_another(
    field: str, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice has said something of herself. Bob, who shares a room with her, writes over it and takes it
    away: both are forbidden, and it is as she said."""
    await shared_room(alice, bob)
    value, path = some(field), profile(alice, field)
    await alice.call("PUT", path, json={field: value})
    refusals = {
        "PUT": await bob.request("PUT", path, json={field: some(field)}),
        "DELETE": await bob.request("DELETE", path),
    }
    evidence("refusals", {method: [each.status_code, each.json()] for method, each in refusals.items()})
    for method, answer in refusals.items():
        assert answer.json().get("errcode") == "M_FORBIDDEN", (
            f"{method} {path} by another: {answer.status_code} {answer.text:.200}"
        )
    assert (await alice.call("GET", path))[field] == value
