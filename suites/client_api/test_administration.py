"""What those who look after the server lean on: who was here from where, and what they take away."""

import uuid
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import Json, MatrixClient
from fixtures.clients.tasks import completed
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence

V1 = "/_synapse/admin/v1"
V2 = "/_synapse/admin/v2"


async def refused(user: MatrixClient, method: str, path: str, **options: Any) -> None:
    """AssertionError when somebody who is no administrator may do it, at the process that does it for those who are."""
    answer = await user.request(method, path, **options)
    assert answer.status_code == httpx.codes.FORBIDDEN, (
        f"{method} {path} by a user: {answer.status_code} {answer.text:.200}"
    )


@pytest.mark.requirement("CLI-058")
async def test_an_administrator_sees_where_a_user_is(
    deployment: Deployment, alice: MatrixClient, admin: MatrixClient, evidence: Evidence
) -> None:
    """A client of Alice's with a name of its own asks the front door. The administrator is told of that client, and of
    an address that is not the edge's own."""
    name = f"conformance/{uuid.uuid4().hex}"
    await alice.call("GET", "/_matrix/client/v3/account/whoami", headers={"User-Agent": name})
    path = f"{V1}/whois/{quote(alice.user_id)}"

    async def seen() -> Json:
        answer = await admin.call("GET", path)
        sessions = [each for device in answer["devices"].values() for each in device["sessions"]]
        found: list[Json] = [each for session in sessions for each in session["connections"]]
        if not (of_client := [each for each in found if each["user_agent"] == name]):
            raise NotYet(f"the connections are {found}")
        return of_client[0]

    connection = await eventually(seen, within=Budget.DELIVERY, label=f"whois shows the client {name}")
    edge = {pod.address for pod in await deployment.pods(Role.HAPROXY)}
    evidence("connection", {**connection, "addresses of the edge": sorted(edge)})
    assert connection["ip"] not in edge, (
        f"whois says that Alice comes from {connection['ip']}, which is the edge; does it tell who asks (forwardfor), "
        "and do workers believe it (x_forwarded)?"
    )


@pytest.mark.requirement("CLI-059")
async def test_a_history_is_purged_up_to_an_event(
    alice: MatrixClient, bob: MatrixClient, admin: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice and Bob share a room with two old messages and a new one. The administrator purges up to the
    new one: the purge says that it is complete, the old ones are gone for both, and the room goes on."""
    room = await shared_room(alice, bob)
    old = [await alice.send(room, text) for text in ("old", "older")]
    kept = await alice.send(room, "kept")
    before = rooms.bodies(await bob.messages(room))
    path, body = (
        f"{V1}/purge_history/{quote(room)}",
        {"purge_up_to_event_id": kept, "delete_local_events": True},
    )
    at_main = MatrixClient(admin.http, bob.user_id, bob.device_id, bob.access_token)
    await refused(at_main, "POST", path, json=body)
    begun = await admin.call("POST", path, json=body)
    status = f"{V1}/purge_history_status/{begun['purge_id']}"
    await completed(admin, status, within=Budget.ADMINISTRATION, label=f"{room} is purged")

    async def gone() -> dict[str, list[str]]:
        found = {user.user_id: rooms.bodies(await user.messages(room)) for user in (alice, bob)}
        if any(texts != ["kept"] for texts in found.values()):
            raise NotYet(f"the room holds {found}")
        return found

    after = await eventually(gone, within=Budget.DELIVERY, label="the old messages are gone")
    single = [(await rooms.event(bob, room, event)).status_code for event in old]
    await bob.send(room, "next")
    on = rooms.bodies(await alice.messages(room))
    evidence("messages", {"before": before, "after": after, "the old ones": single, "next": on})
    assert before == ["kept", "older", "old"], f"the room held {before}: nothing is proved"
    assert set(single) == {httpx.codes.NOT_FOUND}, f"events that were purged are read: {single}"
    assert on == ["next", "kept"], f"after the purge the room holds {on}"


@pytest.mark.requirement("CLI-060")
async def test_a_room_is_deleted_and_stays_closed(
    alice: MatrixClient, bob: MatrixClient, admin: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: a public room of Alice's with Bob in it. The administrator deletes it and blocks its id: the
    deletion says who was put out, both are out, it is not there any more, and nobody comes in."""
    room = await alice.create_room(preset="public_chat")
    await bob.join(room)
    path, how = f"{V2}/rooms/{quote(room)}", {"purge": True, "block": True}
    at_main = MatrixClient(admin.http, alice.user_id, alice.device_id, alice.access_token)
    await refused(at_main, "DELETE", path, json=how)
    begun = await admin.call("DELETE", path, json=how)
    status = f"{V2}/rooms/delete_status/{begun['delete_id']}"
    state = await completed(admin, status, within=Budget.ADMINISTRATION, label=f"{room} is deleted")

    async def out() -> bool:
        inside = [
            user.user_id
            for user in (alice, bob)
            if room in (await user.call("GET", "/_matrix/client/v3/joined_rooms"))["joined_rooms"]
        ]
        if inside:
            raise NotYet(f"{inside} are in it")
        return True

    await eventually(out, within=Budget.DELIVERY, label="everybody is out of the room")
    known = await admin.request("GET", f"{V1}/rooms/{quote(room)}")
    joins = [(await rooms.act(user, room, "join")).status_code for user in (alice, bob)]
    put_out = sorted(state["shutdown_room"]["kicked_users"])
    evidence("the room", {"put out": put_out, "asked for": known.status_code, "joins": joins})
    assert put_out == sorted([alice.user_id, bob.user_id]), f"put out of the room were {put_out}"
    assert known.status_code == httpx.codes.NOT_FOUND, f"the room is still known: {known.text:.200}"
    assert set(joins) == {httpx.codes.FORBIDDEN}, f"a room that was blocked is joined: {joins}"


@pytest.mark.requirement("CLI-060")
async def test_all_that_a_user_wrote_is_redacted(
    alice: MatrixClient, bob: MatrixClient, admin: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice shares two rooms with Bob, and both wrote in each. The administrator redacts what Bob wrote:
    that is complete without a failure, his words are gone in both, and hers are there."""
    where = [await shared_room(alice, bob) for _ in ("one", "other")]
    for room in where:
        await alice.send(room, "hers")
        await bob.send(room, "his")
    path, everywhere = f"{V1}/user/{quote(bob.user_id)}/redact", {"rooms": list[str]()}
    at_main = MatrixClient(admin.http, alice.user_id, alice.device_id, alice.access_token)
    await refused(at_main, "POST", path, json=everywhere)
    begun = await admin.call("POST", path, json=everywhere)
    status = f"{V1}/user/redact_status/{begun['redact_id']}"
    state = await completed(
        admin, status, within=Budget.ADMINISTRATION, label=f"what {bob.user_id} wrote is redacted"
    )

    async def gone() -> list[list[str]]:
        found = [rooms.bodies(await alice.messages(room)) for room in where]
        if any("his" in texts for texts in found):
            raise NotYet(f"the rooms hold {found}")
        return found

    left = await eventually(gone, within=Budget.DELIVERY, label="what Bob wrote is gone for Alice")
    evidence("left", {"in the rooms": left, "failed": state["failed_redactions"]})
    assert state["failed_redactions"] == {}, f"not redacted were {state['failed_redactions']}"
    assert left == [["hers"], ["hers"]], f"only what Bob wrote was to be redacted; the rooms hold {left}"
