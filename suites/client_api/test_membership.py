"""Who may let whom in and out, and what one who left keeps."""

import uuid
from dataclasses import dataclass

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import MatrixClient
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.clients import NewUser
from fixtures.plugins.evidence import Evidence

MODERATED = {"invite": 50}
"""Power levels: like the others of these acts, an invitation is for moderators."""


@dataclass(frozen=True)
class Act:
    """One thing that is done to somebody: what they are before, and after."""

    before: str
    after: str


ACTS = {
    "invite": Act("leave", "invite"),
    "kick": Act("join", "leave"),
    "ban": Act("join", "ban"),
    "unban": Act("ban", "leave"),
}


@pytest.mark.requirement("CLI-018")
@pytest.mark.parametrize("act", ACTS)
async def test_only_who_has_the_power_moves_others(
    act: str, alice: MatrixClient, bob: MatrixClient, new_user: NewUser, evidence: Evidence
) -> None:
    """Precondition: Alice's room, with Bob as a member. To Carol the same is done by a stranger and by Bob, who are
    forbidden, and by Alice, who may; Carol then is what Alice made her."""
    carol, stranger = await new_user("carol"), await new_user("stranger")
    room = await alice.create_room(preset="public_chat", power_level_content_override=MODERATED)
    await bob.join(room)
    if ACTS[act].before in ("join", "ban"):
        await carol.join(room)
    if ACTS[act].before == "ban":
        await rooms.act(alice, room, "ban", carol.user_id)
    answers = {
        name: (await rooms.act(user, room, act, carol.user_id)).status_code
        for name, user in {"stranger": stranger, "member": bob, "owner": alice}.items()
    }
    found = await rooms.membership(alice, room, carol.user_id)
    evidence("answers", answers | {"afterwards": found})
    assert answers == {
        "stranger": httpx.codes.FORBIDDEN,
        "member": httpx.codes.FORBIDDEN,
        "owner": httpx.codes.OK,
    }, f"POST /{act} of Carol: {answers}; does each request go out under the token that came with it?"
    assert found == ACTS[act].after, f"after {act} by the owner Carol is {found}, not {ACTS[act].after}"


@pytest.mark.requirement("CLI-018")
async def test_who_is_banned_stays_out(alice: MatrixClient, bob: MatrixClient, evidence: Evidence) -> None:
    """Precondition: a public room that Bob was banned from. He may not join, until the ban is lifted."""
    room = await alice.create_room(preset="public_chat")
    await bob.join(room)
    await rooms.act(alice, room, "ban", bob.user_id)
    banned = await rooms.act(bob, room, "join")
    await rooms.act(alice, room, "unban", bob.user_id)
    lifted = await rooms.act(bob, room, "join")
    evidence("answers", {"banned": banned.status_code, "lifted": lifted.status_code})
    assert banned.status_code == httpx.codes.FORBIDDEN, (
        f"POST /join by a banned user: {banned.status_code} {banned.text:.200}"
    )
    assert lifted.is_success, f"POST /join after the ban was lifted: {lifted.status_code} {lifted.text:.200}"


@pytest.mark.requirement("CLI-018")
async def test_an_invitation_that_was_declined_is_over(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Bob is invited to a private room. He declines, and then may not join."""
    room = await alice.create_room(preset="private_chat", invite=[bob.user_id])
    declined = await rooms.act(bob, room, "leave")
    joined = await rooms.act(bob, room, "join")
    evidence("answers", {"leave": declined.status_code, "join": joined.status_code})
    assert declined.is_success, f"POST /leave of an invitation: {declined.status_code} {declined.text:.200}"
    assert joined.status_code == httpx.codes.FORBIDDEN, (
        f"POST /join after the invitation was declined: {joined.status_code} {joined.text:.200}"
    )


@pytest.mark.requirement("CLI-019")
async def test_a_room_is_forgotten_by_who_left(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Bob may not forget a room while he is in it. He leaves, and still reads it; he forgets it, and does not read it
    any more. Invited again, he joins, and reads it."""
    room, body = await shared_room(alice, bob), uuid.uuid4().hex
    await alice.send(room, body)
    early = await rooms.act(bob, room, "forget")
    await rooms.act(bob, room, "leave")
    assert body in (await rooms.history(bob, room)).text, "Bob does not read the room that he left"

    async def forgotten() -> bool:
        answer = await rooms.act(bob, room, "forget")
        if answer.is_error:
            raise NotYet(f"POST /forget: {answer.status_code} {answer.text:.200}")
        return True

    await eventually(forgotten, within=Budget.DELIVERY, label="the room that was left can be forgotten")

    async def refused() -> int:
        answer = await rooms.history(bob, room)
        if answer.is_success:
            raise NotYet(f"/messages: {answer.status_code}; is there a cache between, or behind?")
        return answer.status_code

    status = await eventually(
        refused, within=Budget.DELIVERY, label="/messages of a room that was forgotten is refused"
    )
    await alice.invite(room, bob.user_id)
    await bob.join(room)
    again = await rooms.history(bob, room)
    evidence("answers", {"early": early.status_code, "forgotten": status, "again": again.status_code})
    assert early.status_code == httpx.codes.BAD_REQUEST, (
        f"POST /forget by a member: {early.status_code} {early.text:.200}"
    )
    assert status == httpx.codes.FORBIDDEN, f"/messages of a room that was forgotten: {status}"
    assert body in again.text, f"/messages after joining again: {again.status_code} {again.text:.200}"
