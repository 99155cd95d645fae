"""What a pod may use and what it used, and that nothing of it gets out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fixtures.deployment.interface import Absent, Capability, Pod
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.rendering.objects import Manifest
from fixtures.targets.local.target import provides
from tests.targets.local.conftest import (
    FOREVER,
    Rig,
    container,
    doors,
    pod,
    pod_spec,
    policy,
    rig,
    server,
    service,
)

MEBIBYTE = 1 << 20
# Eats memory as soon as it is told to; its next life does not.
EATER = """
import pathlib, time
print("up", flush=True)
while True:
    order = pathlib.Path("/scratch/eat")
    if order.exists():
        amount = int(order.read_text())
        order.unlink()
        eaten = amount * b"x"
        print("ate", len(eaten), flush=True)
    time.sleep(0.02)
"""


def eater(name: str, **fields: Any) -> Manifest:
    mounts = [{"name": "scratch", "mountPath": "/scratch"}]
    return pod(name, pod_spec(container("python3", "-S", "-c", EATER, volumeMounts=mounts, **fields)))


@pytest.fixture(scope="module")
async def limited(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    """One pod that may use 64 MiB and one that may use what it likes; nobody has tried to get out."""
    limits = {"limits": {"memory": "64Mi"}}
    objects = [
        eater("small", resources=limits),
        eater("large"),
        pod("web", pod_spec(server())),
        service("web"),
        pod("client", pod_spec(container(*FOREVER))),
    ]
    async with rig(objects, tmp_path_factory.mktemp("limited")) as made:
        yield made


async def eat(made: Rig, where: Pod, amount: int) -> None:
    """Tell the program to use so much more."""
    await made.sh(where, f"echo {amount} > /scratch/order; mv /scratch/order /scratch/eat")


async def ate(made: Rig, where: Pod) -> bool:
    return any(line.startswith("ate") for line in await made.log(where))


class TestMemory:
    async def test_above_the_limit_kills_the_program_which_starts_again(self, limited: Rig) -> None:
        """It ends as by SIGKILL, and its next life is well."""
        if isinstance(absent := provides(Capability.MEMORY_LIMIT), Absent):
            pytest.skip(absent.reason)
        small = await limited.pod("Pod", "small")
        before = await limited.deployment.incarnation(small)
        await eat(limited, small, 200 * MEBIBYTE)

        async def killed() -> bool:
            return (await limited.deployment.incarnation(small)).restarts > before.restarts

        await eventually(killed, within=Budget.REPLACEMENT, label="the program is killed")
        await limited.deployment.settled(within=10)
        assert ("small/main", "exited with 137, starts again in 0.2 s") in await limited.events()
        peak = (await limited.deployment.usage(small)).peak_bytes
        assert peak is not None
        assert 60 * MEBIBYTE < peak <= 64 * MEBIBYTE

    async def test_below_the_limit_is_left_alone(self, limited: Rig) -> None:
        """Half of it."""
        small = await limited.pod("Pod", "small")
        await eat(limited, small, 30 * MEBIBYTE)
        await eventually(lambda: ate(limited, small), within=Budget.LOG_LINE, label="it ate")

    async def test_without_a_limit_has_none(self, limited: Rig) -> None:
        """The same amount that kills the other."""
        large = await limited.pod("Pod", "large")
        before = await limited.deployment.usage(large)
        await eat(limited, large, 200 * MEBIBYTE)
        await eventually(lambda: ate(limited, large), within=Budget.LOG_LINE, label="it ate")
        assert (await limited.deployment.incarnation(large)).restarts == 0
        assert before.peak_bytes is None


class TestUsage:
    async def test_counts_what_is_allocated(self, limited: Rig) -> None:
        """A hundred mebibytes more, to within a few; of this pod and not of its neighbour."""
        client, web = await limited.pod("Pod", "client"), await limited.pod("Pod", "web")
        usage = limited.deployment.usage
        before, beside = await usage(client), await usage(web)
        script = f"x = {100 * MEBIBYTE} * b'x'; import time; time.sleep(60)"
        hold = asyncio.create_task(limited.deployment.exec(client, "python3", "-S", "-c", script, within=60))

        async def more() -> int:
            grown = (await usage(client)).memory_bytes - before.memory_bytes
            if grown < 100 * MEBIBYTE:
                raise NotYet(f"{grown} bytes more")
            return grown

        try:
            grown = await eventually(more, within=Budget.LOG_LINE, label="the memory is counted")
            assert grown < 120 * MEBIBYTE
            assert abs((await usage(web)).memory_bytes - beside.memory_bytes) < 10 * MEBIBYTE
        finally:
            hold.cancel()

    async def test_counts_cpu_time(self, limited: Rig) -> None:
        """Of programs that have ended, too, if the pod's own program ran them."""
        client = await limited.pod("Pod", "client")
        before = (await limited.deployment.usage(client)).cpu_s
        burn = "import time\nwhile time.process_time() < 0.5: pass\ntime.sleep(60)"
        task = asyncio.create_task(limited.deployment.exec(client, "python3", "-S", "-c", burn, within=60))

        async def burnt() -> bool:
            return (await limited.deployment.usage(client)).cpu_s - before >= 0.5

        try:
            await eventually(burnt, within=Budget.LOG_LINE, label="the time is counted")
        finally:
            task.cancel()


class TestOutside:
    """These run on packets that count: the first test of this class looks before the others try to get out."""

    async def test_normal_traffic_does_not_count(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        """Names, Services, dialled connections, the front door: nothing of it is for outside."""
        objects = [pod("web", pod_spec(server())), service("web", type="LoadBalancer", ports=doors())]
        async with rig(objects, tmp_path_factory.mktemp("quiet")) as made:
            web = await made.pod("Pod", "web")
            await made.sh(web, "curl -sS -m 2 http://web:443/; getent hosts web; getent hosts nowhere; true")
            front = made.deployment.front()
            for _ in range(5):
                with socket.create_connection((front.address, front.port), 2) as door:
                    door.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    assert door.recv(100)
            # One that is broken off in the middle.
            with socket.create_connection((front.address, front.port), 2) as door:
                door.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                door.sendall(b"GET / HT")
            async with made.deployment.dial(web, "client") as address:
                _, writer = await asyncio.open_connection(address.host, address.port)
                writer.close()
            assert await made.deployment.outside_packets() == 0

    @pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM"])
    async def test_packet_for_elsewhere_is_counted_and_goes_nowhere(self, limited: Rig, kind: str) -> None:
        """An address of documentation (RFC 5737): the sender hears nothing."""
        client = await limited.pod("Pod", "client")
        before = await limited.deployment.outside_packets()
        script = (
            f"import socket; s = socket.socket(socket.AF_INET, socket.{kind}); s.settimeout(0.3); "
            "s.connect(('192.0.2.1', 80)); s.send(b'x'); s.recv(1)"
        )
        assert "TimeoutError" in await limited.sh(client, f'python3 -S -c "{script}" 2>&1', code=1)
        assert await limited.deployment.outside_packets() > before

    async def test_machine_itself_is_outside(self, limited: Rig) -> None:
        """A program of this machine that listens everywhere is not reached by a pod, and the attempt is counted."""
        if isinstance(absent := provides(Capability.SOURCE_ADDRESS), Absent):
            pytest.skip(absent.reason)
        client, host = await limited.pod("Pod", "client"), limited.deployment.node.block.host_address
        before = await limited.deployment.outside_packets()
        with socket.create_server(("0.0.0.0", 0)) as listener:
            port = listener.getsockname()[1]
            await limited.sh(client, f"curl -sS -m 0.5 http://{host}:{port}/ 2>/dev/null", code=28)
            listener.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                pytest.fail(f"it was reached from {listener.accept()[1]}")
        assert await limited.deployment.outside_packets() > before

    async def test_count_survives_a_change_of_rules(self, limited: Rig) -> None:
        """Policies come and go; what was counted stays counted."""
        client = await limited.pod("Pod", "client")
        await limited.sh(client, "curl -sS -m 0.2 http://192.0.2.1/ 2>/dev/null", code=28)
        before = await limited.deployment.outside_packets()
        assert before > 0
        async with limited.deployment.applied(policy("deny", policyTypes=["Ingress"])):
            assert await limited.deployment.outside_packets() == before
        assert await limited.deployment.outside_packets() == before
