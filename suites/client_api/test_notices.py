"""What the server itself tells its users."""

import uuid
from dataclasses import replace
from typing import Final
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.accounts import MAIN, administrator
from fixtures.clients.plain import Json, MatrixClient, inside_client
from fixtures.clients.syncing import brought
from fixtures.deployment.interface import Deployment
from fixtures.deployment.patch import Patch
from fixtures.deployment.roles import CLIENT_ROLES
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence

NOTICES: Final = "/_synapse/admin/v1/send_server_notice"

SWITCHED_ON: Final = Patch.model_validate(
    {
        "edits": [
            {
                "configmap": "synapse-conf.d",
                "file": "80-notices.yaml",
                "new": "server_notices: {system_mxid_localpart: notices, room_name: Notices of the server}\n",
            }
        ]
    }
)
"""What an operator writes who wants to tell users something; nothing is shipped of it."""


@pytest.mark.requirement("CLI-067")
@pytest.mark.slow
@pytest.mark.disruptive(*CLIENT_ROLES)
async def test_a_notice_of_the_server_comes_once(
    deployment: Deployment, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Notices are switched on. Bob, who is no administrator, may send none. An administrator sends Alice one twice with
    one transaction id, and another one: she is invited to a room of the server's, and has each there once."""
    words = [uuid.uuid4().hex for _ in range(2)]
    async with deployment.variant(SWITCHED_ON), inside_client(deployment, MAIN) as inside:
        admin = await administrator(deployment, "admin", inside)
        refusal = await replace(bob, http=inside).request("POST", NOTICES, json=notice(alice, words[0]))
        same = [await sent(admin, alice, words[0], "once") for _ in range(2)]
        room = await brought(alice, invited_by_server, label="the invitation to the room of notices")
        await alice.join(room)
        other = await sent(admin, alice, words[1], "again")

        async def both() -> list[str]:
            found = rooms.bodies(await alice.messages(room))
            if not set(words) <= set(found):
                raise NotYet(f"of {words} the room has {found}")
            return found

        found = await eventually(both, within=Budget.DELIVERY, label="the notices are in the room")
    evidence("notices", {"events": [*same, other], "in the room": found, "by a user": refusal.status_code})
    assert refusal.status_code == httpx.codes.FORBIDDEN, (
        f"a notice of a user: {refusal.status_code} {refusal.text:.200}"
    )
    assert same[0] == same[1] != other, f"one transaction id is the events {same}, another one {other}"
    assert found == words[::-1], f"sent were {words}, and the room has {found}"


def notice(user: MatrixClient, text: str) -> Json:
    """What the server says to a user."""
    return {"user_id": user.user_id, "content": {"msgtype": "m.text", "body": text}}


async def sent(admin: MatrixClient, user: MatrixClient, text: str, transaction: str) -> str:
    """PUT a notice; the id of its event."""
    answer = await admin.call("PUT", f"{NOTICES}/{quote(transaction)}", json=notice(user, text))
    event: str = answer["event_id"]
    return event


def invited_by_server(answer: Json) -> str | None:
    """The room that an answer of /sync has an invitation of the server's to."""
    for room, invitation in answer.get("rooms", {}).get("invite", {}).items():
        if any(event["sender"].startswith("@notices:") for event in invitation["invite_state"]["events"]):
            return str(room)
    return None
