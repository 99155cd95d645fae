"""How often somebody may try, whichever way the requests come."""

import asyncio
import math
import secrets
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from itertools import cycle, islice
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients.accounts import register
from fixtures.clients.plain import MatrixClient, http_client
from fixtures.deployment.edge import everything_in_rotation
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget
from fixtures.plugins.evidence import Evidence

pytestmark = pytest.mark.usefixtures("workers_in_rotation")


@dataclass(frozen=True)
class Limit:
    """So many at once, and so many more each second."""

    at_once: int
    per_second: float

    def within(self, elapsed_s: float) -> int:
        """How many in this time at most, one more for rounding."""
        return math.floor(self.at_once + self.per_second * elapsed_s) + 1


WRONG_PASSWORDS = Limit(5, 0.17)
MESSAGES = Limit(30, 1)
"""What 10-rate-limits.yaml promises, said again: rc_login.failed_attempts and rc_message."""

PER_ADDRESS = 300
"""Log-ins and registrations a minute from one address, over everything: 30-front.cfg."""

SPELLINGS = tuple(f"/_matrix/client/{version}/login" for version in ("v3", "r0", "api/v1", "unstable"))
CONNECTIONS = 8
MORE_WORKERS = 3


def told_to_wait(answer: httpx.Response) -> None:
    """The refusal says how long to wait, to programs of Matrix and to others."""
    body = answer.json()
    assert body["errcode"] == "M_LIMIT_EXCEEDED", f"429 with {answer.text:.200}"
    assert body["retry_after_ms"] > 0, f"429 without a time to wait: {answer.text:.200}"
    header = answer.headers.get("Retry-After", "missing")
    assert header == str(math.ceil(body["retry_after_ms"] / 1000)), (
        f"429: Retry-After is {header}, retry_after_ms {body['retry_after_ms']}"
    )


@pytest.mark.requirement("SEC-016")
@pytest.mark.disruptive(Role.HAPROXY)
async def test_logins_of_an_address_are_counted_together(deployment: Deployment, evidence: Evidence) -> None:
    """More log-ins than an address has in a minute at one HAProxy: over several connections, all spellings in turn.

    They name no way to log in. Synapse's own limit for an address ends them first, in one process; that the edge counts
    all of them shows in a registration, which it refuses too. Other requests go on, other tests find a new HAProxy.
    """
    statuses, refusal = Counter[int](), None
    try:
        # Each counts for itself.
        async with deployment.scaled(Role.HAPROXY, 1), http_client(deployment.front()) as http:

            async def attempts(count: int) -> None:
                nonlocal refusal
                for path in islice(cycle(SPELLINGS), count):
                    answer = await http.post(path, json={"type": "conformance"})
                    statuses[answer.status_code] += 1
                    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
                        refusal = answer

            async with asyncio.TaskGroup() as group:
                for _ in range(CONNECTIONS):
                    group.create_task(attempts(PER_ADDRESS // CONNECTIONS + 2))
            registration = await http.post("/_matrix/client/v3/register", json={})
            other = await http.get("/_matrix/client/v3/login")
    finally:
        await deployment.restart(Role.HAPROXY)
        await deployment.settled(within=Budget.HEALTH.seconds())
        await everything_in_rotation(deployment)
    evidence("statuses", dict(statuses))
    remedy = "count them in 30-front.cfg (is_login)"
    assert refusal is not None, f"{statuses.total()} log-ins within a minute, and none was refused; {remedy}"
    served = statuses.total() - statuses[httpx.codes.TOO_MANY_REQUESTS]
    assert served <= PER_ADDRESS, f"{served} log-ins from one address, {PER_ADDRESS} are allowed; {remedy}"
    told_to_wait(refusal)
    assert registration.status_code == httpx.codes.TOO_MANY_REQUESTS, (
        f"a registration is counted apart from log-ins ({registration.status_code}); {remedy}"
    )
    told_to_wait(registration)
    assert other.is_success, f"GET /login is refused, too ({other.status_code}); only POST may be"


@pytest.mark.requirement("SEC-016")
@pytest.mark.disruptive(Role.GENERIC_WORKER)
async def test_guesses_have_one_budget_whatever_they_look_like(
    deployment: Deployment, evidence: Evidence
) -> None:
    """Three generic workers. Wrong passwords for one account, each on a new connection, its name spelt in turn.

    Expected: as many are answered as wrong as one process allows, not thrice as many; then 429.
    """
    account, answers = await register(deployment, "alice"), list[httpx.Response]()
    name = account.user_id.removeprefix("@").partition(":")[0]
    spellings = cycle((account.user_id, name, account.user_id.upper(), name.upper()))
    async with deployment.scaled(Role.GENERIC_WORKER, MORE_WORKERS):
        await everything_in_rotation(deployment)
        begin = time.monotonic()
        for user, path in islice(
            zip(spellings, cycle(SPELLINGS)), MORE_WORKERS * WRONG_PASSWORDS.at_once + 1
        ):
            async with http_client(deployment.front()) as http:
                answers.append(await guess(http, path, user))
        elapsed = time.monotonic() - begin
    await everything_in_rotation(deployment)
    statuses = [answer.status_code for answer in answers]
    evidence("statuses", statuses)
    wrong, budget = statuses.count(httpx.codes.FORBIDDEN), WRONG_PASSWORDS.within(elapsed)
    assert wrong <= budget, (
        f"{wrong} passwords were tried for one account in {elapsed:.1f} s, {budget} are allowed; log-ins of an "
        "address must meet at one worker, and rc_login.failed_attempts must hold for all spellings"
    )
    refusals = [answer for answer in answers if answer.status_code == httpx.codes.TOO_MANY_REQUESTS]
    assert refusals, f"{wrong} passwords were tried and none was one too many: {statuses}"
    told_to_wait(refusals[-1])


async def guess(http: httpx.AsyncClient, path: str, user: str) -> httpx.Response:
    """A log-in with a password that is surely wrong."""
    identifier = {"type": "m.id.user", "user": user}
    body = {"type": "m.login.password", "identifier": identifier, "password": secrets.token_urlsafe(16)}
    return await http.post(path, json=body)


@pytest.mark.requirement("SEC-017")
async def test_messages_of_a_user_have_one_budget_in_a_room(
    alice: MatrixClient, deployment: Deployment, evidence: Evidence
) -> None:
    """Alice sends twice as many messages into a room as are allowed at once, over several connections.

    Expected: what is allowed at once is accepted, hardly more, and the rest gets 429.
    """
    room, answers = await alice.create_room(), list[httpx.Response]()

    async def send(http: httpx.AsyncClient, version: str, count: int) -> None:
        for _ in range(count):
            path = f"/_matrix/client/{version}/rooms/{quote(room)}/send/m.room.message/{uuid.uuid4().hex}"
            headers = {"Authorization": f"Bearer {alice.access_token}"}
            body = {"msgtype": "m.text", "body": "again"}
            answers.append(await http.put(path, json=body, headers=headers))

    begin = time.monotonic()
    async with http_client(deployment.front()) as other, asyncio.TaskGroup() as group:
        for http, version in islice(zip(cycle((alice.http, other)), cycle(("v3", "v3", "r0"))), CONNECTIONS):
            group.create_task(send(http, version, 2 * MESSAGES.at_once // CONNECTIONS + 1))
    elapsed = time.monotonic() - begin
    statuses = Counter(answer.status_code for answer in answers)
    accepted, budget = statuses[httpx.codes.OK], MESSAGES.within(elapsed)
    evidence("statuses", {"within s": round(elapsed, 1), **statuses})
    refusals = [answer for answer in answers if answer.status_code == httpx.codes.TOO_MANY_REQUESTS]
    assert refusals, (
        f"{accepted} messages in {elapsed:.1f} s and no 429, {budget} are allowed; see rc_message"
    )
    assert statuses.keys() == {200, 429}, f"neither accepted nor limited: {dict(statuses)}"
    assert accepted <= budget, f"{accepted} messages in {elapsed:.1f} s, {budget} are allowed; see rc_message"
    least = MESSAGES.at_once // 2
    assert accepted >= least, f"only {accepted} messages at once; {least} are a conversation; see rc_message"
    told_to_wait(refusals[-1])
