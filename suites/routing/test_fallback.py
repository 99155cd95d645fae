"""Who answers while there is no generic worker, and afterwards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from signal import Signals

import httpx
import pytest

from fixtures.clients.plain import MatrixClient
from fixtures.deployment.correlation import REQUEST_ID, answered_by
from fixtures.deployment.edge import all_in_rotation, none_in_rotation
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence

pytestmark = pytest.mark.usefixtures("workers_in_rotation")


@asynccontextmanager
async def frozen_workers(deployment: Deployment) -> AsyncIterator[None]:
    """No generic worker answers anything, and HAProxy has noticed; thawed at the end, whatever happens.

    Frozen and not killed: a killed worker can be back before HAProxy has asked twice, and nothing would be seen.
    """
    workers = await deployment.pods(Role.GENERIC_WORKER)
    try:
        for worker in workers:
            await deployment.signal(worker, Signals.SIGSTOP)
        await eventually(
            lambda: none_in_rotation(deployment, Role.GENERIC_WORKER),
            within=Budget.ROUTING,
            label="HAProxy has given up every generic worker",
        )
        yield
    finally:
        for worker in workers:
            await deployment.signal(worker, Signals.SIGCONT)
        await eventually(
            lambda: all_in_rotation(deployment, Role.GENERIC_WORKER),
            within=Budget.ROUTING,
            label="HAProxy has taken the thawed workers back",
        )


@pytest.mark.requirement("ROU-005")
@pytest.mark.disruptive(Role.GENERIC_WORKER)
async def test_the_main_process_answers_while_no_worker_does(
    deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: HAProxy has given up every generic worker. A worker's request succeeds, from the main process."""
    async with frozen_workers(deployment):
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
