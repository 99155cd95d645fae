"""Deployments that outlive whoever made them: found again, described, changed, and ended without a trace."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.rendering.objects import Manifest, Ref
from fixtures.targets.local.addresses import Block, is_reserved, states_folder
from fixtures.targets.local.cgroups import control_groups
from fixtures.targets.local.frame import Frame
from fixtures.targets.local.keeping import Kept, end, kept_deployments
from fixtures.targets.local.target import LocalDeployment, attached
from tests.plugins.conftest import Command
from tests.plugins.conftest import pod as plain_pod
from tests.targets.local.conftest import (
    PROGRAMS,
    Rig,
    config_map,
    doors,
    pod,
    pod_spec,
    ready_when,
    server,
    service,
    workload,
)

MAKER = """
import asyncio, json, sys, time
from pathlib import Path
from fixtures.rendering.programs import Program
from fixtures.targets.local.target import local_deployment

async def main(asked):
    async with local_deployment(
        asked["objects"], folder=Path(asked["folder"]), server_name="tiny.example", begin=time.time(), within=30,
        on_event=lambda _: None, find_programs=lambda _: {i: Program(**p) for i, p in asked["programs"].items()},
        keep=True,
    ):
        pass

asyncio.run(main(json.loads(sys.stdin.read())))
"""


@pytest.fixture(autouse=True)
def _states_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody else's kept deployments are seen; all of ours are ended, whatever happens."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield
    for node, _ in kept_deployments():
        subprocess.run([COMMAND, "targets", "down"], check=False, capture_output=True)
        assert not is_reserved(node.state)


COMMAND = str(Path(sys.prefix) / "bin" / "matrix-conformance")


def objects(text: str = "old") -> list[Manifest]:
    limits = {"limits": {"memory": "64Mi"}}
    web = pod_spec(
        server(
            readinessProbe=ready_when("/x"),
            volumeMounts=[{"name": "files", "mountPath": "/files"}],
            resources=limits,
        ),
        volumes=[{"name": "files", "configMap": {"name": "files"}}],
        terminationGracePeriodSeconds=0,
    )
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}},
        config_map("files", text=text),
        workload("Deployment", "web", web),
        service("web", type="LoadBalancer", ports=doors()),
        pod("other", pod_spec(server(readinessProbe=ready_when("/x")))),
    ]


async def make(folder: Path) -> tuple[Frame, Kept]:
    """A kept deployment whose maker is gone; nothing of it holds the maker's output open."""
    programs = {image: {"path": p.path, "env": {}, "binds": ()} for image, p in PROGRAMS.items()}
    asked = json.dumps({"objects": objects(), "folder": str(folder), "programs": programs})
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", MAKER],
        input=asked,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    [found] = kept_deployments()
    return found


async def taken(found: tuple[Frame, Kept]) -> Rig:
    deployment: LocalDeployment = await attached(*found, lambda _: PROGRAMS)
    return Rig(deployment, found[1].folder)


def remains(block: Block) -> list[str]:
    """What is still there of a deployment."""
    left = [f"link {block.link}"] if Path("/sys/class/net", block.link).exists() else []
    if is_reserved(states_folder() / str(block.number)):
        left.append("lock")
    if (groups := control_groups(block.link)) is not None and groups.folder.exists():
        left.append("control groups")
    return left


async def test_deployment_outlives_its_maker_until_it_is_ended(tmp_path: Path) -> None:
    """It is found with its folder, works through its front door, and nothing of it is left in the end."""
    begin = time.time()
    node, kept = await make(tmp_path / "run")
    assert (kept.server_name, kept.folder) == ("tiny.example", tmp_path / "run")
    assert begin < kept.started < time.time()
    made = await taken((node, kept))
    web, front = await made.pod("Deployment", "web"), made.deployment.front()
    answer = await asyncio.to_thread(
        subprocess.run,
        ["curl", "-sS", "-m", "5", f"http://{front.address}:{front.port}/"],
        capture_output=True,
    )
    assert answer.stdout.decode().strip() == web.name
    assert await made.deployment.get(Ref("Namespace", "default")) is not None, (
        "what is left out is not forgotten"
    )

    await end(node)
    assert [left for left in remains(node.block) if left != "control groups"] == []
    assert kept_deployments() == []

    async def nothing() -> bool:
        if left := remains(node.block):
            raise NotYet("; ".join(left))
        return True

    await eventually(nothing, within=Budget.LOG_LINE, label="everything is gone")


async def test_deployment_taken_again_rolls_only_what_changed(tmp_path: Path) -> None:
    """The same objects: nothing happens. Another file: its reader is another pod, the other is the same."""
    made = await taken(await make(tmp_path / "run"))
    before = await made.uids()
    await made.deployment.become(objects())
    await made.deployment.settled(within=10)
    assert await made.uids() == before
    await made.deployment.become(objects("new"))
    await made.deployment.settled(within=10)
    after = await made.uids()
    assert len(after) == 2
    assert after["other"] == before["other"]
    web = await made.pod("Deployment", "web")
    assert web.name not in before
    assert await made.sh(web, "cat /files/text") == "new"


# The commands


def say(*words: str, code: int = 0) -> str:
    """What `matrix-conformance targets` prints; to a pipe that somebody reads to its end."""
    done = subprocess.run(
        [COMMAND, "targets", *words], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stderr


def waiting(name: str, *words: str) -> dict[str, Any]:
    """A pod that does nothing, from an image of the catalogue."""
    made = plain_pod(*words)
    made["metadata"] = {"name": name, "labels": {"app": name}}
    return made


def test_commands_look_after_a_kept_deployment(tmp_path: Path) -> None:
    """up, status, describe, down: each says what the next one needs."""
    overlay = Command(tmp_path).overlay(
        waiting("p", "sleep", "600"), service("front", "p", type="LoadBalancer", ports=doors())
    )
    assert say("up", "--overlay", str(overlay), "--reports", str(tmp_path / "out")).startswith(
        "tiny.example is ready after "
    )
    listed = say("status")
    assert "tiny.example" in listed
    description = json.loads(say("describe", "--json"))
    assert description["server_name"] == "tiny.example"
    assert (description["port"], description["federation_port"]) == (443, 8448)
    assert description["address"].startswith(("198.18.", "198.19."))
    assert Path(description["ca_file"]).read_text().startswith("-----BEGIN CERTIFICATE")
    assert (Path(description["logs"]) / "p").is_dir()
    assert say("describe", "tiny.example").splitlines() == [
        f"{key}: {value}" for key, value in description.items()
    ]
    assert say("describe", "other.example", code=1) == (
        "targets: no kept deployment of other.example runs here: make one with targets up\n"
    )
    assert say("down").startswith("tiny.example is gone; its logs are in ")
    assert say("status") == "nothing is kept here\n"
    assert say("down", code=1) == "targets: no kept deployment runs here: make one with targets up\n"


async def test_run_takes_a_kept_deployment_again(tmp_path: Path) -> None:
    """`--keep` leaves it, `--reuse` takes it, rolls what changed and leaves it again."""
    command = Command(tmp_path)
    front = service("front", "p", type="LoadBalancer", ports=doors())
    same, changing = waiting("p", "sleep", "600"), waiting("q", "sleep", "600")
    changing["spec"]["terminationGracePeriodSeconds"] = 0
    run = await asyncio.to_thread(command, same, changing, front, arguments=("--keep",))
    assert len(kept_deployments()) == 1, run.output
    [(node, kept)] = kept_deployments()
    before = await (await taken((node, kept))).uids()
    changing["spec"]["containers"][0]["command"] = ["sleep", "601"]
    run = await asyncio.to_thread(command, same, changing, front, arguments=("--reuse",))
    assert "error: " not in run.output.lower().replace("connecterror: ", "")
    [(again, _)] = kept_deployments()
    assert again == node
    after = await (await taken((node, kept))).uids()
    assert after["p"] == before["p"]
    assert after["q"] != before["q"]


def test_run_that_finds_nothing_to_reuse_says_so(tmp_path: Path) -> None:
    """It does not make one instead."""
    run = Command(tmp_path)(waiting("p", "sleep", "600"), arguments=("--reuse",))
    assert run.error == "no kept deployment of tiny.example runs here: leave one running with --keep first"
