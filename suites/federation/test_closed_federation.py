"""A federation that an operator closes, for all other servers or for those that are not on a list."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients.plain import MatrixClient
from fixtures.clients.server_keys import published
from fixtures.clients.servers import Parties, ask_to_enter, delivered, enter, public_room, server_of
from fixtures.deployment.edge import everything_in_rotation
from fixtures.deployment.interface import Deployment
from fixtures.deployment.patch import Patch
from fixtures.deployment.roles import Role
from fixtures.peers.fake import FakeServer
from fixtures.peers.meeting import PROFILE
from fixtures.plugins.evidence import Evidence

CHANGED: Final = (Role.SYNAPSE_MAIN, Role.GENERIC_WORKER, Role.FEDERATION_SENDER)


def only(*servers: str) -> Patch:
    """What an operator writes who wants these other servers and no more."""
    setting = f"federation_domain_whitelist: [{', '.join(map(repr, servers))}]\n"
    edit = {"configmap": "synapse-conf.d", "file": "80-closed.yaml", "new": setting}
    return Patch.model_validate({"edits": [edit]})


@asynccontextmanager
async def closed(deployment: Deployment, *but: str) -> AsyncIterator[None]:
    """No other servers but these inside the block. HAProxy asks no process that does not know it yet, or does still."""
    async with deployment.variant(only(*but)):
        await everything_in_rotation(deployment)
        yield
    await everything_in_rotation(deployment)


@pytest.mark.requirement("FED-024")
@pytest.mark.slow
@pytest.mark.disruptive(*CHANGED)
async def test_a_closed_federation_says_so_at_once(
    deployment: Deployment,
    http: httpx.AsyncClient,
    alice: MatrixClient,
    carol: MatrixClient,
    evidence: Evidence,
) -> None:
    """Nobody else's server is wanted. Rooms are there on both sides; neither side gets into the other's, each is told
    within the time of a request; what is ours goes on, our keys too."""
    _, ours = await public_room(alice)
    _, theirs = await public_room(carol)
    async with closed(deployment):
        answers = {
            "ours into theirs": await joins(alice, theirs),
            "theirs into ours": await joins(carol, ours),
        }
        keys = await published(http)
        await alice.send(await alice.create_room(), "to myself")
    answers["theirs into ours, open again"] = again = await joins(carol, ours)
    told = {who: {"status": each.status_code, **each.json()} for who, each in answers.items()}
    evidence("answers", told)
    assert answers["ours into theirs"].is_error, f"our user gets into a room of another server: {told}"
    assert answers["theirs into ours"].is_error, f"a user of another server gets into our room: {told}"
    assert keys["server_name"] == server_of(alice), f"our keys are {keys}"
    assert again.is_success, f"nothing is proved: without the setting it is the same: {told}"


async def joins(user: MatrixClient, room: str) -> httpx.Response:
    """POST /join; the answer whatever its status."""
    return await user.request("POST", f"/_matrix/client/v3/join/{quote(room)}", json={})


@pytest.mark.requirement("FED-069")
@pytest.mark.slow
@pytest.mark.disruptive(*CHANGED)
async def test_servers_that_are_not_on_the_list_are_kept_out(
    deployment: Deployment, alice: MatrixClient, carol: MatrixClient, fake: FakeServer, evidence: Evidence
) -> None:
    """Carol's server is on the list, bob's is not. Carol comes into alice's room, and they write to each other. Bob
    does not come in, his server is told nothing, and alice does not get into its room. Without the list they do."""
    bob, home = fake.user("bob"), server_of(alice)
    ours, _ = await public_room(alice)
    theirs = await fake.create_room(bob)
    profile = f"{PROFILE}?user_id={quote(alice.user_id)}"

    async def tried() -> dict[str, int]:
        return {
            "bob into alice's room": (await fake.join(home, ours, bob))["status"],
            "bob's server asks for her profile": (await fake.request(home, "GET", profile))["status"],
            "alice into bob's room": (await ask_to_enter(alice, theirs, fake.name)).status_code,
        }

    async with closed(deployment, server_of(carol)):
        await enter(Parties(alice, carol), ours)
        times = [
            await delivered(alice, carol, ours, "to carol"),
            await delivered(carol, alice, ours, "to alice"),
        ]
        listed = await tried()
    open_again = await tried()
    evidence("seconds to and from the server on the list", times)
    evidence("of the server that is not on it", {"with the list": listed, "without": open_again})
    let_in = {what: status for what, status in listed.items() if status < 400}
    assert not let_in, f"of a server that is not on the list: {let_in}"
    assert set(open_again.values()) == {200}, (
        f"nothing is proved: without the list it is the same: {open_again}"
    )
