"""What comes of sending too fast: for whoever does, and for nobody else."""

import asyncio
import math
import time
import uuid
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import MatrixClient
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence

AT_ONCE, PER_SECOND = 30, 1
"""rc_message of 10-rate-limits.yaml: what one process of Synapse allows a user."""

SPARE = 20
"""So many messages more than are allowed at once are sent, since some are earned back on the way."""

TOGETHER = 10
"""So many right after each other are taken only where there is no limit."""

CONNECTIONS = 8


async def say(user: MatrixClient, room: str) -> httpx.Response:
    """The answer to one message."""
    path = rooms.path(room, "send", "m.room.message", uuid.uuid4().hex)
    return await user.request("PUT", path, json={"msgtype": "m.text", "body": "again"})


async def say_often(user: MatrixClient, where: Sequence[str], count: int) -> list[httpx.Response]:
    """The answers to so many messages, as they come, into each of the rooms in turn."""
    turns, answers = islice(cycle(where), count), list[httpx.Response]()

    async def some(turns: Iterator[str]) -> None:
        for room in turns:
            answers.append(await say(user, room))

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(some(turns))
    return answers


def refused(answers: Sequence[httpx.Response]) -> list[httpx.Response]:
    """Those that were too many."""
    return [answer for answer in answers if answer.status_code == httpx.codes.TOO_MANY_REQUESTS]


async def refused_alone(user: MatrixClient, room: str) -> httpx.Response:
    """The refusal of a message with which no other of the user's is under way: what it tells holds until the next."""
    for _ in range(SPARE):
        if refused([answer := await say(user, room)]):
            return answer
    raise AssertionError(f"of {SPARE} messages in turn, after too many at once, none was too many")


async def passed(seconds: float) -> None:
    """Return when so much time is over."""
    end = time.monotonic() + seconds

    async def over() -> bool:
        return time.monotonic() >= end

    await eventually(over, within=Budget.DELIVERY, label="the time to wait is over")


@pytest.mark.requirement("CLI-044")
async def test_who_sends_too_fast_is_taken_again_after_waiting(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Alice and Bob share a room, and she sends more than is allowed at once. She is told how long to wait, in both
    ways; Bob sends meanwhile; when she has waited so long, she is taken again."""
    room = await shared_room(alice, bob)
    refusals = refused(await say_often(alice, [room], AT_ONCE + SPARE))
    assert refusals, f"{AT_ONCE + SPARE} messages at once and no 429; rc_message allows {AT_ONCE}"
    last = await refused_alone(alice, room)
    told = {**last.json(), "Retry-After": last.headers.get("Retry-After")}
    by_bob = await say(bob, room)
    evidence("refusals", {"count": len(refusals), "last": told, "Bob meanwhile": by_bob.status_code})
    assert told["errcode"] == "M_LIMIT_EXCEEDED", f"429 with {told}"
    assert told.get("retry_after_ms", 0) > 0, f"429 does not say how long to wait: {told}"
    assert told["Retry-After"] == str(math.ceil(told["retry_after_ms"] / 1000)), f"two times to wait: {told}"
    assert by_bob.is_success, f"Alice sends too fast, and Bob gets {by_bob.status_code} {by_bob.text:.200}"
    await passed(told["retry_after_ms"] / 1000)
    again = await say(alice, room)
    assert again.is_success, f"told {told}, waited, and got {again.status_code} {again.text:.200}"


@pytest.mark.requirement("CLI-044")
async def test_an_administrator_lifts_the_limit_of_a_user(
    alice: MatrixClient, admin: MatrixClient, evidence: Evidence
) -> None:
    """Alice has sent too fast. The administrator sets no limit for her: it is read like that, and soon many messages
    right after each other are taken."""
    room = await alice.create_room()
    refusals = refused(await say_often(alice, [room], AT_ONCE + SPARE))
    assert refusals, f"{AT_ONCE + SPARE} messages at once and no 429; rc_message allows {AT_ONCE}"
    path = f"/_synapse/admin/v1/users/{quote(alice.user_id)}/override_ratelimit"
    unlimited = {"messages_per_second": 0, "burst_count": 0}
    await admin.call("POST", path, json=unlimited)

    async def lifted() -> bool:
        if too_many := refused([await say(alice, room) for _ in range(TOGETHER)]):
            raise NotYet(f"{len(too_many)} of {TOGETHER} messages were too many: {too_many[-1].text:.200}")
        return True

    await eventually(lifted, within=Budget.DELIVERY, label="the limit that was lifted is no limit any more")
    override = await admin.call("GET", path)
    evidence("override", {"refused before": len(refusals), "now": override})
    assert override == unlimited, f"set was {unlimited}, and read is {override}"


@pytest.mark.requirement("CLI-045")
@pytest.mark.parametrize("several", [False, True], ids=["one room", "several rooms"])
async def test_a_sender_has_one_budget_a_worker_at_most(
    several: bool, alice: MatrixClient, deployment: Deployment, evidence: Evidence
) -> None:
    """Alice sends, into one room or into several in turn, more than is allowed at once. What is taken is one budget in
    the one room, however many workers there are, and one for each generic worker in the several."""
    budgets = len(await deployment.pods(Role.GENERIC_WORKER)) if several else 1
    where = [await alice.create_room() for _ in range(2 * budgets if several else 1)]
    begin = time.monotonic()
    answers = await say_often(alice, where, budgets * AT_ONCE + AT_ONCE + SPARE)
    most = budgets * (math.floor(AT_ONCE + PER_SECOND * (time.monotonic() - begin)) + 1)
    taken, too_many = sum(answer.is_success for answer in answers), refused(answers)
    evidence("messages", {"rooms": len(where), "taken": taken, "at most": most, "refused": len(too_many)})
    assert taken + len(too_many) == len(answers), f"neither taken nor too many: {_others(answers)}"
    assert taken <= most, (
        f"{taken} messages into {len(where)} rooms were taken, {most} are allowed; the requests of one room must meet "
        "at one generic worker, and no other process may take them (routes.yaml, txn.affinity in 30-front.cfg)"
    )


def _others(answers: Sequence[httpx.Response]) -> list[str]:
    """What is neither a success nor a limit."""
    limit = httpx.codes.TOO_MANY_REQUESTS
    return [
        f"{answer.status_code} {answer.text:.100}"
        for answer in answers
        if not answer.is_success and answer.status_code != limit
    ]
