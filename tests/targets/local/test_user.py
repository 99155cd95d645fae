"""The local target for a user who is not root: the same pods, the same identities, a front door on loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.deployment.interface import DeploymentError
from fixtures.targets.local import user
from tests.targets.local.conftest import (
    IMAGE,
    PROGRAMS,
    UID,
    config_map,
    container,
    doors,
    pod,
    pod_spec,
    policy,
    ready_when,
    server,
    service,
    workload,
)

NOBODY, FIRST_ID = 65534, 300000
# Makes a deployment, says what it sees of it, and ends it when its stdin is closed; or keeps it.
SCRIPT = """
import asyncio, json, sys, time
from dataclasses import asdict
from pathlib import Path
from fixtures.deployment.interface import Absent, Capability
from fixtures.rendering.programs import Program
from fixtures.targets.local.keeping import end, kept_deployments
from fixtures.targets.local.target import attached, local_deployment

async def main(asked):
    async with local_deployment(
        asked["objects"], folder=Path(asked["folder"]), server_name="tiny.example", begin=time.time(), within=30,
        on_event=lambda _: None, find_programs=lambda _: {asked["image"]: Program(tuple(asked["path"]), {}, ())},
        keep=asked["keep"],
    ) as running:
        front = running.front()
        web = next(pod for pod in await running.all_pods() if pod.name.startswith("web"))
        async def sh(script):
            return (await running.exec(web, "sh", "-c", script, within=10)).stdout.decode()
        said = {
            "address": front.address, "port": front.port, "federation": front.federation_port, "web": web.name,
            "id": await sh("id -u; id -g; id -G"), "secret": await sh("stat -c '%a %u %g' /files/first"),
            "service": await sh("curl -sS -m 2 https://web/ 2>&1; curl -sS -m 2 http://web:443/"),
            "absent": [c for c in Capability if isinstance(running.provides(c), Absent)],
            "usage": asdict(await running.usage(web)), "outside": await running.outside_packets(),
        }
    if asked["keep"]:
        [found] = kept_deployments()
        front = (await attached(*found)).front()
        said["again"] = [front.address, front.port]
    print(json.dumps(said), flush=True)
    sys.stdin.readline()
    if asked["keep"]:
        await end(found[0])
        print(json.dumps(kept_deployments()), flush=True)

asyncio.run(main(json.loads(sys.stdin.readline())))
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of that user's; pytest's own are closed to others."""
    made = Path(tempfile.mkdtemp(prefix="conformance-"))
    os.chown(made, NOBODY, NOBODY)
    yield made
    shutil.rmtree(made)


def as_nobody(folder: Path, ids: str | None = f"{FIRST_ID}:65536") -> list[str]:
    """The words that run a command as another user who has these ids for its pods; skips where that cannot be."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    if shutil.which("newuidmap") is None:
        pytest.skip("newuidmap is missing: install the Debian package uidmap")
    if missing := [file for file in ("/etc/subuid", "/etc/subgid") if not Path(file).exists()]:
        pytest.skip(f"{' and '.join(missing)} is missing: there is nothing to mount a range of ids over")
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all", "--"]
    readable = subprocess.run(
        [*become, sys.executable, "-c", "import fixtures"], capture_output=True, check=False
    )
    if readable.returncode:
        pytest.skip("this checkout or its environment is closed to other users")
    names = folder / "ids"
    names.write_text(f"somebody:1:1\n\nnobody:{ids}\n" if ids else "")
    mount = f'mount --bind {names} /etc/subuid; mount --bind {names} /etc/subgid; exec "$@"'
    return ["unshare", "--mount", "sh", "-ec", mount, "sh", *become]


@pytest.mark.parametrize("keep", [False, True], ids=["made", "kept"])
def test_deployment_works_without_root(folder: Path, *, keep: bool) -> None:
    """Real identities inside, Services and names, the front door over loopback; also when it is kept. And its end."""
    files = {"name": "files", "configMap": {"name": "files"}}
    web = pod_spec(
        server(readinessProbe=ready_when("/x"), volumeMounts=[{"name": "files", "mountPath": "/files"}]),
        volumes=[files],
        securityContext={"runAsUser": UID, "runAsGroup": UID, "fsGroup": 500},
    )
    objects = [
        config_map("files", first="1"),
        workload("Deployment", "web", web),
        service("web", type="LoadBalancer", ports=doors()),
        pod("root", pod_spec(container("sleep", "60"), securityContext={"runAsUser": 0})),
        policy("open", ingress=[{}]),
    ]
    asked = {
        "objects": objects,
        "image": IMAGE,
        "path": PROGRAMS[IMAGE].path,
        "folder": str(folder),
        "keep": keep,
    }
    process = subprocess.Popen(
        [*as_nobody(folder), sys.executable, "-c", SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What `su` leaves in the environment says nothing of who one is.
        env={**os.environ, "TMPDIR": str(folder), "HOME": str(folder), "USER": "root", "LOGNAME": "root"},
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        said = json.loads(line)
        if keep:
            url = f"http://{said['address']}:{said['port']}/"
            answer = subprocess.run(
                ["curl", "-sS", "-m", "5", url], capture_output=True, text=True, check=False
            )
            assert answer.stdout.strip() == said["web"], answer.stderr
            assert said["again"] == [said["address"], said["port"]]
        out, errors = process.communicate("\n", timeout=20)
    assert (process.returncode, errors) == (0, "")
    assert not keep or json.loads(out) == []
    assert said["address"] == "127.0.0.1"
    assert said["port"] != said["federation"]
    assert said["id"] == f"{UID}\n{UID}\n{UID} 500\n"
    assert said["secret"] == "644 0 500\n"
    assert said["service"].splitlines()[-1] == said["web"]
    assert said["absent"] == ["memory-limit", "source-address", "control-plane", "operators"]
    assert said["usage"]["memory_bytes"] > 1 << 20
    assert said["outside"] == 0
    owners = {int(status.read_text().split("Uid:\t")[1].split()[0]) for status in _statuses()}
    assert FIRST_ID + UID - 1 not in owners, "a process of a pod is still there"


def _statuses() -> Iterator[Path]:
    for status in Path("/proc").glob("[0-9]*/status"):
        if status.exists():
            yield status


def test_user_without_ids_is_told_what_is_missing(folder: Path) -> None:
    """Before anything starts, in one line with the remedy."""
    ask = "from fixtures.targets.local.user import user_namespace; user_namespace()"
    done = subprocess.run(
        [*as_nobody(folder, ids=None), sys.executable, "-c", ask], capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[-1].endswith(
        "DeploymentError: as an ordinary user the local target needs ids for the users of its pods: install the "
        "package uidmap, and have a line nobody:100000:65536 in /etc/subuid and in /etc/subgid; or run as root"
    )


def test_machine_that_forbids_user_namespaces_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `unshare` says, and the remedy."""
    for name, script in (("unshare", "echo unshare: no >&2; exit 1"), ("newuidmap", "")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    monkeypatch.setattr(user, "_range", lambda _: "1,1,1")
    with pytest.raises(
        DeploymentError,
        match=r"^this machine forbids user namespaces to ordinary users \(unshare: no\); run as root$",
    ):
        user.user_namespace()


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("nobody:300000:65536\n", "300000,1,65535"),
        ("other:1:2\n\nnobody:300000:1000\n", "300000,1,1000"),
        (f"{NOBODY}:5:10\n", "5,1,10"),
        ("nobodyx:300000:65536\n# nobody\n", None),
        ("", None),
        (None, None),
    ],
)
def test_range_is_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str | None, found: str | None
) -> None:
    """By name or number; root of the namespace is the user itself, so it begins at 1."""
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    file = tmp_path / "subuid"
    if lines is not None:
        file.write_text(lines)
    assert user._range(file) == found


def test_root_needs_no_user_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    """And an ordinary user's refusal is an error of the deployment's."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert user.user_namespace() == []
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(DeploymentError, match="have a line 4242:100000:65536 in /etc/subuid"):
        user.user_namespace()
