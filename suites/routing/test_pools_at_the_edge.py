"""Pools that lose their processes, one or all, and get them back."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence
from fixtures.rendering.routes import RouteTable
from fixtures.targets.rig.echo import DO, HOLD, Process
from fixtures.targets.rig.edge import Rig
from fixtures.targets.rig.wire import Answer, Request

V3 = "/_matrix/client/v3"
ONE_OF_EACH = (
    Request("GET", f"{V3}/sync"),
    Request("GET", f"{V3}/sync?since=s"),
    Request("GET", f"{V3}/joined_rooms"),
    Request("PUT", "/_matrix/federation/v1/send/1"),
    Request("GET", "/_matrix/media/v3/config"),
    Request("GET", "/_matrix/client/v1/media/config"),
    Request("PUT", f"{V3}/rooms/!r:a/typing/@u:a"),
    Request("POST", f"{V3}/logout"),
)

EMPTYING = (
    (("initial-sync", "media-repository"), ("synchrotron",), ("generic-worker",)),
    (("generic-worker",),),
    (("main", "synchrotron"),),
)
"""Pools that die one after the other."""


def outage(answer: Answer) -> bool:
    """Whether HAProxy itself said, in words that clients and browsers can read, that nobody is there."""
    return (
        answer.process is None
        and answer.status == 503
        and isinstance(answer.json, dict)
        and answer.json.get("errcode") == "M_UNKNOWN"
        and answer.header("Access-Control-Allow-Origin") == "*"
        and answer.header("Retry-After") is not None
    )


async def faults(rig: Rig, table: RouteTable, empty: tuple[str, ...]) -> list[str]:
    found = []
    async with asyncio.timeout(Budget.EARLY_ANSWER.seconds()):
        answers = await rig.ask(*ONE_OF_EACH)
    for request, answer in zip(ONE_OF_EACH, answers, strict=True):
        path, _, query = request.target.partition("?")
        wanted = table.answering(request.method, path, query, empty=empty, writers=rig.writers)
        if rig.pool_of(answer) != wanted or (wanted is None and not outage(answer)):
            found.append(
                f"{request} without {', '.join(empty) or 'any loss'}: came to {answer.process or 'nobody'} "
                f"({answer.status} {answer.body[:80]!r}), {wanted or 'a Matrix error 503'} was to answer; "
                "correct what stands in, at the end of 30-front.cfg"
            )
    return found


@pytest.mark.requirement("ROU-014")
@pytest.mark.parametrize(
    "emptying", EMPTYING, ids=lambda steps: "-then-".join("+".join(pools) for pools in steps)
)
async def test_an_empty_pool_is_stood_in_for_until_it_is_back(
    emptying: tuple[tuple[str, ...], ...], rig: Rig, table: RouteTable, evidence: Evidence
) -> None:
    """All processes of a pool die, then those of the pool that stands in, and so on; at the end all come back.

    Expected at each step: the next in line answers, for media nobody but HAProxy, at once; afterwards all is as before.
    """
    found, empty = [], tuple[str, ...]()
    async with AsyncExitStack() as stack:
        for pools in emptying:
            await stack.enter_async_context(rig.dead(*pools))
            empty += pools
            found += await faults(rig, table, empty)
    found += await faults(rig, table, ())
    evidence("emptied", [list(pools) for pools in emptying])
    assert not found, "\n".join(found)


async def holding(process: Process) -> bool:
    if process.held == 0:
        raise NotYet(f"{process.name} holds nothing")
    return True


async def holder(rig: Rig, *, but: Process | None = None) -> Process:
    for process in (each for pool in rig.processes.values() for each in pool):
        if process.held and process is not but:
            return process
    raise NotYet("nobody holds anything")


@pytest.mark.requirement("ROU-015")
async def test_every_process_that_the_dns_names_is_used(rig: Rig) -> None:
    """Pools of several processes, each behind a Service. HAProxy may use each of them, and no other."""
    await rig.settled()


@pytest.mark.requirement("ROU-015")
async def test_a_process_that_leaves_gets_nothing_new_and_ends_what_it_has(
    rig: Rig, evidence: Evidence
) -> None:
    """A process works on a request when its pod begins to terminate: the DNS does not name it any more.

    Expected: the next request of that room goes elsewhere, the first one is answered; when the DNS names the process
    again, it gets requests again.
    """
    request = Request("GET", f"{V3}/rooms/!leaving:a/messages")
    name = (await rig.one(request)).process
    (leaving,) = (each for each in rig.processes["generic-worker"] if each.name == name)
    held = asyncio.create_task(rig.one(Request("GET", request.target, ((DO, HOLD),))))
    try:
        await eventually(lambda: holding(leaving), within=Budget.RIG, label="a request is under way")
        async with rig.hidden(leaving):
            before = leaving.requests
            answers = await rig.ask(request, *ONE_OF_EACH)
            new = leaving.requests - before
            leaving.let_go()
            ended = await held
    finally:
        held.cancel()
    again = [(await rig.one(Request("GET", f"{V3}/rooms/!{n}:a/messages"))).process for n in range(60)]
    evidence(
        "statuses while it leaves, of new requests and of its own",
        [[each.status for each in answers], ended.status],
    )
    assert new == 0, (
        f"{leaving.name} has left the DNS and got {new} requests; hold obsolete 0s in 10-global.cfg"
    )
    assert all(each.process for each in answers), f"refused while {leaving.name} leaves: {answers}"
    assert ended.process == leaving.name, f"what {leaving.name} had under way ended with {ended.status}"
    assert leaving.name in again, f"{leaving.name} is back in the DNS and gets nothing; correct the resolvers"


@pytest.mark.requirement("ROU-015")
async def test_a_process_that_just_died_costs_no_request(rig: Rig, evidence: Evidence) -> None:
    """A process dies, and HAProxy does not know it yet. A request of a room that is its own is answered by another."""
    request = Request("GET", f"{V3}/rooms/!dying:a/messages")
    name = (await rig.one(request)).process
    (dying,) = (each for each in rig.processes["generic-worker"] if each.name == name)
    dying.stop()
    try:
        answers = await rig.ask(*[request] * 3)
    finally:
        await dying.start()
        await rig.settled("generic-worker")
    evidence("answered by", [each.process for each in answers])
    assert all(each.process not in (None, dying.name) for each in answers), (
        f"{request} after {dying.name} died: {[(each.status, each.process) for each in answers]}; "
        "retries and option redispatch in 20-defaults.cfg"
    )


@pytest.mark.requirement("ROU-015")
@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("POST", 502)])
async def test_what_a_process_held_when_it_died_is_asked_again_if_it_only_reads(
    method: str, status: int, rig: Rig, evidence: Evidence
) -> None:
    """A process dies with a request in its hands. Another answers a GET; a POST is never sent twice."""
    request = Request(method, f"{V3}/rooms/!held:a/messages", ((DO, HOLD),))
    asked = asyncio.create_task(rig.one(request))
    dying = await eventually(lambda: holder(rig), within=Budget.RIG, label="a request is under way")
    try:
        dying.stop()
        if method == "GET":
            heir = await eventually(lambda: holder(rig, but=dying), within=Budget.RIG, label="another has it")
            heir.let_go()
        answer = await asked
        again = sum(process.held for pool in rig.processes.values() for process in pool)
    finally:
        asked.cancel()
        await dying.start()
        await rig.settled(dying.pool)
    evidence("answer", {"status": answer.status, "by": answer.process})
    assert answer.process != dying.name, "it answered: the fault did not bite"
    assert (answer.status, again) == (status, 0), (
        f"{method} in the hands of {dying.name} when it died: {answer.status} from {answer.process or 'HAProxy'}, and "
        f"{again} more have it; retry-on in 20-defaults.cfg, disable-l7-retry in 30-front.cfg"
    )
