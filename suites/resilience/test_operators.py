"""What operators and Kubernetes itself do for the deployment when something goes, or is taken, away."""

from functools import partial

import pytest

from fixtures.clients.instances import MAIN, instances, primary
from fixtures.clients.journey import healthy
from fixtures.clients.plain import MatrixClient
from fixtures.clients.steady import asking
from fixtures.deployment.interface import Deployment
from fixtures.deployment.patch import ObjectEdit, Patch
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.faults.pods import killed, replaced
from fixtures.history.verdict import Judgement
from fixtures.plugins.evidence import Evidence
from fixtures.plugins.history import Corresponding
from fixtures.rendering.objects import Ref

GUARDED = (Role.REDIS, Role.HAPROXY, Role.GENERIC_WORKER)
"""Roles of several pods, of which a drain may take one at a time."""

ANY_LOAD_IS_TOO_MUCH = Patch(
    edits=(
        ObjectEdit(
            object="HorizontalPodAutoscaler/synchrotron",
            operations=(
                {"op": "replace", "path": "/spec/metrics/0/resource/target/averageValue", "value": "1m"},
            ),
        ),
    )
)
"""An idle worker uses more CPU time than that."""


@pytest.mark.requirement("RES-009")
@pytest.mark.disruptive(Role.POSTGRESQL)
@pytest.mark.slow
async def test_no_message_is_lost_with_the_primary(
    deployment: Deployment, correspondence: Corresponding, evidence: Evidence
) -> None:
    """Precondition: people write to each other; Synapse's database has one primary. That one is killed.

    Expected: another server is the primary and messages go on; the killed one comes back as a replica; in the end
    each message that was acknowledged is there once, for everybody.
    """
    size = len(await instances(deployment))
    lost = await primary(deployment)
    async with correspondence() as letters, killed(deployment, lost):
        await letters.goes_on()
    await deployment.settled(within=Budget.DEPLOYMENT.seconds())
    now = await primary(deployment)
    evidence("primary before and after", [lost.name, now.name])
    evidence("servers after", [pod.name for pod in await instances(deployment)])
    assert now.name != lost.name, f"{lost.name} was killed and is the primary again: nobody took over"
    assert len(await instances(deployment)) == size, f"{MAIN} has not its {size} servers again"
    verdict = letters.verdict
    assert verdict.judgement is Judgement.PASS, str(verdict)


@pytest.mark.requirement("RES-010")
@pytest.mark.disruptive(*GUARDED)
@pytest.mark.parametrize("role", GUARDED, ids=str)
async def test_a_drain_takes_one_pod_at_a_time(
    role: Role, deployment: Deployment, evidence: Evidence
) -> None:
    """Precondition: every pod of the role is ready. Each is asked to go, one right after the other, as by a drain.

    Expected: the first eviction is taken, the others are refused. Another pod takes its place, and all is well.
    """
    answers = {pod.name: await deployment.evict(pod) for pod in await deployment.pods(role)}
    evidence("evicted", answers)
    first, *others = answers.values()
    assert others, f"{role} has one pod only: no drain would leave any"
    assert first, f"the eviction of one pod of {role} is refused: no node could ever be drained"
    assert not any(others), f"of {answers} more than one was evicted: a drain would stop the service"
    await healthy(deployment)


@pytest.mark.requirement("RES-011")
@pytest.mark.disruptive(Role.GENERIC_WORKER, Role.HAPROXY)
@pytest.mark.slow
@pytest.mark.parametrize("role", [Role.GENERIC_WORKER, Role.HAPROXY], ids=str)
async def test_no_request_fails_while_a_workload_is_rolled(
    role: Role, deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: the role has several pods, and a client asks without end. Every pod of the role is replaced.

    Expected: each request is answered, by 200.
    """
    room = await alice.create_room()
    paths = ("/_matrix/client/v3/joined_rooms", f"/_matrix/client/v3/rooms/{room}/joined_members")
    async with asking(alice, *paths) as asked:
        await replaced(deployment, role)
        after = asked.answered

        async def goes_on() -> bool:
            return asked.answered > after

        await eventually(goes_on, within=Budget.DELIVERY, label="requests are answered after the rollout")
    evidence("requests", {"answered": asked.answered, "faults": asked.faults})
    assert not asked.faults, (
        f"{len(asked.faults)} requests failed while {role} was rolled: {asked.faults[:3]}"
    )


@pytest.mark.requirement("RES-012")
@pytest.mark.disruptive(Role.SYNCHROTRON)
@pytest.mark.slow
async def test_a_busy_pool_gets_another_worker(deployment: Deployment, evidence: Evidence) -> None:
    """Precondition: the pool of synchrotrons is idle, and its autoscaler has measured it.

    When less CPU time than an idle worker uses is called too much, another worker is started and the edge uses it.
    """
    scaler = Ref("HorizontalPodAutoscaler", "synchrotron")
    before = len(await deployment.pods(Role.SYNCHROTRON))
    evidence(
        "measured",
        await eventually(partial(measured, deployment, scaler), within=Budget.AUTOSCALING, label=str(scaler)),
    )
    async with deployment.variant(ANY_LOAD_IS_TOO_MUCH):

        async def more() -> int:
            if (count := len(await deployment.pods(Role.SYNCHROTRON))) <= before:
                raise NotYet(f"{count} pods; {await measured(deployment, scaler)}")
            return count

        evidence(
            "pods", [before, await eventually(more, within=Budget.AUTOSCALING, label="another synchrotron")]
        )
        await healthy(deployment)


async def measured(deployment: Deployment, scaler: Ref) -> str:
    """A condition to wait for: what the autoscaler has measured last, as a quantity of CPU."""
    found = await deployment.observed(scaler)
    status = (found or {}).get("status") or {}
    for metric in status.get("currentMetrics") or ():
        value = ((metric.get("resource") or {}).get("current") or {}).get("averageValue")
        if value is not None:
            return str(value)
    unmet = [each for each in status.get("conditions") or () if each["status"] != "True"]
    raise NotYet(str([f"{each['reason']}: {each['message']}" for each in unmet]))
