"""Who answers while a pool has no process, and afterwards."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from signal import Signals

import httpx
import pytest

from fixtures.clients.plain import MatrixClient
from fixtures.deployment.correlation import REQUEST_ID, answered_by
from fixtures.deployment.edge import all_in_rotation, none_in_rotation
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.clients import NewUser
from fixtures.plugins.evidence import Evidence

pytestmark = pytest.mark.usefixtures("workers_in_rotation")

USERS = 10
POLL_MS = 500  # a long poll that the grace of a pod outlasts

STAND_INS = "initial-sync falls back to synchrotron, that to generic-worker (30-front.cfg)"


@asynccontextmanager
async def frozen(deployment: Deployment, *roles: Role) -> AsyncIterator[None]:
    """No process of these roles answers anything, and HAProxy has noticed; thawed at the end, whatever happens.

    Frozen and not killed: a killed worker can be back before HAProxy has asked twice, and nothing would be seen.
    """
    workers = [pod for role in roles for pod in await deployment.pods(role)]
    try:
        for worker in workers:
            await deployment.signal(worker, Signals.SIGSTOP)
        for role in roles:
            await eventually(
                partial(none_in_rotation, deployment, role),
                within=Budget.ROUTING,
                label=f"HAProxy has given up every {role}",
            )
        yield
    finally:
        for worker in workers:
            await deployment.signal(worker, Signals.SIGCONT)
        for role in roles:
            await eventually(
                partial(all_in_rotation, deployment, role),
                within=Budget.ROUTING,
                label=f"HAProxy has taken every thawed {role} back",
            )


@pytest.mark.requirement("ROU-005")
@pytest.mark.disruptive(Role.GENERIC_WORKER)
async def test_the_main_process_answers_while_no_worker_does(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: HAProxy has given up every generic worker. A worker's request succeeds, from the main process."""
    async with frozen(deployment, Role.GENERIC_WORKER):
        answer = await alice.request("GET", "/_matrix/client/v3/joined_rooms")
        evidence("status without workers", answer.status_code)
        assert answer.is_success, (
            f"GET joined_rooms without any worker: {answer.status_code} {answer.text:.200}; "
            "let 30-front.cfg send it to main when nbsrv(generic-worker) is 0"
        )
        pod = await answered_by(deployment, answer.headers[REQUEST_ID])
        evidence("answered by", pod.name)
        assert pod.role is Role.SYNAPSE_MAIN, (
            f"answered by {pod.name}, which is frozen: the fault did not bite"
        )


@pytest.mark.requirement("ROU-005")
@pytest.mark.disruptive(Role.SYNCHROTRON, Role.INITIAL_SYNC)
async def test_a_worker_answers_sync_while_nobody_else_does(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: HAProxy has given up whoever is there for /sync. First and next /sync succeed, from a worker."""
    async with frozen(deployment, Role.SYNCHROTRON, Role.INITIAL_SYNC):
        first = await alice.request("GET", "/_matrix/client/v3/sync")
        assert first.is_success, f"first /sync: {first.status_code} {first.text:.200}; {STAND_INS}"
        since = first.json()["next_batch"]
        following = await alice.request("GET", "/_matrix/client/v3/sync", params={"since": since})
        assert following.is_success, f"next /sync: {following.status_code} {following.text:.200}; {STAND_INS}"
        pods = [await answered_by(deployment, each.headers[REQUEST_ID]) for each in (first, following)]
        evidence("answered by", [pod.name for pod in pods])
        assert {pod.role for pod in pods} == {Role.GENERIC_WORKER}, (
            f"/sync was answered by {[pod.name for pod in pods]}; {STAND_INS}"
        )


@pytest.mark.requirement("ROU-005")
@pytest.mark.disruptive(Role.MEDIA_REPOSITORY)
async def test_media_is_refused_at_once_while_nobody_has_it(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: HAProxy has given up every media worker. Media is a Matrix error at once, all else goes on."""
    async with frozen(deployment, Role.MEDIA_REPOSITORY):
        async with asyncio.timeout(Budget.EARLY_ANSWER.seconds()):
            answer = await alice.request("GET", "/_matrix/client/v1/media/config")
        evidence("answer", {"status": answer.status_code, "body": answer.text})
        assert (answer.status_code, answer.json().get("errcode")) == (503, "M_UNKNOWN"), (
            f"GET media/config: {answer.status_code} {answer.text:.200}; let 30-front.cfg answer for an empty pool"
        )
        assert answer.headers.get("Access-Control-Allow-Origin") == "*", (
            "503 without CORS; a browser hides it"
        )
        await alice.whoami()
    again = await alice.request("GET", "/_matrix/client/v1/media/config")
    assert again.is_success, (
        f"media is back, and GET media/config gives {again.status_code} {again.text:.200}"
    )


@pytest.mark.requirement("ROU-006")
@pytest.mark.disruptive(Role.GENERIC_WORKER)
async def test_the_replacement_of_a_killed_worker_answers(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Every generic worker's pod is killed at once (others replace them): a new pod answers requests by itself."""
    killed = await deployment.pods(Role.GENERIC_WORKER)
    before = {(await deployment.incarnation(worker)).uid for worker in killed}
    for worker in killed:
        await deployment.delete_pod(worker, grace=0)
    await deployment.settled(within=Budget.REPLACEMENT.seconds())
    after = {(await deployment.incarnation(pod)).uid for pod in await deployment.pods(Role.GENERIC_WORKER)}
    assert not before & after, "a pod that was to be killed lives on: the fault did not bite"

    async def answered_by_a_worker() -> str:
        try:
            answer = await alice.request("GET", "/_matrix/client/v3/joined_rooms")
        except httpx.TransportError as error:  # a connection to the killed worker that HAProxy had kept
            raise NotYet(repr(error)) from error
        if answer.is_error:
            raise NotYet(f"{answer.status_code} {answer.text:.200}")
        pod = await answered_by(deployment, answer.headers[REQUEST_ID])
        if pod.role is not Role.GENERIC_WORKER:
            raise NotYet(f"answered by {pod.name}")
        return pod.name

    name = await eventually(
        answered_by_a_worker, within=Budget.ROUTING, label="a request is answered by a new generic worker"
    )
    evidence(
        "killed, and answered by afterwards",
        {"killed": [worker.name for worker in killed], "answered by": name},
    )


@pytest.mark.requirement("ROU-015")
@pytest.mark.disruptive(Role.SYNCHROTRON)
async def test_a_drain_costs_no_request(
    deployment: Deployment, new_user: NewUser, evidence: Evidence
) -> None:
    """Users ask for /sync all the time while a pod that serves some of them is deleted in peace, as by a drain.

    Expected: no request fails; those of the users whose pod it was are answered by others afterwards.
    """
    users = [await new_user(f"u{n}") for n in range(USERS)]
    for user in users:
        await user.sync()
    leaving, *_ = await deployment.pods(Role.SYNCHROTRON)
    uid = (await deployment.incarnation(leaving)).uid
    statuses, done = Counter[str](), asyncio.Event()

    async def go_on_asking(user: MatrixClient) -> None:
        while not done.is_set():
            try:
                answer = await user.request(
                    "GET", "/_matrix/client/v3/sync", params={"since": user.since, "timeout": POLL_MS}
                )
                statuses[str(answer.status_code)] += 1
            except httpx.TransportError as error:
                statuses[repr(error)] += 1

    asking = [asyncio.create_task(go_on_asking(user)) for user in users]
    try:
        await deployment.delete_pod(leaving, grace=Budget.HEALTH.seconds())
        await deployment.settled(within=Budget.HEALTH.seconds())
    finally:
        done.set()
        await asyncio.gather(*asking)
    now = {(await deployment.incarnation(pod)).uid for pod in await deployment.pods(Role.SYNCHROTRON)}
    evidence("answers", dict(statuses))
    assert uid not in now, f"{leaving.name} lives on: the fault did not bite"
    assert set(statuses) == {"200"}, (
        f"while {leaving.name} was drained: {dict(statuses)}; its preStop must outlast the time in which HAProxy "
        "learns of it, and hold obsolete be 0s (10-global.cfg)"
    )
