"""What becomes of messages, and of Redis, when Redis servers go away."""

import time
import uuid
from functools import partial

import pytest

from fixtures.clients.journey import acknowledged, healthy, received, shared_room
from fixtures.clients.plain import MatrixClient
from fixtures.clients.redis import master, one_followed_master
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, eventually
from fixtures.faults.pods import Fault, frozen, killed
from fixtures.plugins.evidence import Evidence


@pytest.mark.requirement("RES-004")
@pytest.mark.requirement("RES-005")
@pytest.mark.disruptive(Role.REDIS)
@pytest.mark.parametrize("fault", [killed, frozen], ids=lambda fault: fault.__name__)
async def test_a_message_arrives_though_the_master_is_lost(
    fault: Fault, deployment: Deployment, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice and Bob share a room, Redis has one master. That one is lost, and Alice sends a message.

    Expected: Bob gets it in time, while a master that hangs still hangs; in the end there is one master again.
    """
    room, lost, begin = await shared_room(alice, bob), await master(deployment), time.monotonic()
    async with fault(deployment, lost):
        event = await eventually(
            partial(acknowledged, alice, room, uuid.uuid4().hex, uuid.uuid4().hex),
            within=Budget.FAILOVER,
            label="the message is acknowledged",
        )
        took = round(time.monotonic() - begin, 1)
        await eventually(
            partial(received, bob, room, event),
            within=Budget.FAILOVER,
            label="the message in Bob's /sync",
        )
    received_after = round(time.monotonic() - begin, 1)
    evidence("seconds until the message was acknowledged, received", [took, received_after])
    evidence("master before and after", [lost.name, (await master(deployment)).name])


@pytest.mark.requirement("RES-005")
@pytest.mark.disruptive(Role.REDIS)
@pytest.mark.slow
async def test_one_master_is_left_when_every_server_was_replaced(
    deployment: Deployment, evidence: Evidence
) -> None:
    """Each Redis pod in turn is deleted in peace, and ready again before the next.

    Expected: each time there is one master; at the end all others follow it, and all is well.
    """
    masters, seconds = [(await master(deployment)).name], []
    for pod in await deployment.pods(Role.REDIS):
        begin = time.monotonic()
        await deployment.delete_pod(pod, grace=Budget.HEALTH.seconds())
        await deployment.settled(within=Budget.HEALTH.seconds())
        settled = time.monotonic()
        masters.append((await master(deployment)).name)
        seconds.append([round(settled - begin, 1), round(time.monotonic() - settled, 1)])
    last = await eventually(
        partial(one_followed_master, deployment), within=Budget.DEMOTION, label="one master that all follow"
    )
    evidence("masters", [*masters, last])
    evidence("seconds until ready, until one master", seconds)
    await healthy(deployment)
