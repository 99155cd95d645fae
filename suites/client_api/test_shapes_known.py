"""Where Synapse is known to answer in another shape, mostly null for what there is not."""

import uuid
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.accounts import register
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import MatrixClient, log_in
from fixtures.clients.questions import Question, get, post, who_is
from fixtures.clients.shapes.deviations import DEVIATIONS
from fixtures.clients.shapes.judging import faults
from fixtures.clients.shapes.table import V3
from fixtures.deployment.interface import Deployment
from fixtures.deployment.waiting import Budget, NotYet, eventually


def known(*names: str) -> list[Any]:
    """Deviations by name, each with upstream's own record of it."""
    return [
        pytest.param(
            name, marks=pytest.mark.known_deviation(DEVIATIONS[name].link, DEVIATIONS[name].reason), id=name
        )
        for name in names
    ]


async def deviates(name: str, user: MatrixClient, question: Question, within: str) -> None:
    """AssertionError when the answer has the deviation. BudgetExceeded (Budget.DELIVERY): nothing is below a key."""

    async def something() -> httpx.Response:
        answer = await user.answer(question.method, question.path, **question.options)
        if answer.is_error or not any(below(answer.json(), within)):
            raise NotYet(f"{answer.status_code} {answer.text:.200}")
        return answer

    answer = await eventually(something, within=Budget.DELIVERY, label=f"{question.path} has {within}")
    found = faults(question.method, question.path, answer.status_code, answer.content)
    shown = [str(fault) for fault in found if DEVIATIONS[name].covers(fault)]
    assert not shown, "\n".join(shown)


def below(value: Any, key: str) -> Iterator[Any]:
    """What there is under a key, anywhere in an answer."""
    for name, each in value.items() if isinstance(value, dict) else ():
        if name == key:
            yield each
        yield from below(each, key)


@pytest.mark.requirement("CLI-062")
@pytest.mark.parametrize("name", known("a member without an avatar", "a person without an avatar"))
async def test_who_has_no_avatar_is_shown_without(name: str, alice: MatrixClient, bob: MatrixClient) -> None:
    """Alice shares a room with Bob, who has no avatar. There is none in what she reads of him."""
    room = await shared_room(alice, bob)
    asked = {
        "a member without an avatar": (get(rooms.path(room, "joined_members")), "joined"),
        "a person without an avatar": (who_is(bob), "results"),
    }
    await deviates(name, alice, *asked[name])


@pytest.mark.requirement("CLI-062")
@pytest.mark.parametrize("name", known("a group of what was found"))
async def test_groups_of_what_was_found_are_numbered(name: str, alice: MatrixClient) -> None:
    """Alice searches for a message of hers, by room. The order of the groups is a whole number."""
    word = uuid.uuid4().hex
    await alice.send(await alice.create_room(), word)
    wanted = {"search_term": word, "groupings": {"group_by": [{"key": "room_id"}]}}
    await deviates(
        name, alice, post(f"{V3}/search", {"search_categories": {"room_events": wanted}}), "room_id"
    )


OWN: Final = {
    "a device without a name": (get(f"{V3}/devices"), "devices"),
    "a device that was not used": (get(f"{V3}/devices"), "devices"),
    "a notification without a profile tag": (get(f"{V3}/notifications"), "notifications"),
}
"""Where a user sees a deviation, and in what, by its name."""


@pytest.mark.requirement("CLI-064")
@pytest.mark.parametrize("name", known(*OWN))
async def test_what_an_account_has_not_is_left_out(
    name: str, deployment: Deployment, http: httpx.AsyncClient, bob: MatrixClient
) -> None:
    """Alice has two devices without a name, one of which she never used, and a message of Bob's that she is told of.
    What there is not is not in what she reads of them."""
    account = await register(deployment, "alice")
    alice, _ = [await log_in(http, account.user_id, account.password) for _ in range(2)]
    room = await shared_room(alice, bob)
    await bob.send(room, "hello")
    await deviates(name, alice, *OWN[name])
