"""Waiting: as soon as it is true, not longer than allowed, and saying what was seen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from fixtures.deployment.waiting import (
    OF_STARTS,
    PACE,
    SECONDS,
    Budget,
    BudgetExceeded,
    Impossible,
    NotYet,
    eventually,
)


def after(seconds: float, value: object = True) -> Callable[[], Awaitable[object]]:
    """A condition that becomes true so many seconds from now."""
    moment = asyncio.get_running_loop().time() + seconds

    async def condition() -> object:
        if asyncio.get_running_loop().time() < moment:
            raise NotYet(f"not before {seconds} s")
        return value

    return condition


async def test_gives_the_value_of_the_condition() -> None:
    """The first that is neither False nor None; 0 and "" are values."""
    values: tuple[object, ...] = (0, "", [], "x")
    for value in values:
        assert await eventually(after(0, value), within=1, label="x") == value


@pytest.mark.parametrize("late", [0.3, 0.6, 0.85])
async def test_sees_what_becomes_true_late(late: float) -> None:
    """Also shortly before the end: pauses do not jump over it."""
    clock = asyncio.get_running_loop()
    begin = clock.time()
    assert await eventually(after(late), within=0.95, label="x") is True
    assert clock.time() - begin < 0.95


@pytest.mark.parametrize(("value", "seen"), [(None, "None"), (False, "False")])
async def test_gives_up_with_label_budget_and_observation(value: object, seen: str) -> None:
    """In one sentence, and in time."""
    clock = asyncio.get_running_loop()
    begin = clock.time()
    with pytest.raises(
        BudgetExceeded, match=rf"^the moon: not within 0.3 s, asked \d+ times; last seen: {seen}$"
    ):
        await eventually(after(0, value), within=0.3, label="the moon")
    assert 0.2 < clock.time() - begin < 0.4


async def test_tells_the_last_observation() -> None:
    """Not the first."""
    seen = iter(range(1000))

    async def condition() -> bool:
        raise NotYet(f"{next(seen)} of 1000")

    with pytest.raises(BudgetExceeded, match=r"asked (\d+) times; last seen: \d+ of 1000$") as caught:
        await eventually(condition, within=0.2, label="x")
    asked, last = (int(word) for word in str(caught.value).split() if word.isdigit() and word != "1000")
    assert last == asked - 1


async def test_question_that_hangs_is_given_up() -> None:
    """The deadline holds, and what was seen before is not forgotten."""
    asked = 0

    async def condition() -> bool:
        nonlocal asked
        asked += 1
        if asked > 1:
            await asyncio.Event().wait()
        raise NotYet("one of two")

    with pytest.raises(BudgetExceeded, match=r"was not answered \(before: one of two\)"):
        await eventually(condition, within=0.2, label="x")


@pytest.mark.parametrize("error", [Impossible("the pod is gone"), ZeroDivisionError("a bug")])
async def test_error_ends_it_at_once(error: Exception) -> None:
    """What can never become true, and mistakes of the condition itself."""

    async def condition() -> bool:
        raise error

    with pytest.raises(type(error), match=str(error)):
        await eventually(condition, within=60, label="x")


@pytest.mark.parametrize("budget", Budget)
def test_every_budget_has_its_seconds(budget: Budget) -> None:
    """Where processes start slower, what waits for them has more; what is promised to clients has not."""
    assert budget.seconds() == SECONDS[budget] > 0
    before = PACE.set(3)
    try:
        assert budget.seconds() == SECONDS[budget] * (3 if budget in OF_STARTS else 1)
    finally:
        PACE.reset(before)
