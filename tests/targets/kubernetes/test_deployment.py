"""The Deployment interface on a real Kubernetes: small pods of a real image on a node of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from signal import Signals

import pytest

from fixtures.deployment.interface import (
    Absent,
    Capability,
    Completed,
    Deployment,
    DeploymentError,
    Event,
    Incarnation,
    Pod,
    Reach,
    SecretRef,
)
from fixtures.deployment.patch import FileEdit, ObjectEdit, Patch
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.rendering.objects import Manifest, Ref
from fixtures.targets.kubernetes.bringing import attached
from fixtures.targets.kubernetes.client import client
from fixtures.targets.kubernetes.cluster import Cluster
from fixtures.targets.kubernetes.placing import placed
from fixtures.targets.kubernetes.sanity import DEFAULT_CLASS
from fixtures.targets.kubernetes.target import KubernetesDeployment
from tests.targets.kubernetes.on_node import Api
from tests.targets.kubernetes.tiny import (
    OBJECTS,
    PASSWORD,
    PORT,
    SERVE,
    SERVER,
    container,
    deployed,
    ping,
    pod_spec,
    tiny_node,
    workload,
)

# Opens a connection, and asks on it when it is told to: at first nobody answers, then somebody does.
SPEAK = r"""
exec 3<>"/dev/tcp/$0/6379"
echo PING >&3 && read -r answer <&3 && touch /scratch/open
until [ -e /scratch/speak ]; do sleep 0.1; done
echo PING >&3
read -t 2 -r answer <&3 && echo "$answer" || echo silence
touch /scratch/asked
read -r answer <&3 && echo "$answer"
"""
SIZES = (10, 3_000, 300_000)


@pytest.fixture(scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """A node with the one image."""
    async with tiny_node(tmp_path_factory.mktemp("node")) as there:
        yield there


@pytest.fixture
def shared(cluster: Cluster) -> Cluster:
    """The same, as somebody else's: each deployment has a namespace of its own."""
    return replace(cluster, provider="kubeconfig", ephemeral=False, address=None)


@pytest.fixture(scope="module")
async def running(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """What most tests share; each leaves it as it was."""
    async with deployed(cluster, tmp_path_factory.mktemp("run"), *OBJECTS) as there:
        yield there


@pytest.fixture
async def redis(running: Deployment) -> Pod:
    """The pod that serves."""
    [pod] = await running.pods(Role.REDIS)
    return pod


async def run(running: Deployment, pod: Pod, script: str, stdin: bytes = b"") -> Completed:
    """A script in a pod."""
    return await running.exec(pod, "sh", "-c", script, stdin=stdin, within=Budget.REQUEST.seconds())


async def there(running: Deployment, pod: Pod, file: str) -> None:
    """Wait until a pod has made a file."""

    async def made() -> bool:
        return (await run(running, pod, f"test -e /scratch/{file}")).exit_code == 0

    await eventually(made, within=Budget.REQUEST, label=f"{pod.name} has made {file}")


async def another_life(running: Deployment, pod: Pod, before: Incarnation) -> Incarnation:
    """Wait until the pod lives another life, and is ready."""

    async def reborn() -> Incarnation:
        if (now := await running.incarnation(pod)) == before:
            raise NotYet("it lives on")
        return now

    after = await eventually(reborn, within=Budget.REPLACEMENT, label=f"{pod.name} lives again")
    await running.settled(within=Budget.HEALTH.seconds())
    return after


async def test_a_pod_is_what_it_was_declared_as(running: Deployment, redis: Pod) -> None:
    """Name, owner, role, readiness and containers; both workloads are there."""
    assert (redis.name, redis.owner, redis.role, redis.ready) == (
        "redis-0",
        Ref("StatefulSet", "redis"),
        Role.REDIS,
        True,
    )
    assert redis.containers == ("main",)
    assert await running.get(Ref("ConfigMap", "files")) == OBJECTS[1]
    assert await running.secret(SecretRef("secrets", "password")) == PASSWORD.encode()
    assert isinstance(await running.secret(SecretRef("secrets", "other")), Absent)


async def test_a_command_says_how_it_ended(running: Deployment, redis: Pod) -> None:
    """Exit code and both streams, apart; what is not there is an error that names it."""
    done = await run(running, redis, "echo out; echo err >&2; exit 7")
    assert done == Completed(7, b"out\n", b"err\n")
    with pytest.raises(DeploymentError, match=r"nonesuch in Pod/redis-0 \(main\)"):
        await running.exec(redis, "nonesuch", within=Budget.REQUEST.seconds())


@pytest.mark.parametrize("size", SIZES)
async def test_what_goes_in_comes_out_whole(size: int, running: Deployment, redis: Pod) -> None:
    """Standard input of some size reaches a command, and a file though nothing comes after its reader."""
    text = bytes(index % 251 for index in range(size))
    assert (await running.exec(redis, "cat", stdin=text, within=Budget.REQUEST.seconds())).stdout == text
    await run(running, redis, "cat >/scratch/file", text)
    assert (await run(running, redis, "cat /scratch/file")).stdout == text


async def test_a_command_that_takes_too_long_is_left(running: Deployment, redis: Pod) -> None:
    """TimeoutError names the command."""
    with pytest.raises(TimeoutError, match="sleep in Pod/redis-0"):
        await running.exec(redis, "sleep", "60", within=Budget.PROBE.seconds())


async def test_a_port_is_reached_by_pod_and_by_service(running: Deployment, redis: Pod) -> None:
    """Whatever the port is called there. Where nobody listens the connection ends without a word."""
    for to in (redis, Ref("Service", "redis")):
        async with running.dial(to, PORT) as address:
            assert await ping(address) == b"+PONG\r\n"
            assert await ping(address) == b"+PONG\r\n"
    async with running.dial(redis, "nobody") as address:
        assert await ping(address) == b""
    with pytest.raises(DeploymentError, match="other"):
        async with running.dial(redis, "other"):
            pass


async def test_a_killed_process_is_another_life(running: Deployment, redis: Pod) -> None:
    """SIGKILL to the first process: the same pod, another container; the log of the life before is there."""
    before = await running.incarnation(redis)
    await running.signal(redis, Signals.SIGKILL)
    after = await another_life(running, redis, before)
    assert (after.uid, after.restarts) == (before.uid, before.restarts + 1)
    assert "serving hello" in [line async for line in running.logs(redis, previous=True)]


async def test_a_deleted_pod_is_another_pod(running: Deployment, redis: Pod) -> None:
    """At once, without any grace."""
    before = await running.incarnation(redis)
    await running.delete_pod(redis, grace=0)
    await running.settled(within=Budget.HEALTH.seconds())
    [again] = await running.pods(Role.REDIS)
    assert (await running.incarnation(again)).uid != before.uid


async def test_a_policy_decides_what_a_connection_meets(running: Deployment, redis: Pod) -> None:
    """Open; refused where nobody listens; not answered when a policy lets nobody pass."""
    [watcher] = await running.pods(Role.HAPROXY)
    assert await running.probe(watcher, redis, PORT) is Reach.OPEN
    assert await running.probe(watcher, redis, "nobody") is Reach.REFUSED
    nothing = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "nothing"},
        "spec": {"podSelector": {"matchLabels": {"app": "redis"}}, "policyTypes": ["Ingress"]},
    }

    async def closed() -> bool:
        return await running.probe(watcher, redis, PORT) is Reach.TIMED_OUT

    async with running.applied(nothing):
        await eventually(closed, within=Budget.HEALTH, label="nobody passes")
    assert await running.probe(watcher, redis, PORT) is Reach.OPEN


async def test_a_partition_cuts_what_is_open(running: Deployment, redis: Pod) -> None:
    """A connection that was open before: asked while the network is cut nobody answers, afterwards somebody does."""
    [watcher] = await running.pods(Role.HAPROXY)
    await run(running, watcher, "rm -f /scratch/*")
    speaking = asyncio.create_task(
        running.exec(watcher, "bash", "-c", SPEAK, redis.address, within=Budget.HEALTH.seconds())
    )
    await there(running, watcher, "open")
    async with running.partitioned(Role.HAPROXY, Role.REDIS):
        assert await running.probe(watcher, redis, PORT) is Reach.TIMED_OUT
        await run(running, watcher, "touch /scratch/speak")
        await there(running, watcher, "asked")
    assert await speaking == Completed(0, b"silence\n+PONG\r\n", b"")


async def test_a_variant_rolls_what_it_changes(running: Deployment, redis: Pod) -> None:
    """Another text in a file: its users are replaced and read it; afterwards all is as before."""
    [watcher] = await running.pods(Role.HAPROXY)
    edit = FileEdit(configmap="files", file="greeting", old="hello", new="goodbye")
    async with running.variant(Patch(edits=(edit,))):
        [pod] = await running.pods(Role.HAPROXY)
        assert pod.name != watcher.name
        assert (await run(running, pod, "cat /files/greeting")).stdout == b"goodbye"
    [pod] = await running.pods(Role.HAPROXY)
    assert (await run(running, pod, "cat /files/greeting")).stdout == b"hello"


async def test_who_uses_a_changed_secret_is_restarted(running: Deployment, redis: Pod) -> None:
    """Its pods are others, and know the new value; it is changed back."""
    for value in ("another-secret-value", PASSWORD):
        before = {
            pod.name: await running.incarnation(pod)
            for role in (Role.REDIS, Role.HAPROXY)
            for pod in await running.pods(role)
        }
        edit = ObjectEdit(
            object="Secret/secrets",
            operations=({"op": "replace", "path": "/stringData/password", "value": value},),
        )
        await running.change(Patch(edits=(edit,)))
        await running.settled(within=Budget.HEALTH.seconds())
        for role in (Role.REDIS, Role.HAPROXY):
            [pod] = await running.pods(role)
            assert (await running.incarnation(pod)).uid not in {life.uid for life in before.values()}
            assert (await run(running, pod, "cat /secrets/password")).stdout == value.encode()


async def test_a_workload_has_as_many_pods_as_it_is_told(running: Deployment) -> None:
    """Three, none; one as before."""
    for count in (3, 0):
        async with running.scaled(Role.HAPROXY, count):
            assert len(await running.pods(Role.HAPROXY)) == count
        assert len(await running.pods(Role.HAPROXY)) == 1


async def test_a_job_runs_to_its_end(running: Deployment) -> None:
    """What it says, and how it ends; nothing of it stays."""
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "errand"},
        "spec": {"template": {"spec": pod_spec(container("echo done; exit 3"), restartPolicy="Never")}},
    }
    done = await running.run_job(job, within=Budget.HEALTH.seconds())
    assert done == Completed(3, b"done\n", b"")
    assert await running.get(Ref("Job", "errand")) is None


async def test_what_a_pod_uses_is_measured(running: Deployment, redis: Pod) -> None:
    """More than nothing, less than its limit; the peak is no less than what its group has now."""
    used = await running.usage(redis)
    assert 0 < used.memory_bytes < 64 * 2**20
    assert used.peak_bytes is not None
    assert used.cpu_s > 0


async def test_logs_are_followed_from_the_start_and_censored(shared: Cluster, tmp_path: Path) -> None:
    """A container that says its secret at once and ends: what it wrote is in the run's folder, without the secret."""
    names = (
        *OBJECTS[:4],
        workload(
            "StatefulSet",
            "redis",
            SERVER | {"command": ["sh", "-c", f"cat /secrets/password; echo; {SERVE}"]},
        ),
    )
    async with deployed(shared, tmp_path, *names):
        file = tmp_path / "logs" / "redis-0" / "main.0.log"

        async def written() -> bool:
            return file.exists() and "serving hello" in file.read_text()

        await eventually(written, within=Budget.LOG_LINE, label="the log is in the run's folder")
        assert PASSWORD not in file.read_text()
        assert "[secret secrets/password]" in file.read_text()


async def test_what_operators_make_is_as_secret(shared: Cluster, tmp_path: Path) -> None:
    """A Secret that nobody of the run applied: its key is censored, the name of a host in it is not."""
    host = "database.tiny.example"
    values = {"tls.key": PASSWORD[::-1], "host": host}
    made = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "made"}, "stringData": values}
    async with deployed(shared, tmp_path, *OBJECTS[:4]) as running:
        assert isinstance(running, KubernetesDeployment)
        [here] = placed([made], running.placement)
        await running.client.apply(here)
        await running.dumped()
        censored = running.observer.follower.censor(f"{PASSWORD[::-1]} {PASSWORD} {host}".encode())
    assert censored == f"[secret made/tls.key] [secret secrets/password] {host}".encode()


@pytest.mark.parametrize(
    ("main", "said"),
    [
        (
            SERVER | {"image": "registry.invalid/nonesuch:1"},
            r"Pod/redis-0: main cannot start without its image \S+: (ErrImagePull|ImagePullBackOff): .*; correct its",
        ),
        (
            SERVER | {"command": ["sh", "-c", "echo what is wrong >&2; exit 3"]},
            r"Pod/redis-0: main ends again and again, last with exit code 3 .*what is wrong",
        ),
        (
            SERVER | {"resources": {"requests": {"cpu": "900", "memory": "16Mi"}}},
            r"the cluster is too small: it lacks CPU",
        ),
    ],
    ids=["no image", "a crash loop", "too large"],
)
async def test_what_never_becomes_ready_is_told_early(
    main: Manifest, said: str, shared: Cluster, tmp_path: Path
) -> None:
    """Long before the time is over, with the reason in one line."""
    begin = time.monotonic()
    with pytest.raises(DeploymentError, match=said):
        async with deployed(
            shared, tmp_path, *OBJECTS[:4], workload("StatefulSet", "redis", main), within=1000.0
        ):
            pass
    assert time.monotonic() - begin < Budget.DEPLOYMENT.seconds()


async def test_a_cluster_without_a_default_storage_class_is_told_at_once(
    shared: Cluster, tmp_path: Path
) -> None:
    """One error before anything is sent."""
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    claimant = workload("StatefulSet", "redis", SERVER)
    claimant["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "state"}, "spec": asked}]
    api = Api(shared)
    [storage] = (await api.get("storageclass"))["items"]
    name = storage["metadata"]["name"]
    before = {each["metadata"]["name"] for each in (await api.get("namespaces"))["items"]}
    await api.kubectl("annotate", "storageclass", name, f"{DEFAULT_CLASS}-")
    try:
        with pytest.raises(
            DeploymentError, match=r"^StatefulSet/redis: .* no default one; mark one as default$"
        ):
            async with deployed(shared, tmp_path, *OBJECTS[:4], claimant):
                pass
        assert {each["metadata"]["name"] for each in (await api.get("namespaces"))["items"]} <= before
    finally:
        await api.kubectl("annotate", "storageclass", name, f"{DEFAULT_CLASS}=true")


async def test_a_cluster_that_enforces_no_policy_is_told(shared: Cluster, tmp_path: Path) -> None:
    """While the program that enforces them is stopped, all is deployed, and what stands on policies has a reason."""
    with without_enforcer(shared):
        async with deployed(shared, tmp_path, *OBJECTS[:5]) as running:
            instead = running.provides(Capability.NETWORK_POLICY)
            assert isinstance(instead, Absent)
            assert "this cluster does not enforce NetworkPolicies" in instead.reason


@contextlib.contextmanager
def without_enforcer(cluster: Cluster) -> Iterator[None]:
    """Stop the node's own server, which enforces policies; what runs pods and takes objects are its children."""
    wrote = f"--write-kubeconfig={cluster.kubeconfig}"
    found = list[int]()
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            words = file.read_text(errors="replace").split("\0")
            if "--isolated" in words and wrote in words:
                found.append(int(file.parent.name))
    assert found, "no server of a node runs here"
    for process in found:  # one that waits for the other, and that
        os.kill(process, Signals.SIGSTOP)
    try:
        yield
    finally:
        for process in found:
            os.kill(process, Signals.SIGCONT)


async def test_a_cluster_of_somebody_else_is_left_as_it_was(shared: Cluster, tmp_path: Path) -> None:
    """Not ours: the deployment gets a namespace of its own, which is gone afterwards."""
    async with client(shared) as api:
        before = {each["metadata"]["name"] for each in await api.listed("v1", "Namespace")}
        async with deployed(shared, tmp_path, *OBJECTS) as running:
            now = {each["metadata"]["name"] for each in await api.listed("v1", "Namespace")}
            assert [name for name in now - before if name.startswith("tiny-")]
            assert isinstance(running.provides(Capability.SIGNAL), Absent)
            assert len(await running.pods(Role.REDIS)) == 1

        async def gone() -> bool:
            return {each["metadata"]["name"] for each in await api.listed("v1", "Namespace")} <= before

        await eventually(gone, within=Budget.DEPLOYMENT, label="nothing is left")


async def test_a_kept_deployment_is_taken_again(shared: Cluster, tmp_path: Path) -> None:
    """It stays when its maker leaves; whoever comes later has its objects and its Secrets."""
    async with deployed(shared, tmp_path, *OBJECTS, keep=True):
        pass
    told: list[Event] = []
    async with attached(shared, "tiny.example", begin=time.time(), on_event=told.append) as running:
        assert len(await running.pods(Role.REDIS)) == 1
        assert await running.secret(SecretRef("secrets", "password")) == PASSWORD.encode()
        await running.client.delete(Ref("Namespace", running.namespace), "v1", namespace=None)
    with pytest.raises(DeploymentError, match=r"no kept deployment of other\.example is there"):
        async with attached(shared, "other.example", begin=time.time(), on_event=told.append):
            pass
