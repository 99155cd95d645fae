"""What a pod may not do and not see, and what nobody may see of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.targets.local.conftest import (
    FOREVER,
    SECRET,
    UID,
    Rig,
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

ROOT = Path(__file__).parents[3]


class TestIdentity:
    async def test_is_real(self, shared: Rig) -> None:
        """uid and gid are those of the manifest, for the program and for exec alike."""
        closed = await shared.pod("Pod", "closed")
        assert await shared.sh(closed, "id -u; id -g; id -G") == f"{UID}\n{UID}\n{UID}"
        assert await shared.sh(closed, "grep -E '^(Uid|Gid)' /proc/1/status | tr -s '\\t' ' '") == "\n".join(
            f"{kind}: {UID} {UID} {UID} {UID}" for kind in ("Uid", "Gid")
        )

    async def test_cannot_read_what_is_roots(self, shared: Rig) -> None:
        """A Secret root:root 0400 stays closed without fsGroup."""
        closed = await shared.pod("Pod", "closed")
        assert await shared.sh(closed, "stat -c '%a %u %g' /door/password") == "400 0 0"
        assert "Permission denied" in await shared.sh(closed, "cat /door/password 2>&1", code=1)

    async def test_cannot_write_what_is_roots(self, shared: Rig) -> None:
        """A fresh claim is root's: without fsGroup it is not writable."""
        closed = await shared.pod("Pod", "closed")
        assert "Permission denied" in await shared.sh(closed, "touch /claim/x 2>&1", code=1)

    async def test_of_the_group_may_read_and_write(self, shared: Rig) -> None:
        """With fsGroup both are open."""
        everything = await shared.pod("Pod", "everything")
        assert await shared.sh(everything, "touch /kept/x && cat /door/password") == SECRET

    @pytest.mark.parametrize("process", ["self", "1"])
    async def test_has_no_capability_and_gets_none(self, shared: Rig, process: str) -> None:
        """All five sets are empty, and no program can give any back."""
        closed = await shared.pod("Pod", "closed")
        status = await shared.sh(closed, f"cat /proc/{process}/status")
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert {fields[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
        assert fields["NoNewPrivs"] == "1"

    async def test_root_without_capabilities_opens_nothing_of_others(self, tmp_path: Path) -> None:
        """Also uid 0 in a pod sees no private key of this machine."""
        spec = pod_spec(server(), securityContext={"runAsUser": 0})
        async with rig([workload("Deployment", "root", spec)], tmp_path) as made:
            there = await made.pod("Deployment", "root")
            assert (
                await made.sh(there, "id -u; cat /proc/1/status | grep CapEff | tr -s '\\t' ' '")
                == f"0\nCapEff: {'0' * 16}"
            )
            assert await made.sh(there, "ls /etc/ssl") == "certs\nopenssl.cnf"


class TestSight:
    @pytest.mark.parametrize(
        "path",
        [str(ROOT), "/root", "/etc/shadow", "/home", "/var", "/run", "/etc/ssl/private", "/sys", "/boot"],
    )
    async def test_files_of_the_host_are_not_there(self, shared: Rig, path: str) -> None:
        """Neither the checkout nor anything private of this machine."""
        for name in ("closed", "everything"):
            there = await shared.pod("Pod", name)
            await shared.sh(there, f"ls -d {path} 2>/dev/null", code=2)

    async def test_root_is_read_only_when_asked_for(self, shared: Rig) -> None:
        """Nothing can be written outside volumes; /tmp is not there unless it is mounted."""
        closed = await shared.pod("Pod", "closed")
        for place in ("/x", "/etc/x", "/usr/x", "/tmp/x"):
            await shared.sh(closed, f"touch {place} 2>/dev/null", code=1)
        mounts = (await shared.sh(closed, "cat /proc/self/mounts")).splitlines()
        [root] = [line.split()[3].split(",") for line in mounts if line.split()[1] == "/"]
        assert "ro" in root

    async def test_processes_of_others_are_not_there(self, shared: Rig) -> None:
        """Process 1 is the program, and besides it there is only what we started."""
        closed = await shared.pod("Pod", "closed")
        programs = await shared.sh(closed, "cat /proc/[0-9]*/comm 2>/dev/null; true")
        assert set(programs.split()) <= {"sh", "sleep", "cat"}

    async def test_network_ends_at_the_node(self, shared: Rig) -> None:
        """No route leads out of this machine."""
        closed = await shared.pod("Pod", "closed")
        script = "import socket; s=socket.socket(); s.settimeout(0.5); print(s.connect_ex(('192.0.2.1', 80)))"
        assert int(await shared.sh(closed, f'python3 -S -c "{script}"')) != 0


class TestSecret:
    async def test_is_on_no_command_line(self, shared: Rig) -> None:
        """`ps` on this machine does not show the environment of a pod."""
        everything = await shared.pod("Pod", "everything")
        assert await shared.sh(everything, "echo $PASSWORD") == SECRET
        seen = 0
        for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = cmdline.read_bytes()
            except OSError:
                continue  # it has ended
            assert SECRET.encode() not in words, f"{cmdline}: {words[:200]!r}"
            seen += b"http.server" in words
        assert seen > 2, "the pods' own processes were not looked at"

    async def test_is_censored_in_the_logs(self, shared: Rig) -> None:
        """The program printed it; what is on disk says where it comes from instead."""
        web, _ = await shared.pods("Deployment", "web")
        assert await shared.log(web) == ["serving [secret door/password]"]
        for file in shared.folder.rglob("*"):
            assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file

    async def test_is_censored_in_what_a_hook_says(self, tmp_path: Path) -> None:
        """A failing preStop hook is told, without secrets."""
        hook = {"preStop": {"exec": {"command": ["sh", "-c", f"echo {SECRET} >&2; exit 1"]}}}
        objects = [
            secret("door", password=SECRET),
            pod("loud", pod_spec(container(*FOREVER, lifecycle=hook))),
        ]
        async with rig(objects, tmp_path) as made:
            await made.deployment.delete_pod(await made.pod("Pod", "loud"), grace=5)
            await made.deployment.settled(within=5)
            told = [event for _, event in await made.events()]
        assert "preStop exited with 1: [secret door/password]" in told


async def test_two_deployments_side_by_side_are_strangers(tmp_path: Path) -> None:
    """Same objects, same names: both work, in blocks of their own, and neither reaches the other."""
    objects = [
        workload("Deployment", "web", pod_spec(server(readinessProbe=ready_when("/x")))),
        service("web"),
    ]
    async with rig(objects, tmp_path / "one") as one, rig(objects, tmp_path / "two") as two:
        assert not one.deployment.node.block.network.overlaps(two.deployment.node.block.network)
        for here, there in ((one, two), (two, one)):
            mine, other = await here.pod("Deployment", "web"), await there.pod("Deployment", "web")
            assert await here.sh(mine, "curl -sS http://web/") == mine.name
            [service_entry] = (await there.deployment._ask("status"))["services"]
            addresses = (
                f"{other.address}:8080",
                f"{service_entry[2]}:80",
                f"{there.deployment.node.block.node_address}",
            )
            asked = [("curl", "-sS", "-m", "0.5", f"http://{address}/") for address in addresses]
            done = await asyncio.gather(*(here.deployment.exec(mine, *ask, within=5) for ask in asked))
            assert {each.exit_code for each in done} <= {7, 28}, done
