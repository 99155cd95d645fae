"""What becomes of messages, all of them, while parts of the deployment are replaced, killed or lost."""

from typing import Final

import pytest

from fixtures.clients.redis import master
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import CLIENT_ROLES, Role
from fixtures.deployment.waiting import Budget
from fixtures.faults.pods import Fault, frozen, killed, replaced
from fixtures.history.verdict import Judgement
from fixtures.plugins.evidence import Evidence
from fixtures.plugins.history import Corresponding

ON_THE_WAY: Final = (*CLIENT_ROLES, Role.EVENT_PERSISTER)
"""The processes of Synapse that a message passes from its sender to its readers."""


@pytest.mark.requirement("RES-006")
@pytest.mark.disruptive(*ON_THE_WAY)
@pytest.mark.slow
async def test_no_message_is_lost_while_workers_are_restarted(
    deployment: Deployment, correspondence: Corresponding, evidence: Evidence
) -> None:
    """Precondition: people write to each other. One role after the other, all of its pods are replaced.

    Expected: each time messages go on; in the end each that was acknowledged is there once, for everybody, through
    every process and by /sync, also those that were sent again, and none stands before one acknowledged earlier.
    """
    restarted = [role for role in ON_THE_WAY if await deployment.pods(role)]
    async with correspondence() as letters:
        for role in restarted:
            await replaced(deployment, role)
            await letters.goes_on()
    evidence("restarted", [str(role) for role in restarted])
    verdict = letters.verdict
    assert verdict.judgement is Judgement.PASS, str(verdict)


@pytest.mark.requirement("RES-007")
@pytest.mark.disruptive(Role.REDIS)
@pytest.mark.slow
@pytest.mark.parametrize("fault", [killed, frozen], ids=lambda fault: fault.__name__)
async def test_no_message_is_lost_with_the_redis_master(
    fault: Fault, deployment: Deployment, correspondence: Corresponding, evidence: Evidence
) -> None:
    """Precondition: people write to each other, Redis has one master. That one is killed, or hangs.

    Expected: messages go on in time, while a master that hangs still hangs, and devices that are open get them; in the
    end each that was acknowledged is there once, for everybody.
    """
    lost = await master(deployment)
    async with correspondence() as letters, fault(deployment, lost):
        await letters.goes_on()
    evidence("master before and after", [lost.name, (await master(deployment)).name])
    verdict = letters.verdict
    assert verdict.judgement is Judgement.PASS, str(verdict)
    gap_s = verdict.worst_gap_s
    assert gap_s < Budget.FAILOVER.seconds(), f"for {gap_s:.1f} s no message was acknowledged"


@pytest.mark.requirement("RES-008")
@pytest.mark.disruptive(Role.POSTGRESQL)
@pytest.mark.slow
async def test_no_message_is_lost_when_postgresql_is_killed(
    deployment: Deployment, correspondence: Corresponding
) -> None:
    """Precondition: people write to each other. Each server of the database is killed, one after the other.

    Expected: it comes back by itself and messages go on; in the end each that was acknowledged is there once.
    """
    async with correspondence() as letters:
        for pod in await deployment.pods(Role.POSTGRESQL):
            async with killed(deployment, pod):
                await letters.goes_on()
    verdict = letters.verdict
    assert verdict.judgement is Judgement.PASS, str(verdict)
