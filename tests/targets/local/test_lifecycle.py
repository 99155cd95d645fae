"""What happens to a pod in its life, and what may be done to it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest

from fixtures.deployment.interface import Absent, Address, DeploymentError, Event, Pod, SecretRef
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.rendering.objects import Ref
from fixtures.targets.local import control
from tests.targets.local.conftest import (
    FOREVER,
    SECRET,
    Rig,
    container,
    pod,
    pod_spec,
    ready_when,
    rig,
    server,
    workload,
)


@pytest.fixture
async def settled(shared: Rig) -> AsyncIterator[Rig]:
    """The shared deployment for a test that disturbs it: all is ready again afterwards."""
    yield shared
    await shared.deployment.settled(within=10)


async def restarted(
    made: Rig, where: Pod, restarts: int, within: Budget | float = Budget.REPLACEMENT
) -> None:
    """Wait until the pod has been restarted so often, and is ready."""

    async def often_enough() -> bool:
        return (await made.deployment.incarnation(where)).restarts >= restarts

    await eventually(often_enough, within=within, label=f"{where.name} restarts")
    await made.deployment.settled(within=10)


async def written(made: Rig, where: Pod) -> list[str] | None:
    """The log, once there is something in it."""
    return await made.log(where) or None


async def answer(address: Address, path: str = "/") -> str:
    """The last line that SERVER answers."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    said = await reader.read()
    writer.close()
    return said.decode().splitlines()[-1]


class TestProbe:
    async def test_readiness_takes_a_pod_out_of_service_and_dns_and_back(self, settled: Rig) -> None:
        """One of two pods says 503: nobody is sent to it, its address is no answer; then it is back."""
        one, other = await settled.pods("Deployment", "web")
        client = await settled.pod("Pod", "everything")
        before = await settled.deployment.incarnation(one)

        async def in_dns() -> set[str]:
            return set((await settled.sh(client, "getent ahostsv4 web-pods | awk '{print $1}'")).split())

        async def served_by(*pods: Pod) -> bool:
            return await in_dns() == {p.address for p in pods}

        await settled.sh(one, "touch /scratch/web")
        await eventually(lambda: served_by(other), within=Budget.ROUTING, label="the pod leaves the DNS")
        said = await settled.sh(client, "for i in $(seq 20); do curl -sS http://web/; done")
        assert set(said.split()) == {other.name}
        with pytest.raises(
            DeploymentError, match=rf"not ready within 0.05 s: {one.name}: .*readiness probe: .*503"
        ):
            await settled.deployment.settled(within=0.05)

        await settled.sh(one, "rm /scratch/web")
        await eventually(
            lambda: served_by(one, other), within=Budget.ROUTING, label="the pod is back in the DNS"
        )
        assert await settled.deployment.incarnation(one) == before

    async def test_liveness_restarts_the_container(self, settled: Rig) -> None:
        """The same pod, another container, one more restart; the program was asked to end first."""
        alive = await settled.pod("Pod", "alive")
        before = await settled.deployment.incarnation(alive)
        await settled.sh(alive, "touch /scratch/dead")

        async def mended() -> bool:
            if (await settled.deployment.incarnation(alive)).restarts == before.restarts:
                return False
            try:
                return (await settled.deployment.exec(alive, "rm", "/scratch/dead", within=5)).exit_code == 0
            except DeploymentError as error:  # just being restarted
                raise NotYet(str(error)) from error

        await eventually(mended, within=Budget.HEALTH, label="the container is restarted")
        await settled.deployment.settled(within=10)
        after = await settled.deployment.incarnation(alive)
        assert (after.uid, after.restarts > before.restarts) == (before.uid, True)
        assert after.containers != before.containers
        assert "ending" in await settled.log(alive, previous=True)

    async def test_startup_probe_holds_the_others_back(self, tmp_path: Path) -> None:
        """A slow starter is not killed by a liveness probe that would fail before it is up."""
        slow = container(
            *("sh", "-c", "sleep 1; touch /scratch/up; exec sleep 60"),
            volumeMounts=[{"name": "scratch", "mountPath": "/scratch"}],
            startupProbe={
                "exec": {"command": ["test", "-e", "/scratch/up"]},
                "failureThreshold": 30,
                "periodSeconds": 1,
            },
            livenessProbe={
                "exec": {"command": ["test", "-e", "/scratch/up"]},
                "failureThreshold": 1,
                "periodSeconds": 1,
            },
        )
        async with rig([pod("slow", pod_spec(slow))], tmp_path) as made:
            assert (await made.deployment.incarnation(await made.pod("Pod", "slow"))).restarts == 0

    async def test_startup_probe_that_never_succeeds_kills(self, tmp_path: Path) -> None:
        """After its patience the container is killed and started again, and the time line says why."""
        never = container(
            *FOREVER, startupProbe={"exec": {"command": ["false"]}, "failureThreshold": 1, "periodSeconds": 1}
        )
        with pytest.raises(
            DeploymentError,
            match=r"^not ready within 2 s: never: .*startup probe: exec false: exit code 1",
        ):
            async with rig([pod("never", pod_spec(never))], tmp_path, within=2):
                pytest.fail("it was called ready")
        assert (tmp_path / "logs" / "never" / "main.1.log").read_text().endswith("up\n")

    async def test_probe_that_is_told_too_much_goes_on(self, tmp_path: Path) -> None:
        """An answer without an end is no HTTP answer, and no reason to stop asking."""
        flood = (
            "import socket\n"
            "listener = socket.create_server(('', 8080))\n"
            "while True:\n"
            "    try: listener.accept()[0].sendall(bytes(200000))\n"
            "    except OSError as error: print(error, flush=True)\n"
        )
        loud = container(
            *("python3", "-S", "-c", flood),
            ports=[{"name": "client", "containerPort": 8080}],
            readinessProbe=ready_when("/"),
        )
        with pytest.raises(
            DeploymentError,
            match=r"^not ready within 1 s: loud: container main: readiness probe: .*chunk exceed the limit",
        ):
            async with rig([pod("loud", pod_spec(loud))], tmp_path, within=1):
                pytest.fail("it was called ready")


class TestRestart:
    async def test_is_proved_by_another_container(self, settled: Rig) -> None:
        """A killed program is back in the same pod, as another container, with one more restart."""
        [_, web] = await settled.pods("Deployment", "web")
        before = await settled.deployment.incarnation(web)
        await settled.deployment.signal(web, SIGKILL)
        await restarted(settled, web, before.restarts + 1)
        after = await settled.deployment.incarnation(web)
        assert (after.uid, after.restarts) == (before.uid, before.restarts + 1)
        assert after.containers != before.containers

    async def test_that_never_helps_comes_later_and_later_and_ends_the_wait(self, tmp_path: Path) -> None:
        """A crash loop is an error that names container, exit code and last lines, long before the deadline."""
        looping = workload("Deployment", "loop", pod_spec(container("sh", "-c", "echo no config; exit 3")))
        told: list[Event] = []
        with pytest.raises(
            DeploymentError, match=r"^loop-\S+: container main ended 5 times .*exited with 3.*no config$"
        ):
            async with rig([looping], tmp_path, within=60, told=told):
                pytest.fail("it was called ready")
        pauses = [event.event.split()[-2] for event in told if event.event.startswith("exited with 3")]
        assert pauses == ["0.2", "0.4", "0.8", "1.6", "3.2"]

    async def test_on_purpose_is_no_crash_loop(self, tmp_path: Path) -> None:
        """Whoever kills a program again and again still gets it back."""
        async with rig([pod("tough", pod_spec(container(*FOREVER)))], tmp_path) as made:
            tough = await made.pod("Pod", "tough")
            for restarts in range(1, 6):
                await made.deployment.signal(tough, SIGKILL)
                await restarted(made, tough, restarts, within=2.0)


class TestExec:
    async def test_gives_exit_code_and_both_streams_as_bytes(self, shared: Rig) -> None:
        """Not only text comes through."""
        web, _ = await shared.pods("Deployment", "web")
        done = await shared.deployment.exec(
            web, "sh", "-c", "printf '\\377\\0a'; printf err >&2; exit 5", within=5
        )
        assert (done.exit_code, done.stdout, done.stderr) == (5, b"\xff\0a", b"err")

    async def test_feeds_stdin(self, shared: Rig) -> None:
        """A megabyte in, the same out."""
        web, _ = await shared.pods("Deployment", "web")
        sent = bytes(range(256)) * 4096
        assert (await shared.deployment.exec(web, "cat", stdin=sent, within=5)).stdout == sent

    async def test_tells_a_signal_from_an_exit(self, shared: Rig) -> None:
        """128 + n, as a shell would say."""
        web, _ = await shared.pods("Deployment", "web")
        assert (await shared.deployment.exec(web, "sh", "-c", "kill -9 $$", within=5)).exit_code == 137

    async def test_that_takes_too_long_is_ended(self, shared: Rig) -> None:
        """TimeoutError, and the command does not go on in the pod."""
        web, _ = await shared.pods("Deployment", "web")
        with pytest.raises(TimeoutError, match=r"sleep did not end within 0\.3 s"):
            await shared.deployment.exec(web, "sleep", "4321", within=0.3)

        async def over() -> bool:
            return "sleep" not in (await shared.sh(web, "cat /proc/[0-9]*/comm 2>/dev/null; true")).split()

        await eventually(over, within=Budget.LOG_LINE, label="the command ends")

    @pytest.mark.parametrize(
        ("pod_name", "container_name", "said"),
        [
            ("nobody", "main", "there is no pod nobody; there are "),
            ("db-0", "nothing", "pod db-0 has no container nothing; it has main"),
        ],
    )
    async def test_names_what_there_is_instead(
        self, shared: Rig, pod_name: str, container_name: str, said: str
    ) -> None:
        """A pod or container that does not exist is an error that lists those that do."""
        wrong = Pod(pod_name, Ref("StatefulSet", "db"), None, "", ready=True, containers=())
        with pytest.raises(DeploymentError, match=said):
            await shared.deployment.exec(wrong, "true", container=container_name, within=5)

    async def test_works_whatever_the_path_of_the_image(self, tmp_path: Path) -> None:
        """An image whose PATH lacks the tools of the target itself."""
        bare = container(
            "/bin/sh", "-c", "while :; do /bin/sleep 0.1; done", env=[{"name": "PATH", "value": "/opt/bin"}]
        )
        async with rig([pod("bare", pod_spec(bare))], tmp_path) as made:
            there = await made.pod("Pod", "bare")
            assert (await made.deployment.exec(there, "/bin/echo", "hello", within=5)).stdout == b"hello\n"


class TestLogs:
    async def test_since_leaves_out_what_is_older(self, shared: Rig) -> None:
        """Lines before the moment are not given."""
        alive = await shared.pod("Pod", "everything")
        assert await shared.log(alive, container="side") == ["up"]
        assert await shared.log(alive, container="side", since=datetime.now(UTC)) == []

    async def test_previous_is_the_life_before(self, tmp_path: Path) -> None:
        """After a restart the old lines are `previous`, the new ones are the log."""
        async with rig(
            [pod("two", pod_spec(container("sh", "-c", "echo life $$-$(date +%N); exec sleep 60")))], tmp_path
        ) as made:
            two = await made.pod("Pod", "two")
            first = await eventually(lambda: written(made, two), within=Budget.LOG_LINE, label="a line")
            assert await made.log(two, previous=True) == []
            await made.deployment.signal(two, SIGKILL)
            await restarted(made, two, 1)
            second = await eventually(lambda: written(made, two), within=Budget.LOG_LINE, label="a line")
            assert [len(log or ()) for log in (first, second)] == [1, 1]
            assert first != second
            assert await made.log(two, previous=True) == first

    async def test_of_a_successor_of_the_same_name_begin_anew(self, settled: Rig) -> None:
        """What an earlier pod of that name wrote is not its log, and is kept."""
        [_, db] = await settled.pods("StatefulSet", "db")
        await settled.deployment.signal(db, SIGKILL)
        await restarted(settled, db, 1)
        await settled.deployment.delete_pod(db, grace=0)
        await settled.deployment.settled(within=10)
        log = await eventually(lambda: written(settled, db), within=Budget.LOG_LINE, label="a line")
        assert log == ["serving None"]
        assert await settled.log(db, previous=True) == []
        assert len(list((settled.folder / "logs").glob("db-1*/main.0.log"))) == 2


class TestSignal:
    async def test_reaches_the_handler_of_the_program(self, settled: Rig) -> None:
        """SIGTERM: the program says so and ends with the exit code that its handler gives."""
        web, _ = await settled.pods("Deployment", "web")
        restarts = (await settled.deployment.incarnation(web)).restarts
        await settled.deployment.signal(web, SIGTERM)
        await restarted(settled, web, restarts + 1)
        assert (await settled.log(web, previous=True))[-1] == "ending"
        ends = [event for where, event in await settled.events() if where == f"{web.name}/main"]
        assert any(event.startswith("exited with 7") for event in ends)


class TestDeletion:
    async def test_is_followed_by_a_pod_of_another_name(self, settled: Rig) -> None:
        """A Deployment replaces it; the old name is gone for good."""
        web, _ = await settled.pods("Deployment", "web")
        await settled.deployment.delete_pod(web, grace=10)
        await settled.deployment.settled(within=10)
        pods = await settled.pods("Deployment", "web")
        assert len(pods) == 2
        assert web.name not in [p.name for p in pods]
        with pytest.raises(DeploymentError, match=f"there is no pod {web.name} any more"):
            await settled.deployment.incarnation(web)

    async def test_keeps_name_and_data_of_a_statefulset(self, settled: Rig) -> None:
        """Another pod (by uid) with the old name finds the old file."""
        db, _ = await settled.pods("StatefulSet", "db")
        before = await settled.deployment.incarnation(db)
        await settled.sh(db, "echo kept > /data/file")
        await settled.deployment.delete_pod(db, grace=10)
        await settled.deployment.settled(within=10)
        db, _ = await settled.pods("StatefulSet", "db")
        assert db.name == "db-0"
        assert (await settled.deployment.incarnation(db)).uid != before.uid
        assert await settled.sh(db, "cat /data/file; ls /scratch") == "kept"

    async def test_runs_the_hook_before_it_asks_the_program_to_end(self, settled: Rig) -> None:
        """preStop leaves its trace in the claim, the program says good-bye; the successor sees both."""
        everything = await settled.pod("Pod", "everything")
        await settled.deployment.delete_pod(everything, grace=10)
        await settled.deployment.settled(within=10)
        assert await settled.sh(everything, "cat /kept/hook") == "stopping"
        [old] = (settled.folder / "logs").glob("everything.*/main.0.log")
        assert old.read_text().endswith("bye\n")

    async def test_kills_when_the_grace_is_over(self, tmp_path: Path) -> None:
        """A program that ignores SIGTERM is gone after the grace, not before."""
        deaf = container("sh", "-c", "trap 'echo no' TERM; while :; do sleep 0.1; done")
        async with rig([pod("deaf", pod_spec(deaf))], tmp_path) as made:
            there, clock = await made.pod("Pod", "deaf"), asyncio.get_running_loop()
            begin = clock.time()
            await made.deployment.delete_pod(there, grace=0.6)
            assert 0.6 <= clock.time() - begin < 2

    async def test_of_a_pod_twice_at_once_is_one_deletion(self, settled: Rig) -> None:
        """Both callers return when it is gone."""
        web, _ = await settled.pods("Deployment", "web")
        await asyncio.gather(*(settled.deployment.delete_pod(web, grace=10) for _ in range(2)))
        await settled.deployment.settled(within=10)


class TestDial:
    async def test_leads_to_the_pod(self, shared: Rig) -> None:
        """That pod and no other answers."""
        for web in await shared.pods("Deployment", "web"):
            async with shared.deployment.dial(web, "client") as address:
                assert await answer(address) == web.name

    @pytest.mark.parametrize("name", ["web", "web-pods"])
    async def test_leads_to_a_pod_behind_the_service(self, shared: Rig, name: str) -> None:
        """Headless or not."""
        async with shared.deployment.dial(Ref("Service", name), "client") as address:
            assert await answer(address) in {p.name for p in await shared.pods("Deployment", "web")}

    async def test_closes_with_the_block(self, shared: Rig) -> None:
        """Nobody listens any more, and connections that were open are closed."""
        async with shared.deployment.dial(Ref("Service", "web"), "client") as address:
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(b"GET / HTT")
            await writer.drain()
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((address.host, address.port), 5)

    @pytest.mark.parametrize(
        ("name", "port", "said"),
        [
            ("web", "smtp", "there is no Service web with a port smtp"),
            ("gone", "client", "there is no Service gone with"),
        ],
    )
    async def test_names_what_is_wrong(self, shared: Rig, name: str, port: str, said: str) -> None:
        """An unknown Service or port is an error, not an address that refuses."""
        with pytest.raises(DeploymentError, match=said):
            async with shared.deployment.dial(Ref("Service", name), port):
                pytest.fail("it leads somewhere")


class TestQuestion:
    async def test_secret_is_given_or_absent(self, shared: Rig) -> None:
        """The value, or what is not there."""
        assert await shared.deployment.secret(SecretRef("door", "password")) == SECRET.encode()
        assert isinstance(await shared.deployment.secret(SecretRef("door", "key")), Absent)
        assert isinstance(await shared.deployment.secret(SecretRef("gate", "password")), Absent)

    async def test_of_a_client_that_hangs_up_disturbs_nobody(self, shared: Rig) -> None:
        """Half a request, none at all, an answer that nobody reads: the next client is served."""
        path = shared.deployment.node.control
        for sent in (
            b"",
            b'{"opera',
            b'{"operation": "settle", "within": 5, "from_start": true}\n',
        ):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(path))
                client.sendall(sent)
                await asyncio.sleep(0)
        with socket.socket(socket.AF_UNIX) as client, socket.create_server(("127.0.0.1", 0)) as listener:
            client.connect(str(path))
            request = b'{"operation": "dial", "service": "web", "port": "client"}\n'
            socket.send_fds(client, [request], [listener.fileno()])
            await asyncio.to_thread(client.recv, 1, socket.MSG_PEEK)  # something is there, and stays unread
        for _ in range(3):
            await shared.deployment._ask("status")
        await shared.deployment.settled(within=5)

    async def test_that_nobody_understands_is_an_error(self, shared: Rig) -> None:
        """An operation that does not exist is named."""
        with pytest.raises(control.ControlError, match="dance"):
            await shared.deployment._ask("dance")


async def test_server_that_is_told_to_be_unready_never_counts_as_settled(tmp_path: Path) -> None:
    """A probe that never succeeds: the error names pod, container and what was seen."""
    lost = pod("lost", pod_spec(server(readinessProbe={"tcpSocket": {"port": 81}, "periodSeconds": 1})))
    with pytest.raises(
        DeploymentError,
        match=r"^not ready within 1 s: lost: container main: readiness probe: .*refused|Connect",
    ):
        async with rig([lost], tmp_path, within=1):
            pytest.fail("it was called ready")
