"""Sessions in forks, over suites of two requirements: what they find, and what becomes of those that go wrong."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from fixtures.deployment.mutants import Mutant
from fixtures.deployment.patch import NewObject, ObjectEdit, Patch
from fixtures.deployment.waiting import Budget, eventually
from reports.model import MutantOutcome
from tests.mutations.forked import Forks, forks
from tests.mutations.killing import Finding, judge

PLUGINS = """\
pytest_plugins = [
    "reports.collection",
    "fixtures.plugins.manifests",
    "fixtures.plugins.judging",
    "fixtures.plugins.deployment",
]
"""
INI = """\
[pytest]
addopts = --import-mode=importlib
asyncio_mode = auto
"""
REQUIREMENTS = """\
- {id: STA-001, text: Every pod MUST be no root., source: the planted suite}
- {id: STA-002, text: There MUST be no object of a kind that kills., source: the planted suite}
- {id: STA-003, text: The deployment MUST answer., source: the planted suite}
"""
SUITE = """\
import os
import signal
import subprocess
from pathlib import Path

import pytest


@pytest.mark.requirement("STA-001")
def test_no_root(objects):
    bad = [
        each["metadata"]["name"] for each in objects if each["kind"] == "Deployment"
        and not each["spec"]["template"]["spec"].get("securityContext", {}).get("runAsNonRoot")
    ]
    assert not bad


@pytest.mark.requirement("STA-002")
def test_no_killer(objects):
    for each in objects:
        if each["kind"] == "Crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if each["kind"] == "Hang":
            program = subprocess.Popen(["sleep", "infinity"])
            Path(each["file"]).write_text(str(program.pid))
            signal.pause()


@pytest.mark.requirement("STA-003")
async def test_answers(deployment):
    raise AssertionError("a test that needs a deployment was run")
"""

ROOT_ALLOWED = Patch(
    edits=(
        ObjectEdit(
            object="Deployment/haproxy",
            operations=({"op": "remove", "path": "/spec/template/spec/securityContext/runAsNonRoot"},),
        ),
    )
)
HARMLESS = Patch(edits=(NewObject(add={"kind": "Harmless", "metadata": {"name": "h"}}),))
CRASH = Patch(edits=(NewObject(add={"kind": "Crash", "metadata": {"name": "c"}}),))

SHORT_S = 5.0


def hang(file: Path) -> Patch:
    """A mutant whose session never ends; the file names a program that it started."""
    return Patch(edits=(NewObject(add={"kind": "Hang", "metadata": {"name": "h"}, "file": str(file)}),))


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Arguments of sessions over suites that know two faults."""
    root = tmp_path_factory.mktemp("planted")
    suite = root / "suites" / "static"
    suite.mkdir(parents=True)
    (root / "conftest.py").write_text(PLUGINS)
    (root / "pytest.ini").write_text(INI)
    (suite / "requirements.yaml").write_text(REQUIREMENTS)
    (suite / "test_static.py").write_text(SUITE)
    return (str(root / "suites"), "-c", str(root / "pytest.ini"), "--rootdir", str(root))


@pytest.fixture(scope="module")
def server(planted: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """A fork server over the planted suites."""
    with forks(tmp_path_factory.mktemp("forks") / "of", planted) as asked:
        yield asked


def mutant(patch: Patch, *requirements: str) -> Mutant:
    """A mutant that these requirements must notice."""
    return Mutant(id="m", story="s", requirements=requirements, level="static", patch=patch)


def test_unbroken_nothing_is_red(server: Forks) -> None:
    """And nothing that needs a deployment is run."""
    finding = server.submit("control", "local", None).result()
    assert finding.unusable is None, finding.output
    assert not finding.red
    assert finding.unseen == {"STA-003"}


@pytest.mark.parametrize(
    ("patch", "requirement", "outcome"),
    [
        (ROOT_ALLOWED, "STA-001", MutantOutcome.KILLED),
        (HARMLESS, "STA-001", MutantOutcome.SURVIVED),
        (ROOT_ALLOWED, "STA-002", MutantOutcome.WRONG_DIAGNOSIS),
        (ROOT_ALLOWED, "STA-003", MutantOutcome.ERROR),
    ],
    ids=["killed", "survivor", "wrong diagnosis", "needs a deployment"],
)
def test_what_a_mutant_comes_to(
    server: Forks, patch: Patch, requirement: str, outcome: MutantOutcome, request: pytest.FixtureRequest
) -> None:
    """A survivor and a wrong diagnosis are seen as such."""
    finding = server.submit(request.node.callspec.id.replace(" ", "-"), "local", patch).result()
    row = judge(mutant(patch, requirement), finding)
    assert row.outcome is outcome, row.reason


def test_a_session_ends_when_it_has_seen_enough(server: Forks) -> None:
    """What had to turn red is tried first, and when it has, nothing else is."""
    patch = Patch(edits=(*ROOT_ALLOWED.edits, *CRASH.edits))
    finding = server.submit("enough", "local", patch, enough=("STA-001",)).result()
    assert finding.red == {"STA-001"}
    assert "STA-002" in finding.unseen
    assert judge(mutant(patch, "STA-001"), finding).outcome is MutantOutcome.KILLED


def test_a_patch_that_does_not_fit_is_an_error(server: Forks) -> None:
    """Its reason says what does not fit."""
    edit = ObjectEdit(object="Deployment/absent", operations=({"op": "remove", "path": "/spec"},))
    patch = Patch(edits=(edit,))
    row = judge(mutant(patch, "STA-001"), server.submit("misfit", "local", patch).result())
    assert row.outcome is MutantOutcome.ERROR
    assert row.reason is not None
    assert row.reason.endswith("Deployment/absent: the overlay renders no such object")


def test_a_session_that_crashes_is_an_error_and_harms_no_other(server: Forks) -> None:
    """The next one is as good as the first."""
    crashed = server.submit("crash", "local", CRASH)
    after = server.submit("after-a-crash", "local", ROOT_ALLOWED)
    row = judge(mutant(CRASH, "STA-002"), crashed.result())
    assert row.outcome is MutantOutcome.ERROR
    assert row.reason is not None
    assert row.reason.endswith("the run is unusable: it was ended by SIGSEGV")
    assert after.result().red == {"STA-001"}


async def test_a_session_that_hangs_is_killed_with_what_it_started(server: Forks, tmp_path: Path) -> None:
    """When its time is over; others go on meanwhile."""
    file = tmp_path / "program"
    hanging: Future[Finding] = server.submit("hang", "local", hang(file), limit_s=SHORT_S)
    beside = server.submit("beside-it", "local", ROOT_ALLOWED)
    assert beside.result().red == {"STA-001"}
    row = judge(mutant(CRASH, "STA-002"), hanging.result())
    assert row.outcome is MutantOutcome.ERROR
    assert row.reason is not None
    assert row.reason.endswith("it did not end within 5 s")
    program = Path("/proc") / file.read_text()

    async def gone() -> bool:
        return not program.exists() or "(zombie)" in (program / "status").read_text()

    await eventually(gone, within=Budget.ROUTING, label="the program that hung is gone")


def test_when_the_server_is_killed_what_it_promised_is_an_error(
    planted: tuple[str, ...], tmp_path: Path
) -> None:
    """Nobody waits for ever, neither for what was asked before nor for what is asked afterwards."""
    with forks(tmp_path / "of", planted) as asked:
        before = asked.submit("before", "local", None)
        os.kill(asked.process.pid, signal.SIGKILL)
        assert before.result().unusable == "the fork server ended before it"
        assert asked.submit("after", "local", None).result().unusable == "the fork server ended before it"


def test_what_is_under_way_ends_with_the_server(planted: tuple[str, ...], tmp_path: Path) -> None:
    """Also what would never end by itself."""
    with forks(tmp_path / "of", planted) as asked:
        assert asked.submit("control", "local", None).result().unusable is None
        promised = asked.submit("hang", "local", hang(tmp_path / "program"))
    assert promised.result().unusable == "the fork server ended before it"
    assert asked.process.returncode == 0
