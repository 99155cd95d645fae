"""The node is a Kubernetes: pods, names, storage, Services, policies, metrics; and this machine stays as it was."""

from __future__ import annotations

import asyncio
import contextlib
import stat
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from fixtures.deployment.interface import DeploymentError
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.rendering.objects import Manifest
from fixtures.targets.kubernetes.providers import inotify
from fixtures.targets.kubernetes.providers import node as provider
from fixtures.targets.kubernetes.providers.node import node_cluster, server_command
from fixtures.targets.local.addresses import BLOCKS
from tests.targets.kubernetes.host import Sysctls, sysctls
from tests.targets.kubernetes.on_node import PORT, PYTHON, TALK, Api, need_node, pod, service

ANSWER_S: Final = 2.0


@contextlib.asynccontextmanager
async def there(node: Api, *objects: Manifest) -> AsyncIterator[dict[str, str]]:
    """Objects, applied and removed; the addresses of the pods among them, ready."""
    try:
        await node.apply(*objects)
        names = [each["metadata"]["name"] for each in objects if each["kind"] == "Pod"]
        yield {name: await ready(node, name) for name in names}
    finally:
        await node.delete(*objects)


async def ready(node: Api, name: str) -> str:
    """The address of a pod, as soon as it is ready."""

    async def address() -> str:
        return await node.address_of(name)

    return await eventually(address, within=Budget.REPLACEMENT, label=f"pod {name} is ready")


async def meets(node: Api, source: str, address: str, wanted: str, port: int = PORT) -> None:
    """A new connection from a pod meets this, soon."""

    async def met() -> bool:
        if (seen := await node.ask(source, address, port)) != wanted:
            raise NotYet(seen)
        return True

    await eventually(met, within=Budget.ROUTING, label=f"{source} to {address}:{port} meets {wanted}")


def policy(name: str, **spec: Any) -> Manifest:
    """A NetworkPolicy of the default namespace; of all pods unless it says which."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": {}, **spec},
    }


async def test_kubeconfig_is_for_its_owner_only(node: Api) -> None:
    """Whoever reads it is the cluster's master."""
    assert stat.S_IMODE(node.cluster.kubeconfig.stat().st_mode) == 0o600
    assert (await node.get("nodes"))["items"][0]["metadata"]["name"] == "shared"


async def test_settings_of_this_machine_stay(node: Api, untouched: Sysctls) -> None:
    """The node runs; a kubelet would set some of them for everybody."""
    await node.get("nodes")
    assert sysctls() == untouched


async def test_volume_outlives_its_pod(node: Api) -> None:
    """A claim is bound when a pod wants it; what one pod wrote the next one reads; deleted, its folder is gone."""
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "kept"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    user: dict[str, Any] = {
        "volumes": [{"name": "kept", "persistentVolumeClaim": {"claimName": "kept"}}],
        "mounts": [{"name": "kept", "mountPath": "/kept"}],
        "securityContext": {"runAsUser": 991, "runAsGroup": 991, "runAsNonRoot": True},
    }
    script = "print(open('/kept/file', 'a+').write('x'), open('/kept/file').read())"
    async with there(node, claim):
        for lived in ("x", "xx"):
            async with there(node, pod("writer", **user)):
                said = await node.kubectl("exec", "writer", "--", *PYTHON, script)
            assert said.split()[1] == lived
        [volume] = (await node.get("pv"))["items"]
        folder = Path(volume["spec"]["hostPath"]["path"])
        assert (folder / "file").read_text() == "xx"

    async def gone() -> bool:
        return not folder.exists()

    await eventually(gone, within=Budget.REPLACEMENT, label="the volume's folder is gone")


async def test_names_of_services_are_found_and_others_are_not(node: Api) -> None:
    """A Service by its name, from a pod; a name outside of the cluster is answered, with no."""
    find = "import socket, sys\nprint(socket.gethostbyname(sys.argv[1]))"
    async with there(node, pod("a"), pod("b"), service("named", "b")) as addresses:
        await meets(node, "a", "named.default.svc.cluster.local", addresses["a"], 80)
        said = await node.kubectl("exec", "a", "--", *PYTHON, find, "named")
        assert said.strip() == (await node.get("service", "named"))["spec"]["clusterIP"]
        await node.kubectl("exec", "a", "--", *PYTHON, find, "matrix.org", code=1)


@pytest.mark.parametrize("traffic", ["Local", "Cluster"])
async def test_load_balancer_is_reached_from_here(node: Api, traffic: str) -> None:
    """With Local the pod sees this machine's address; with Cluster it does not."""
    block = next(each for each in BLOCKS if str(each.node_address) == node.cluster.address)
    front = service("front", "web", type="LoadBalancer", externalTrafficPolicy=traffic)
    async with there(node, pod("web"), front):

        async def answer() -> str:
            status = (await node.get("service", "front"))["status"]["loadBalancer"]
            if not status.get("ingress"):
                raise NotYet("it has no address")
            try:
                reader, writer = await asyncio.open_connection(status["ingress"][0]["ip"], 80)
            except OSError as error:
                raise NotYet(str(error)) from error
            writer.write(b"x\n")
            async with asyncio.timeout(ANSWER_S):
                line = await reader.readline()
            writer.close()
            return line.decode().strip()

        seen = await eventually(answer, within=Budget.ROUTING, label="the load balancer answers")
        assert (seen == str(block.host_address)) == (traffic == "Local"), seen


async def test_policies_are_enforced(node: Api) -> None:
    """Denied, all are dropped; allowed by label and named port, one is let in; without a way out not even names are."""
    allow = policy(
        "allow",
        podSelector={"matchLabels": {"app": "b"}},
        ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "a"}}}], "ports": [{"port": "talk"}]}],
    )
    async with there(node, pod("a"), pod("b"), pod("c")) as addresses:
        await meets(node, "a", addresses["b"], addresses["a"])
        async with there(node, policy("deny")):
            await meets(node, "a", addresses["b"], "TimeoutError")
            async with there(node, allow):
                await meets(node, "a", addresses["b"], addresses["a"])
                assert await node.ask("c", addresses["b"]) == "TimeoutError"
        await meets(node, "c", addresses["b"], addresses["c"])
        async with there(node, policy("inside", policyTypes=["Egress"])):
            await meets(node, "a", addresses["b"], "TimeoutError")
            for name, namespace, port in (("kube-dns", "kube-system", 53), ("kubernetes", "default", 443)):
                address = (await node.get("service", "--namespace", namespace, name))["spec"]["clusterIP"]
                assert await node.ask("a", address, port) == "TimeoutError", f"the way to {name} is open"


async def test_policy_cuts_connections_that_it_forbids(node: Api) -> None:
    """Two pods talk; a deny stops them, and without it they go on."""
    async with (
        there(node, pod("b")) as addresses,
        there(node, pod("talker", TALK, addresses["b"], str(PORT))),
    ):

        async def further(than: int) -> int:
            if (count := len((await node.kubectl("logs", "talker")).splitlines())) <= than:
                raise NotYet(f"{count} answers, {than} before")
            return count

        async def going_on(since: int) -> int:
            return await eventually(lambda: further(since), within=Budget.ROUTING, label="the pods talk")

        async def still() -> bool:
            before = len((await node.kubectl("logs", "talker")).splitlines())
            with contextlib.suppress(NotYet):
                return await further(before) == before
            return True

        before = await going_on(0)
        async with there(node, policy("deny", podSelector={"matchLabels": {"app": "b"}})):
            await eventually(still, within=Budget.ROUTING, label="the pods are silent")
        await going_on(before)


async def test_metrics_of_pods_are_served(node: Api) -> None:
    """What an autoscaler reads."""

    async def metered() -> Sequence[Any]:
        try:
            found = await node.kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes")
        except AssertionError as error:
            raise NotYet(str(error)) from error
        return [found] if '"memory"' in found else []

    assert await eventually(metered, within=Budget.DEPLOYMENT, label="the node has metrics")


async def test_two_nodes_do_not_meet(node: Api, tmp_path: Path) -> None:
    """A second one starts beside the first, with addresses and pods of its own; the first goes on."""
    need_node()
    async with node_cluster(
        name="second", folder=tmp_path, archives=[], keep=False, on_event=lambda _: None
    ) as cluster:
        other = Api(cluster)
        async with there(other, pod("a")), there(node, pod("b")) as addresses:
            assert [each["metadata"]["name"] for each in (await other.get("pods"))["items"]] == ["a"]
            assert await other.ask("a", addresses["b"]) == "TimeoutError"
    await node.get("nodes")


async def test_archive_that_is_none_ends_the_start(node: Api, tmp_path: Path) -> None:
    """One line: which archive, and where more is said."""
    need_node()
    (bad := tmp_path / "bad.tar").write_text("no archive")
    with pytest.raises(DeploymentError, match=r"the node ended: .*image archive .*bad\.tar.*; see "):
        async with node_cluster(
            name="bad", folder=tmp_path, archives=[bad], keep=False, on_event=lambda _: None
        ):
            pytest.fail("it started")


async def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where ./run has not set the node up: what lacks, and what to do."""
    monkeypatch.setattr(provider, "NODE", tmp_path)
    with pytest.raises(
        DeploymentError, match=r"a node needs .*kube: run it through \./run with --target node"
    ):
        async with node_cluster(
            name="bare", folder=tmp_path, archives=[], keep=False, on_event=lambda _: None
        ):
            pytest.fail("it started")


async def test_exhausted_machine_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """More instances of inotify than the kernel gives: how many are left, and what to do, before anything starts."""
    need_node()
    monkeypatch.setattr(provider, "INOTIFY_INSTANCES", int(inotify.LIMIT.read_text()) + 1)
    with pytest.raises(DeploymentError, match=r"instances of inotify and \d+ of \d+ are left"):
        async with node_cluster(
            name="late", folder=tmp_path, archives=[], keep=False, on_event=lambda _: None
        ):
            pytest.fail("it started")


def test_command_names_everything_that_is_its_own(tmp_path: Path) -> None:
    """Addresses of the block, folders of the run, images: nothing of it is left to a default."""
    block = BLOCKS[3]
    command = server_command("n", tmp_path / "logs", [tmp_path / "more.tar"], block, tmp_path, 7)
    assert {
        "--lease=7",
        f"--node-ip={block.node_address}",
        f"--cluster-cidr={block.pods}",
        f"--control-group={block.link}",
        f"--image={tmp_path / 'more.tar'}",
    } <= set(command)
