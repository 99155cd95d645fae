"""A deployment that is changed while it runs: what differs is rolled, nothing else, and all of it can be undone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fixtures.deployment.interface import DeploymentError, Pod
from fixtures.deployment.patch import FileEdit, ObjectEdit, Patch
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, eventually
from fixtures.rendering.objects import Manifest, Ref
from fixtures.targets.local.addresses import BLOCKS
from fixtures.targets.local.node import Node
from fixtures.targets.local.supervisor import Supervisor
from tests.targets.local.conftest import (
    FOREVER,
    ROLES,
    Rig,
    config_map,
    container,
    pod,
    pod_spec,
    ready_when,
    rig,
    secret,
    server,
    service,
    workload,
)

MINE = [{"name": "files", "mountPath": "/files"}]


def objects() -> list[Manifest]:
    """A workload of each kind; the one of Redis's role reads a file."""
    redis = pod_spec(
        server(image=ROLES[Role.REDIS], readinessProbe=ready_when("/redis"), volumeMounts=MINE),
        volumes=[{"name": "files", "configMap": {"name": "files"}}],
        terminationGracePeriodSeconds=1,
    )
    postgres = pod_spec(
        container(*FOREVER, image=ROLES[Role.POSTGRESQL], env=[_from_secret()]),
        terminationGracePeriodSeconds=1,
    )
    report = pod_spec(container("sh", "-c", "echo made a report"), restartPolicy="Never")
    nightly = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": report}}}},
    }
    return [
        config_map("files", text="old", other="same"),
        secret("door", password="correct-horse-battery"),
        workload("Deployment", "redis", redis, replicas=2),
        service("redis"),
        service("redis-pods", "redis", clusterIP="None"),
        workload("StatefulSet", "postgres", postgres),
        workload("DaemonSet", "node", pod_spec(container(*FOREVER))),
        workload("Job", "once", pod_spec(container("true"), restartPolicy="Never")),
        pod("alone", pod_spec(container(*FOREVER))),
        nightly,
    ]


def _from_secret() -> Manifest:
    return {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "door", "key": "password"}}}


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    async with rig(objects(), tmp_path_factory.mktemp("changing")) as made:
        yield made


def file(new: str) -> Patch:
    """Another content of the file that only Redis reads."""
    return Patch(edits=(FileEdit(configmap="files", file="text", old="old", new=new),))


def command(*words: str, of: str = "StatefulSet/postgres") -> Patch:
    """Another command of the first container."""
    path = "/spec/template/spec/containers/0/command"
    return Patch(
        edits=(ObjectEdit(object=of, operations=({"op": "replace", "path": path, "value": list(words)},)),)
    )


def but(uids: dict[str, str], name: str) -> dict[str, str]:
    """The pods of all other workloads."""
    return {pod: uid for pod, uid in uids.items() if not pod.startswith(f"{name}-")}


class TestVariant:
    async def test_rolls_only_what_it_changes_and_rolls_it_back(self, running: Rig) -> None:
        """A file: its readers are replaced, find it, and are replaced again; nobody else notices."""
        before = await running.uids()
        async with running.deployment.variant(file("new")):
            inside = await running.uids()
            for each in await running.pods("Deployment", "redis"):
                assert each.ready
                assert await running.sh(each, "cat /files/text /files/other") == "newsame"
        after = await running.uids()
        assert but(before, "redis") == but(inside, "redis") == but(after, "redis")
        assert len(before) == len(inside) == len(after)
        assert not {*before.values()} & {uid for name, uid in inside.items() if name.startswith("redis-")}
        assert not {*inside.values()} & {uid for name, uid in after.items() if name.startswith("redis-")}
        for each in await running.pods("Deployment", "redis"):
            assert await running.sh(each, "cat /files/text") == "old"

    async def test_is_rolled_back_when_the_block_raises(self, running: Rig) -> None:
        """And ready again when the error comes out."""
        with pytest.raises(LookupError):
            async with running.deployment.variant(file("new")):
                raise LookupError
        for each in await running.pods("Deployment", "redis"):
            assert each.ready
            assert await running.sh(each, "cat /files/text") == "old"

    async def test_that_never_gets_ready_is_an_error_and_undone(self, running: Rig) -> None:
        """A crash loop ends the wait long before its time; the deployment is then what it was."""
        before = await running.uids()
        with pytest.raises(DeploymentError, match=r"^postgres-0: container main ended 5 times"):
            async with running.deployment.variant(command("sh", "-c", "exit 3")):
                pytest.fail("it was called ready")
        after = await running.uids()
        assert but(after, "postgres") == but(before, "postgres")
        assert await running.sh(await running.pod("StatefulSet", "postgres"), "echo well") == "well"

    async def test_that_the_target_does_not_know_changes_nothing(self, running: Rig) -> None:
        """It is refused before anything is stopped, however often."""
        before = await running.uids()
        edit = {"op": "add", "path": "/spec/template/spec/securityContext/runAsUser", "value": 0}
        lock = {"op": "add", "path": "/spec/template/spec/securityContext/runAsNonRoot", "value": True}
        root = Patch(edits=(ObjectEdit(object="StatefulSet/postgres", operations=(edit, lock)),))
        for patch, said in (
            (command(), "state it"),
            (root, "runAsNonRoot is set but no runAsUser other than 0"),
        ):
            with pytest.raises(
                DeploymentError, match=rf"^StatefulSet/postgres: containers\[0\] main: .*{said}"
            ):
                async with running.deployment.variant(patch):
                    pytest.fail("it was taken")
        await running.deployment.settled(within=10)
        assert await running.uids() == before

    async def test_of_a_variant_is_undone_layer_by_layer(self, running: Rig) -> None:
        """The outer one holds when the inner one has gone."""
        async with running.deployment.variant(file("outer")):
            async with running.deployment.variant(
                Patch(edits=(FileEdit(configmap="files", file="x", new="y"),))
            ):
                each, _ = await running.pods("Deployment", "redis")
                assert await running.sh(each, "cat /files/text /files/x") == "outery"
            each, _ = await running.pods("Deployment", "redis")
            assert await running.sh(each, "cat /files/text; ls /files") == "outerother\ntext"


class TestBecome:
    async def test_of_the_same_changes_nothing(self, running: Rig) -> None:
        """Not even copies of the objects in another order."""
        before = await running.uids()
        await running.deployment.become([*reversed(objects())])
        await running.deployment.become(objects())
        await running.deployment.settled(within=10)
        assert await running.uids() == before

    @pytest.mark.parametrize(
        ("changed", "rolled"),
        [
            (secret("door", password="another-horse-battery"), "postgres"),
            (pod("alone", pod_spec(container(*FOREVER)), colour="red"), "alone"),
            (config_map("files", text="old"), "redis"),
            (service("redis", ports=[{"port": 1}]), None),
        ],
        ids=["a Secret of plain text", "a label", "a file", "a Service"],
    )
    async def test_rolls_whoever_is_made_of_what_changed(
        self, running: Rig, changed: Manifest, rolled: str | None
    ) -> None:
        """Its pods and no others."""
        before = await running.uids()
        mine = [changed if Ref.of(each) == Ref.of(changed) else each for each in objects()]
        await running.deployment.become(mine)
        await running.deployment.settled(within=10)
        after = await running.uids()
        await running.deployment.become(objects())
        await running.deployment.settled(within=10)
        gone = {name.split("-")[0] for name, uid in before.items() if after.get(name) != uid}
        assert gone == ({rolled} if rolled else set())


class TestApplied:
    async def test_objects_are_there_inside_the_block_only(self, running: Rig) -> None:
        """A pod and its Service work together with what was there, and are gone afterwards."""
        before = await running.uids()
        extra = workload("Deployment", "extra", pod_spec(server(readinessProbe=ready_when("/x"))))
        redis, _ = await running.pods("Deployment", "redis")
        async with running.deployment.applied(extra, service("extra")):
            there = await running.pod("Deployment", "extra")
            assert await running.sh(redis, "curl -sS -m 2 http://extra/") == there.name
            assert await running.deployment.get(Ref("Deployment", "extra")) == extra
        assert await running.uids() == before
        assert await running.deployment.get(Ref("Deployment", "extra")) is None
        await running.sh(redis, "getent hosts extra", code=2)

    async def test_object_that_is_there_already_is_refused(self, running: Rig) -> None:
        """It could not be undone."""
        with pytest.raises(
            DeploymentError, match=r"^Service/redis: is there already; change it by a variant$"
        ):
            async with running.deployment.applied(service("redis", "nobody")):
                pytest.fail("it was taken")

    async def test_goes_when_the_block_raises(self, running: Rig) -> None:
        """Also when what was applied is still starting."""
        before = await running.uids()
        with pytest.raises(LookupError):
            async with running.deployment.applied(pod("extra", pod_spec(container(*FOREVER)))):
                raise LookupError
        assert await running.uids() == before


class TestScaled:
    async def test_up_and_down_is_followed_by_service_and_names(self, running: Rig) -> None:
        """Four, one: those that stay are the same pods, and only pods that are there are found. Two again after it."""
        client, before = await running.pod("Pod", "alone"), await running.uids()

        async def found(replicas: int) -> list[Pod]:
            pods = await running.pods("Deployment", "redis")
            assert len(pods) == replicas
            names = await running.sh(client, "getent ahostsv4 redis-pods | awk '{print $1}'")
            assert set(names.split()) == {each.address for each in pods}
            said = await running.sh(client, "for i in $(seq 40); do curl -sS -m 2 http://redis/; done")
            assert set(said.split()) == {each.name for each in pods}
            return pods

        async with running.deployment.scaled(Role.REDIS, 4):
            assert set(before) < {each.name for each in await found(4)} | set(but(before, "redis"))
            async with running.deployment.scaled(Role.REDIS, 1):
                [last] = await found(1)
                assert last.name in before
        await found(2)
        assert but(await running.uids(), "redis") == but(before, "redis")

    async def test_to_nobody_leaves_a_service_that_refuses(self, running: Rig) -> None:
        """No pod, no address, a connection refused at once."""
        client = await running.pod("Pod", "alone")
        async with running.deployment.scaled(Role.REDIS, 0):
            await running.sh(client, "curl -sS -m 1 http://redis/ 2>/dev/null", code=7)
            await running.sh(client, "getent hosts redis-pods", code=2)

    async def test_of_a_statefulset_counts_from_zero(self, running: Rig) -> None:
        """The first stays, the second comes and goes."""
        before = await running.uids()
        async with running.deployment.scaled(Role.POSTGRESQL, 2):
            inside = await running.uids()
        assert inside.keys() - before.keys() == {"postgres-1"}
        assert await running.uids() == before

    async def test_names_the_role_that_nobody_plays(self, running: Rig) -> None:
        """Nothing is scaled by mistake."""
        with pytest.raises(DeploymentError, match="no workload of the deployment plays the role haproxy"):
            async with running.deployment.scaled(Role.HAPROXY, 2):
                pytest.fail("it was taken")


@pytest.mark.parametrize(("role", "name"), [(Role.REDIS, "redis"), (Role.POSTGRESQL, "postgres")])
async def test_restart_replaces_every_pod_of_the_role_and_no_other(
    running: Rig, role: Role, name: str
) -> None:
    """Once; and a second time, as it is asked for a second time."""
    seen = await running.uids()
    for _ in range(2):
        before = await running.uids()
        await running.deployment.restart(role)
        await running.deployment.settled(within=20)
        after = await running.uids()
        assert but(after, name) == but(before, name)
        mine = {uid for pod, uid in after.items() if pod.startswith(f"{name}-")}
        assert not mine & set(before.values())
        assert len(after) == len(seen)


class TestJob:
    async def test_gives_output_and_exit_code(self, running: Rig) -> None:
        """Good or bad, as often as one likes; the deployment does not mind, and nothing of it stays."""
        before = await running.uids()
        for code in (0, 5, 0):
            script = f"echo out; echo err >&2; exit {code}"
            done = await running.deployment.run_job(
                workload("Job", "errand", pod_spec(container("sh", "-c", script), restartPolicy="Never")),
                within=10,
            )
            assert (done.exit_code, sorted(done.stdout.decode().split())) == (code, ["err", "out"])
            await running.deployment.settled(within=10)

        async def gone() -> bool:
            return await running.uids() == before

        await eventually(gone, within=Budget.LOG_LINE, label="the pods of the Jobs are gone")

    async def test_of_a_cron_job_runs_now(self, running: Rig) -> None:
        """By its name; it ran never before."""
        assert "nightly" not in {name.split("-")[0] for name in await running.uids()}
        done = await running.deployment.run_job(Ref("CronJob", "nightly"), within=10)
        assert (done.exit_code, done.stdout) == (0, b"made a report\n")

    async def test_that_takes_too_long_is_ended(self, running: Rig) -> None:
        """TimeoutError names it; its pod goes, and the deployment is well."""
        slow = workload("Job", "slow", pod_spec(container("sleep", "60"), terminationGracePeriodSeconds=0))
        with pytest.raises(TimeoutError, match=r"^Job/slow-\w+ did not end within 0\.5 s$"):
            await running.deployment.run_job(slow, within=0.5)

        async def gone() -> bool:
            return not any(name.startswith("slow-") for name in await running.uids())

        await eventually(gone, within=Budget.LOG_LINE, label="the pod is gone")
        await running.deployment.settled(within=5)

    async def test_is_not_waited_for_by_others(self, running: Rig) -> None:
        """While it runs, the deployment is as settled as it was."""
        slow = workload("Job", "slow", pod_spec(container("sleep", "1"), restartPolicy="Never"))
        job = asyncio.create_task(running.deployment.run_job(slow, within=10))

        async def begun() -> bool:
            return any(name.startswith("slow-") for name in await running.uids())

        await eventually(begun, within=Budget.LOG_LINE, label="the Job begins")
        await running.deployment.settled(within=5)
        assert not job.done()
        assert (await job).exit_code == 0

    async def test_that_cannot_begin_says_why(self, running: Rig) -> None:
        """No exit code is made up."""
        spec = pod_spec(container("true"), volumes=[{"name": "v", "configMap": {"name": "gone"}}])
        with pytest.raises(DeploymentError, match=r"^lost-\w+: volume v: there is no ConfigMap gone$"):
            await running.deployment.run_job(workload("Job", "lost", spec), within=10)
        await running.deployment.settled(within=5)

    async def test_that_nobody_declared_is_named(self, running: Rig) -> None:
        """An unknown CronJob, and a field that the target does not know."""
        with pytest.raises(DeploymentError, match="there is no CronJob/daily to run"):
            await running.deployment.run_job(Ref("CronJob", "daily"), within=5)
        with pytest.raises(
            DeploymentError, match=r"Job/x-\w+: spec\.suspend: the local target does not know"
        ):
            await running.deployment.run_job(
                workload("Job", "x", pod_spec(container("true")), suspend=True), within=5
            )


class TestDaemonSet:
    async def test_has_one_pod_with_the_files_of_all_sources(self, shared: Rig) -> None:
        """A ConfigMap's and a Secret's in one volume, each with its mode; what is optional may be missing."""
        node = await shared.pod("DaemonSet", "node")
        assert node.ready
        listed = await shared.sh(node, "cd /both; find . -type f -exec stat -c '%n %a %u' {} + | sort")
        assert listed.splitlines() == ["./deep/1 400 0", "./password 440 0"]

    async def test_replaces_its_pod(self, running: Rig) -> None:
        """Another one, by uid."""
        before = await running.uids()
        await running.deployment.delete_pod(await running.pod("DaemonSet", "node"), grace=0)
        await running.deployment.settled(within=10)
        after = await running.uids()
        assert len(after) == len(before)
        assert after["node"] != before["node"]


class NoNetwork(Node):
    """A node that wires nothing."""

    def wire(self, netns: str, number: int, address: str) -> None:
        """Do nothing."""

    def unwire(self, netns: str, number: int, address: str) -> None:
        """Do nothing."""


async def test_addresses_of_pods_that_are_gone_are_given_again(tmp_path: Path) -> None:
    """A deployment may live long: more pods one after the other than there are addresses, no address twice soon."""
    supervisor = Supervisor(BLOCKS[0], tmp_path, tmp_path, begin=0)
    supervisor.node = NoNetwork(BLOCKS[0])
    supervisor.apply([pod("alone", pod_spec(container("x")))], {}, [])
    seen = []
    for _ in range(BLOCKS[0].pods.num_addresses + 10):
        [alone] = supervisor.pods.values()
        seen.append(alone.address)
        await supervisor.delete(alone, grace=0)
    assert len(set(seen[:1000])) == 1000
    assert len(set(seen)) < len(seen)
    supervisor.apply([], {}, [Ref("Pod", "alone")])
    await supervisor.until(lambda: not supervisor.pods)
