"""What becomes of the deployment when a process dies, or an operator changes it."""

from signal import Signals

import pytest

from fixtures.clients.journey import healthy
from fixtures.deployment.edge import BACKENDS, active_servers
from fixtures.deployment.interface import Deployment, Incarnation, Pod
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence

STATEFUL, POOL = Role.EVENT_PERSISTER, Role.SYNCHROTRON


async def another_life(deployment: Deployment, pod: Pod, before: Incarnation) -> Incarnation:
    """Wait until the pod lives another life than `before`: the fault has bitten."""

    async def reborn() -> Incarnation:
        if (now := await deployment.incarnation(pod)) == before:
            raise NotYet(f"{pod.name} lives on")
        return now

    return await eventually(reborn, within=Budget.REPLACEMENT, label=f"{pod.name} was killed and came back")


@pytest.mark.requirement("RES-001")
@pytest.mark.disruptive(*Role)
async def test_it_is_well_again_after_a_process_died(
    any_role: Role, deployment: Deployment, evidence: Evidence
) -> None:
    """Precondition: a pod of the role is ready. Its process gets SIGKILL; without anybody's help all is well again."""
    pod, *_ = await deployment.pods(any_role)
    before = await deployment.incarnation(pod)
    await deployment.signal(pod, Signals.SIGKILL)
    after = await another_life(deployment, pod, before)
    await healthy(deployment)
    evidence("killed", {"pod": pod.name, "restarts": [before.restarts, after.restarts]})


@pytest.mark.requirement("RES-002")
@pytest.mark.disruptive(STATEFUL, POOL)
@pytest.mark.parametrize("role", [POOL, STATEFUL], ids=str)
async def test_it_is_well_again_after_a_pod_was_deleted(role: Role, deployment: Deployment) -> None:
    """One pod of the role is deleted in peace, as by a drain. Another one takes its place, and all is well again."""
    pod, *_ = await deployment.pods(role)
    before = (await deployment.incarnation(pod)).uid
    await deployment.delete_pod(pod, grace=Budget.HEALTH.seconds())
    await healthy(deployment)
    uids = {(await deployment.incarnation(each)).uid for each in await deployment.pods(role)}
    assert before not in uids, f"{pod.name} lives on: the fault did not bite"


@pytest.mark.requirement("RES-002")
@pytest.mark.disruptive(POOL)
async def test_the_edge_follows_the_size_of_a_pool(deployment: Deployment, evidence: Evidence) -> None:
    """A pool gets one pod more, and another time has one less: the edge uses just those, all is well."""
    size, used = len(await deployment.pods(POOL)), {}
    for replicas in (size + 1, max(size - 1, 1)):
        async with deployment.scaled(POOL, replicas):
            await healthy(deployment)
            used[replicas] = sorted(await active_servers(deployment, BACKENDS[POOL]))
    evidence("servers in use by size", used)
    assert all(active == [replicas] for replicas, active in used.items()), f"HAProxy used {used}"
    await healthy(deployment)


@pytest.mark.requirement("RES-002")
@pytest.mark.disruptive(POOL)
async def test_it_is_well_again_after_a_restart(deployment: Deployment) -> None:
    """Every pod of a pool is replaced, as by a rollout. All is well again, with new pods."""
    before = {(await deployment.incarnation(pod)).uid for pod in await deployment.pods(POOL)}
    await deployment.restart(POOL)
    await healthy(deployment)
    after = {(await deployment.incarnation(pod)).uid for pod in await deployment.pods(POOL)}
    assert not before & after, "a pod was not replaced: the restart did not happen"


@pytest.mark.requirement("RES-013")
@pytest.mark.disruptive(Role.SYNAPSE_MAIN)
async def test_the_main_process_waits_for_its_database(deployment: Deployment) -> None:
    """The main process is cut off from the database and killed. It comes again, says so, and does not end.

    The network is whole again: without another restart all is well.
    """
    [main] = await deployment.pods(Role.SYNAPSE_MAIN)
    before = await deployment.incarnation(main)
    async with deployment.partitioned(Role.SYNAPSE_MAIN, Role.POSTGRESQL):
        await deployment.signal(main, Signals.SIGKILL)
        waiting = await another_life(deployment, main, before)
        await eventually(lambda: waits(deployment, main), within=Budget.HEALTH, label=f"{main.name} waits")
    await healthy(deployment)
    assert await deployment.incarnation(main) == waiting, f"{main.name} ended instead of waiting"


async def waits(deployment: Deployment, pod: Pod) -> bool:
    """Whether a pod says in its present life that it waits for its database."""
    return any(["waiting for postgresql" in line async for line in deployment.logs(pod)])
