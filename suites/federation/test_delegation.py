"""A server whose name has no port: each process of ours that speaks to others asks it at port 443 where it is."""

import secrets
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final
from urllib.parse import quote

import pytest

from fixtures.clients.media import download, upload
from fixtures.clients.plain import MatrixClient, inside_client
from fixtures.clients.servers import Parties, delivered, meeting, rooms_of
from fixtures.clients.syncing import brought
from fixtures.deployment.interface import Deployment
from fixtures.peers import homeserver
from fixtures.peers.homeserver import Homeserver
from fixtures.peers.placement import CONTROL
from fixtures.peers.placing import new_name
from fixtures.plugins.evidence import Evidence
from fixtures.plugins.peers import Place


@pytest.fixture(scope="module")
async def delegated(deployment: Deployment, place: Place) -> AsyncIterator[Homeserver]:
    """A real homeserver that is nowhere but where it says."""
    wanted = homeserver.placement(new_name("delegated"), delegated=True)
    async with place(wanted) as peer:
        assert ":" not in peer.server_name, f"{peer.server_name} is found by its port"
        yield Homeserver(deployment, wanted, peer)


@pytest.fixture
async def dora(deployment: Deployment, delegated: Homeserver) -> AsyncIterator[MatrixClient]:
    """A user of that server."""
    async with inside_client(deployment, delegated.peer.service, CONTROL) as http:
        yield await delegated.user(http, "dora")


@pytest.mark.requirement("FED-022")
async def test_a_server_that_says_where_it_is_is_found(
    alice: MatrixClient, dora: MatrixClient, evidence: Evidence
) -> None:
    """A user of ours joins a room of that server and writes; its user writes back."""
    room = await meeting(Parties(host=dora, guest=alice))
    seconds = [
        await delivered(alice, dora, room, "there"),
        await delivered(dora, alice, room, "and back"),
    ]
    evidence("seconds", [round(each, 3) for each in seconds])


async def profile(alice: MatrixClient, dora: MatrixClient) -> None:
    """Alice asks what dora is called, with whom she shares a room."""
    await meeting(Parties(host=dora, guest=alice))
    path, name = f"/_matrix/client/v3/profile/{quote(dora.user_id)}", f"Dora {uuid.uuid4().hex[:8]}"
    await dora.call("PUT", f"{path}/displayname", json={"displayname": name})
    found = await alice.call("GET", path)
    assert found.get("displayname") == name, f"dora is called {name!r}, and alice is told {found}"


async def invitation(alice: MatrixClient, dora: MatrixClient) -> None:
    """Alice invites dora: dora's server signs the invitation, and shows it to her."""
    room = await alice.create_room(preset="private_chat")
    await alice.invite(room, dora.user_id)
    await brought(dora, lambda answer: rooms_of(answer, "invite").get(room), label="the invitation")


async def file(alice: MatrixClient, dora: MatrixClient) -> None:
    """Alice asks for a file of dora's."""
    content = secrets.token_bytes(1000)
    answer = await download(alice, await upload(dora, content, content_type="application/pdf"))
    assert answer.content == content, f"dora's file: {answer.status_code} {answer.text:.200}"


SPEAKERS: Final[dict[str, Callable[[MatrixClient, MatrixClient], Awaitable[None]]]] = {
    "a generic worker": profile,
    "an event persister": invitation,
    "a media worker": file,
}
"""Processes that speak to other servers, and what each of them asks; the main process joins, the senders send."""


@pytest.mark.requirement("FED-022")
@pytest.mark.parametrize("speaker", SPEAKERS)
async def test_each_process_that_speaks_to_others_finds_it(
    speaker: str, alice: MatrixClient, dora: MatrixClient
) -> None:
    """What this process has to ask that server for alice is answered."""
    await SPEAKERS[speaker](alice, dora)
