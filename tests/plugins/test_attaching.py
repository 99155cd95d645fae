"""A deployment that is somebody else's: tested by `--attach`, and afterwards it is as it was.

It is made once, by a run that keeps it; a user who has nothing to do with any run lives in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures.clients.accounts import MAIN, administrator, localpart, register
from fixtures.clients.cleaning import clean
from fixtures.clients.interactive import confirmed
from fixtures.clients.journey import shared_room
from fixtures.clients.media import upload
from fixtures.clients.object_store import stored
from fixtures.clients.plain import Json, MatrixClient, http_client, inside_client, log_in
from fixtures.deployment.interface import DeploymentError
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.rendering.kustomize import render
from fixtures.rendering.overlay import server_name
from fixtures.rendering.secrets import load_declarations
from fixtures.targets.attaching import Attachment
from fixtures.targets.choice import LocalTarget
from fixtures.targets.local.keeping import end, kept_deployments
from fixtures.targets.local.target import LocalDeployment, attached
from reports.documents import load_model
from reports.model import NotRunKind, Report, Verdict
from tests.plugins.conftest import ROOT, Command, pod

OVERLAY = ROOT / "manifests" / "overlays" / "local"
CLIENTS = "suites/client_api"
FILES = ("test_accounts.py", "test_rooms.py", "test_sync.py", "test_transactions.py", "test_upgrades.py")
TESTS = (*(f"{CLIENTS}/{name}" for name in FILES), "suites/media/test_thumbnails.py")
DISRUPTIVE = {
    f"{CLIENTS}/test_transactions.py::test_a_repetition_after_the_process_was_killed_is_the_same_event"
}
USAGE, CANNOT_DEPLOY = 4, 10
REMEDY = "give the overlay that was deployed with --overlay"


def pytest_run(reports: Path, *words: str) -> tuple[subprocess.CompletedProcess[str], Report]:
    """The real command, and the report that it left."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "-pno:cacheprovider", "--report-dir", str(reports)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return done, load_model(reports / "latest" / "report.json", Report)


@dataclass(frozen=True)
class Somebody:
    """A deployment that is kept, and a person in it with a room of her own."""

    deployment: LocalDeployment
    person: MatrixClient
    room: str
    media: str


@pytest.fixture(scope="module")
async def somebody(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Somebody]:
    """Nobody else's kept deployments are seen, and ours ends with the module."""
    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", None)
        try:
            done, _ = pytest_run(folder / "out", "suites/client_api", "-k", "versions", "--keep")
            assert done.returncode == 0, done.stdout
            [found] = kept_deployments()
            deployment = await attached(*found)
            async with http_client(deployment.front()) as http:
                account = await register(deployment, "resident")
                person = await log_in(http, account.user_id, account.password)
                room = await person.create_room(name="conformance-is-what-we-talk-about")
                await person.send(room, "nobody else's business")
                media = await upload(person, b"a picture", content_type="text/plain")
                yield Somebody(deployment, person, room, media.path)
        finally:
            for node, _ in kept_deployments():
                await end(node)


async def asked(deployment: LocalDeployment, path: str, **query: str) -> Json:
    """What the admin API says to an administrator of its own."""
    async with inside_client(deployment, MAIN) as http:
        admin = await administrator(deployment, "auditor", http)
        return await admin.call("GET", f"/_synapse/admin{path}", params=query)


async def state(here: Somebody) -> dict[str, Any]:
    """All that a run must leave as it is: objects, lives of pods, the person, her room, her file, everybody's rooms."""
    deployment, person = await attached(*kept_deployments()[0]), here.person
    user = await asked(deployment, f"/v2/users/{person.user_id}")
    rooms = (await asked(deployment, "/v1/rooms", limit="1000"))["rooms"]
    return {
        "objects": hashlib.sha256(json.dumps(deployment.objects).encode()).hexdigest(),
        "pods": [await deployment.incarnation(pod) for pod in await deployment.all_pods()],
        "person": {key: value for key, value in user.items() if key != "last_seen_ts"},
        "messages": [event["event_id"] for event in await person.messages(here.room)],
        "file": (await person.request("GET", here.media)).content,
        "rooms": sorted(room["room_id"] for room in rooms),
    }


async def accounts_of(here: Somebody, prefix: str) -> dict[str, bool]:
    """Name -> whether it is deactivated, of all accounts with a run's prefix."""
    told = await asked(
        here.deployment, "/v2/users", name=prefix, deactivated="true", guests="false", limit="1000"
    )
    return {each["name"]: bool(each["deactivated"]) for each in told["users"]}


async def test_a_run_leaves_no_trace(somebody: Somebody, tmp_path: Path) -> None:
    """The same verdicts as on a deployment of one's own, but for what would disturb; then all is as it was before."""
    done, own = pytest_run(tmp_path / "own", *TESTS, "--reuse")
    assert done.returncode == 0, done.stdout
    before = await state(somebody)
    done, report = pytest_run(tmp_path / "attached", *TESTS, "--attach", "matrix")
    assert done.returncode == 0, done.stdout
    assert await state(somebody) == before

    verdicts = {test.id: test.outcome for test in report.tests}
    left = {test.id: test.reason for test in report.tests if test.outcome is Verdict.NOT_RUN}
    assert set(left) == DISRUPTIVE
    assert verdicts == {
        test.id: Verdict.NOT_RUN if test.id in DISRUPTIVE else test.outcome for test in own.tests
    }
    for reason in left.values():
        assert reason is not None
        assert reason.kind is NotRunKind.CAPABILITY_ABSENT
        assert reason.text == "disruptive tests are not run on a deployment that is attached to"

    prefix = report.deployment.surroundings["Accounts of the run begin with"]
    assert prefix == f"conformance-{report.run.id.lower()}-"
    ours = await accounts_of(somebody, prefix)
    assert all(name.startswith(f"@{prefix}") for name in ours)
    names = {re.sub(r"^.*-([a-z]+)-[0-9a-f]{8}:.*$", r"\1", name) for name in ours}
    assert names >= {"alice", "bob", "cleaner"}
    assert all(ours.values()), ours
    told = report.deployment.surroundings["Taken away at the end"]
    assert re.fullmatch(
        r"\d+ users deactivated, \d+ rooms purged, [1-9]\d* media deleted; nothing is left", told
    ), told
    assert told in done.stdout


async def empty(deployment: LocalDeployment, room_id: str) -> bool:
    """The server counts a moment later how many are in a room."""
    if members := (await asked(deployment, f"/v1/rooms/{room_id}"))["joined_local_members"]:
        raise NotYet(f"{members} are in it")
    return True


def attachment(here: Somebody, folder: Path, run: str) -> Attachment:
    objects = render(OVERLAY)
    names = tuple(each.name for each in load_declarations().secrets)
    return Attachment("matrix", server_name(objects), objects, names, folder, run, time.time())


async def test_what_is_shared_with_somebody_is_left_and_said(somebody: Somebody, tmp_path: Path) -> None:
    """The run's own room and file are gone, in the object store too; a room with the person in it stays, and is told.

    Meanwhile nothing can be changed, and what names are chosen for the run carry its prefix.
    """
    wanted = attachment(somebody, tmp_path, "Run/1")
    async with (
        LocalTarget().attached(wanted, lambda _: None) as running,
        http_client(running.front()) as http,
    ):
        assert localpart(running, "x").startswith("conformance-run-1-x-")
        with pytest.raises(DeploymentError, match="lacks its marker"):
            await running.become(())
        account = await register(running, "alice")
        alice = await log_in(http, account.user_id, account.password)
        own, shared = await alice.create_room(), await shared_room(alice, somebody.person)
        gone = await register(running, "bob")
        bob = await log_in(http, gone.user_id, gone.password)
        abandoned = await bob.create_room()
        await confirmed(bob, "POST", "/_matrix/client/v3/account/deactivate", gone.password, body={})
        await eventually(
            lambda: empty(somebody.deployment, abandoned),
            within=Budget.DELIVERY,
            label=f"{abandoned} is counted as empty",
        )
        media = await upload(alice, b"content", content_type="text/plain")
        assert await stored(running, media.file) == b"content"
        lines = list[str]()
        done = await clean(running, lines.append)
        assert (done.users, done.rooms, done.media) == (2, 2, 1)
        assert done.left == [f"room {shared}: {somebody.person.user_id} made it or is in it"]
        assert lines == ["cleaning up after 2 users", "2 rooms are purged", "1 media are deleted"]
        assert await stored(running, media.file) is None
    there = [
        room["room_id"] for room in (await asked(somebody.deployment, "/v1/rooms", limit="1000"))["rooms"]
    ]
    assert own not in there
    assert abandoned not in there
    assert shared in there
    assert somebody.room in there
    assert (await somebody.person.request("GET", media.path)).status_code == 404
    ours = await accounts_of(somebody, "conformance-run-1-")
    assert len(ours) == 3
    assert all(ours.values())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--attach", "elsewhere"),
            "matrix.test is kept in namespace matrix: give --attach matrix",
        ),
        (
            ("--attach", "matrix", "--overlay", "manifests/overlays/ephemeral"),
            f"namespace matrix: Service/element-web, Deployment/element-web of the overlay are not there; {REMEDY}",
        ),
    ],
    ids=["another namespace", "another overlay"],
)
def test_what_is_not_there_is_said_before_the_first_test(
    words: tuple[str, ...], said: str, somebody: Somebody, tmp_path: Path
) -> None:
    """One line, and nothing was tested."""
    done, report = pytest_run(tmp_path, "suites/client_api", *words)
    assert done.returncode == CANNOT_DEPLOY, done.stdout
    assert report.run.error == said
    assert {test.outcome for test in report.tests} == {Verdict.NOT_RUN}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--attach", "m", "--keep"), "--attach changes nothing of what is there: leave out --keep"),
        (("--attach", "m", "--reuse"), "--attach changes nothing of what is there: leave out --reuse"),
        (
            ("--attach", "m", "--mutant", "f:i"),
            "--attach changes nothing of what is there: leave out --mutant",
        ),
        (
            ("--attach", "m", "--target", "none"),
            "--target none has no deployment to attach to; use one of local",
        ),
        (
            ("--attach", "m", "--target", "k3s"),
            "--target k3s has no deployment to attach to; use one of local",
        ),
        (("--attach", "M/x"), "--attach 'M/x' is not the name of a namespace; give NAMESPACE"),
        (("--attach",), "--attach: expected one argument"),
    ],
    ids=["keep", "reuse", "a mutant", "none", "K3s", "no namespace", "nothing"],
)
def test_attaching_and_what_contradicts_it_is_a_wrong_call(words: tuple[str, ...], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "suites/client_api", "-pno:cacheprovider", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == USAGE, done.stdout
    assert said in done.stdout + done.stderr


def test_nothing_to_attach_to_is_said(tmp_path: Path) -> None:
    """It does not make one instead."""
    run = Command(tmp_path)(pod("sleep", "600"), arguments=("--attach", "default"), TMPDIR=str(tmp_path))
    assert run.error == "no kept deployment of tiny.example runs here: leave one running with --keep first"
