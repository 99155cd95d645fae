"""Spaces: what is in them, and whom they let into rooms."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import Json, MatrixClient
from fixtures.clients.spaces import SPACE, add
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.clients import NewUser
from fixtures.plugins.evidence import Evidence

PAGE = 2
"""How many rooms a client asks for."""


def members_of(space: str, rule: str = "restricted") -> list[Json]:
    """A join rule that lets in who is in the space."""
    content = {"join_rule": rule, "allow": [{"type": "m.room_membership", "room_id": space}]}
    return [{"type": "m.room.join_rules", "content": content}]


@dataclass(frozen=True)
class Company:
    """A space of Alice's, invited into by her, with what is in it; rooms by what they are for."""

    space: str
    lobby: str  # anybody may join; suggested
    office: str  # a space in the space
    desk: str  # in the office; open to who is in the company
    board: str  # by invitation only


@pytest.fixture
async def company(alice: MatrixClient) -> Company:
    """The space, its rooms in the order of their names here."""
    space = await alice.create_room(preset="private_chat", name="company", creation_content=SPACE)
    lobby = await alice.create_room(preset="public_chat", name="lobby")
    office = await alice.create_room(preset="public_chat", name="office", creation_content=SPACE)
    desk = await alice.create_room(initial_state=members_of(space), name="desk")
    board = await alice.create_room(preset="private_chat", name="board")
    await add(alice, space, lobby, order="a", suggested=True)
    await add(alice, space, office, order="b")
    await add(alice, space, board, order="c")
    await add(alice, office, desk)
    return Company(space, lobby, office, desk, board)


async def pages(user: MatrixClient, space: str, **parameters: str) -> AsyncIterator[list[str]]:
    """The rooms below a space as the user is shown them, page by page."""
    path, position = rooms.path(space, "hierarchy", version="v1"), dict[str, str]()
    while True:
        answer = await user.call("GET", path, params={**parameters, **position})
        yield [entry["room_id"] for entry in answer["rooms"]]
        if "next_batch" not in answer:
            return
        position = {"from": answer["next_batch"]}


async def below(user: MatrixClient, space: str, **parameters: str) -> list[str]:
    """All rooms below a space as the user is shown them."""
    return [room async for page in pages(user, space, **parameters) for room in page]


@pytest.mark.requirement("CLI-055")
async def test_a_space_shows_what_one_may_see(
    company: Company, alice: MatrixClient, bob: MatrixClient, new_user: NewUser, evidence: Evidence
) -> None:
    """Precondition: Alice's company, of which Bob is a member. He is shown all but the room of the invited, and she
    that one, too; he one less when he asks one level deep, the suggested one alone, pages that are no longer than he
    asks, and a stranger nothing at all."""
    carol = await new_user("carol")
    await alice.invite(company.space, bob.user_id)
    await bob.join(company.space)
    whole = [company.space, company.lobby, company.office, company.desk]

    async def all_of_it() -> list[str]:
        if (found := await below(bob, company.space)) != whole:
            raise NotYet(f"shown are {found}, expected {whole}")
        return found

    await eventually(all_of_it, within=Budget.DELIVERY, label="Bob is shown what is in the space")
    shown = {
        "to Alice": company.board in await below(alice, company.space),
        "one level": await below(bob, company.space, max_depth="1"),
        "suggested": await below(bob, company.space, suggested_only="true"),
    }
    paged = [page async for page in pages(bob, company.space, limit=str(PAGE))]
    stranger = await carol.request("GET", rooms.path(company.space, "hierarchy", version="v1"))
    evidence("shown", {**shown, "in pages": paged, "to a stranger": stranger.status_code})
    assert shown == {
        "to Alice": True,
        "one level": whole[:-1],
        "suggested": [company.space, company.lobby],
    }, f"{company}: shown are {shown}"
    assert [room for page in paged for room in page] == whole, f"{whole} in pages of {PAGE} are {paged}"
    assert max(map(len, paged)) == PAGE, f"pages of {PAGE} rooms are {paged}"
    assert stranger.status_code == httpx.codes.FORBIDDEN, (
        f"a stranger asks what is in the company: {stranger.status_code} {stranger.text:.200}"
    )


@pytest.mark.requirement("CLI-056")
async def test_who_is_in_the_space_joins_its_rooms(
    company: Company, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: a room that is open to who is in the company. Bob may not join it, is invited to the company, and
    joins it. He leaves both: he may not join it any more."""
    before = await rooms.act(bob, company.desk, "join")
    await alice.invite(company.space, bob.user_id)
    await bob.join(company.space)

    async def let_in() -> int:
        answer = await rooms.act(bob, company.desk, "join")
        if answer.is_error:
            raise NotYet(f"{answer.status_code} {answer.text:.200}")
        return answer.status_code

    within = await eventually(let_in, within=Budget.DELIVERY, label="who is in the space joins its room")
    for room in (company.desk, company.space):
        await rooms.act(bob, room, "leave")

    async def kept_out() -> int:
        answer = await rooms.act(bob, company.desk, "join")
        if answer.is_success:
            await rooms.act(bob, company.desk, "leave")
            raise NotYet("he who left the space joins its room")
        return answer.status_code

    after = await eventually(kept_out, within=Budget.DELIVERY, label="who left the space is kept out")
    evidence("joins", {"before": before.status_code, "within": within, "after": after})
    assert before.status_code == after == httpx.codes.FORBIDDEN, (
        f"a room for those in the company: {before.status_code} before, {after} after"
    )


@pytest.mark.requirement("CLI-057")
async def test_a_knock_is_taken_back_or_refused(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: a room at which one may knock. Bob knocks and takes it back: he is out. He knocks again, and Alice
    refuses: he is out, may not join, and may knock once more."""
    rule = [{"type": "m.room.join_rules", "content": {"join_rule": "knock"}}]
    room = await alice.create_room(initial_state=rule)
    is_now = [await knock(bob, room, alice)]
    await rooms.act(bob, room, "leave")
    is_now.append(await rooms.membership(alice, room, bob.user_id))
    is_now.append(await knock(bob, room, alice))
    await rooms.act(alice, room, "kick", bob.user_id)
    is_now.append(await rooms.membership(alice, room, bob.user_id))
    joined = await rooms.act(bob, room, "join")
    is_now.append(await knock(bob, room, alice))
    evidence("Bob is", {"in turn": is_now, "join when refused": joined.status_code})
    assert is_now == ["knock", "leave", "knock", "leave", "knock"], (
        f"Bob knocks, takes it back, knocks, is refused, knocks: he is {is_now}"
    )
    assert joined.status_code == httpx.codes.FORBIDDEN, f"who was refused joins: {joined.status_code}"


@pytest.mark.requirement("CLI-057")
async def test_one_knocks_at_a_room_or_comes_with_the_space(
    alice: MatrixClient, bob: MatrixClient, new_user: NewUser, evidence: Evidence
) -> None:
    """Precondition: a space with Bob in it, and a room for its members at which others may knock. Bob joins, Carol may
    not, and knocks."""
    carol = await new_user("carol")
    space = await shared_room(alice, bob)
    room = await alice.create_room(room_version="10", initial_state=members_of(space, "knock_restricted"))
    outside = await rooms.act(carol, room, "join")
    inside = await rooms.act(bob, room, "join")
    waiting = await knock(carol, room, alice)
    evidence("answers", {"Bob": inside.status_code, "Carol": outside.status_code, "she is": waiting})
    assert inside.is_success, f"who is in the space joins: {inside.status_code} {inside.text:.200}"
    assert outside.status_code == httpx.codes.FORBIDDEN, f"who is not, joins: {outside.status_code}"
    assert waiting == "knock", f"Carol knocked, and is {waiting}"


async def knock(user: MatrixClient, room: str, member: MatrixClient) -> str:
    """POST /knock; what the user then is to the room, as a member sees it."""
    await user.call("POST", f"/_matrix/client/v3/knock/{room}", json={})
    return await rooms.membership(member, room, user.user_id)
