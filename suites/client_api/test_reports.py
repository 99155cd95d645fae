"""Reports: who reads something that should not be there says so, and those who look after the server are told."""

import uuid
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import Json, MatrixClient
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.clients import NewUser
from fixtures.plugins.evidence import Evidence

ADMIN = "/_synapse/admin/v1"
MANY = 10
"""More at once than rc_reports lets through."""


def of_user(user: MatrixClient) -> str:
    """Where a user is reported."""
    return f"/_matrix/client/v3/users/{quote(user.user_id)}/report"


async def only_report(admin: MatrixClient, what: str, **about: str) -> Json:
    """The report that administrators find (`event_reports`, `user_reports`), in full, once there is one."""

    async def come() -> Json:
        found = (await admin.call("GET", f"{ADMIN}/{what}", params=about))[what]
        if len(found) != 1:
            raise NotYet(f"there are {found}")
        return dict(found[0])

    report = await eventually(come, within=Budget.DELIVERY, label=f"one of {what} for {about}")
    return await admin.call("GET", f"{ADMIN}/{what}/{report['id']}")


async def gone(admin: MatrixClient, what: str, report: Json) -> None:
    """Dealt with and deleted: AssertionError when it is still there."""
    path = f"{ADMIN}/{what}/{report['id']}"
    await admin.call("DELETE", path)
    answer = await admin.request("GET", path)
    assert answer.status_code == httpx.codes.NOT_FOUND, f"{path} was deleted: {answer.text:.200}"


def told(report: Json, *fields: str) -> dict[str, Any]:
    """These fields of it."""
    return {field: report.get(field) for field in fields}


@pytest.mark.requirement("CLI-069")
async def test_a_message_is_reported(
    alice: MatrixClient, bob: MatrixClient, admin: MatrixClient, new_user: NewUser, evidence: Evidence
) -> None:
    """Bob writes in a room with Alice, who reports it. Administrators read who reported what, why, and the message.
    Who is not in the room cannot report it, and with that find out that it is there."""
    carol, room, reason = await new_user("carol"), await shared_room(alice, bob), uuid.uuid4().hex
    event = await bob.send(room, "buy this")
    path = rooms.path(room, "report", event)
    by_stranger = await carol.request("POST", path, json={"reason": reason})
    await alice.call("POST", path, json={"reason": reason})
    report = await only_report(admin, "event_reports", room_id=room)
    await gone(admin, "event_reports", report)
    evidence("report", told(report, "user_id", "sender", "event_id", "reason"))
    assert by_stranger.status_code == httpx.codes.NOT_FOUND, (
        f"a stranger reports what she cannot read: {by_stranger.status_code} {by_stranger.text:.200}"
    )
    assert told(report, "user_id", "sender", "event_id", "reason") == {
        "user_id": alice.user_id,
        "sender": bob.user_id,
        "event_id": event,
        "reason": reason,
    }
    assert report["event_json"]["content"]["body"] == "buy this", "the report does not say what was written"


@pytest.mark.requirement("CLI-069")
async def test_a_user_is_reported(
    alice: MatrixClient, bob: MatrixClient, admin: MatrixClient, evidence: Evidence
) -> None:
    """Alice reports Bob: administrators read who reported whom, and why. Whom nobody knows she can report as well, so
    that she does not find out who has an account."""
    reason, nobody = uuid.uuid4().hex, bob.user_id.replace("@", "@nobody-")
    await alice.call("POST", of_user(bob), json={"reason": reason})
    await alice.call("POST", of_user(bob).replace(quote(bob.user_id), quote(nobody)), json={"reason": reason})
    report = await only_report(admin, "user_reports", user_id=alice.user_id)
    await gone(admin, "user_reports", report)
    evidence("report", told(report, "user_id", "target_user_id", "reason"))
    assert told(report, "user_id", "target_user_id", "reason") == {
        "user_id": alice.user_id,
        "target_user_id": bob.user_id,
        "reason": reason,
    }


@pytest.mark.requirement("CLI-069")
async def test_a_room_is_reported(alice: MatrixClient, bob: MatrixClient, evidence: Evidence) -> None:
    """Alice reports a room of Bob's, which she is not in: it is taken. One that is not there is unknown. (Synapse has
    no question by which administrators would read reports of rooms.)"""
    room = await bob.create_room(preset="public_chat")
    await alice.call("POST", rooms.path(room, "report"), json={"reason": "what is said there"})
    unknown = await alice.request(
        "POST", rooms.path("!nothing:conformance.test", "report"), json={"reason": ""}
    )
    evidence("of a room that is not there", [unknown.status_code, unknown.json()])
    assert unknown.status_code == httpx.codes.NOT_FOUND


@pytest.mark.requirement("CLI-069")
async def test_nobody_floods_administrators(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Alice reports Bob again and again: the first time it is taken, and before long she is to wait."""
    answers = [await alice.request("POST", of_user(bob), json={"reason": f"{n}"}) for n in range(MANY)]
    statuses = [answer.status_code for answer in answers]
    evidence("answers", statuses)
    assert statuses[0] == httpx.codes.OK
    assert httpx.codes.TOO_MANY_REQUESTS in statuses, (
        f"{MANY} reports in a row are answered {statuses}; see rc_reports"
    )
