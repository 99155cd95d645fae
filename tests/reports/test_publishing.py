"""A run leaves a whole report or says in one line why it could not."""

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from reports.model import Report
from reports.schema import SCHEMA_FILE, generated, violation
from tests.reports.conftest import Project

MARKED = "@pytest.mark.requirement('MED-001')\n"
ARTEFACTS = {"report.json", "junit.xml", "summary.md", "index.html"}


def test_the_published_schema_is_the_models() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == generated(), "run: python -m reports.schema"


def test_every_run_has_a_folder_of_its_own_and_latest_points_to_the_last(project: Project) -> None:
    project.media(MARKED + "def test_it(): pass")
    first, second = project.run(), project.run()
    folders = sorted(folder.name for folder in second.folder.iterdir() if folder.name != "latest")
    assert len(folders) == 2
    assert (second.folder / "latest").readlink().name == second.report.run.id
    assert {file.name for file in (second.folder / "latest").iterdir()} == ARTEFACTS
    assert "report: 1 requirement (1 passed): reports/out/" in first.output


def test_the_record_keeps_to_the_schema(project: Project) -> None:
    project.media(MARKED + "def test_it(): assert False\n" + MARKED + "def test_more(): pass")
    outcome = project.run("--seed", "7", "-v")
    document = json.loads((outcome.folder / "latest" / "report.json").read_text())
    assert violation(document) is None
    assert list(document) == ["schema", "run", "summary", "requirements", "tests", "deployment"]
    assert document["schema"] == 1
    assert document["run"]["seed"] == 7
    assert document["run"]["command"][-3:] == ["--seed", "7", "-v"]
    assert violation(document | {"more": 1}) is not None
    ET.parse(outcome.folder / "latest" / "junit.xml")


def test_the_folder_may_be_chosen(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    project.media(MARKED + "def test_it(): pass")
    folder = tmp_path_factory.mktemp("elsewhere") / "new"
    project.run("--report-dir", folder)
    assert (folder / "latest" / "report.json").exists()
    assert not (project.root / "reports").joinpath("out").exists()


@pytest.mark.parametrize(
    "arguments", [["--collect-only"], ["--markers"], ["--help"], ["--version"], ["--fixtures"]]
)
def test_a_listing_leaves_nothing_behind(project: Project, arguments: list[str]) -> None:
    project.media(MARKED + "def test_it(): pass")
    project.run(*arguments)
    assert not (project.root / "reports").exists()


def test_other_plugins_fill_in_the_record(project: Project) -> None:
    project.media(
        MARKED + "def test_it(evidence, plot):\n    evidence('login', {'token': 's3cret'})\n"
        "    plot('of s3cret', 's3cret', x='s3cret', y='in s3cret', points=[(1, 1)])\n    assert 's3cret' == ''"
    )
    (project.root / "conftest.py").write_text(
        """
from reports.collection import RUN
from reports.model import DeploymentEntry, Difference, Event, LeftOut, Mutant

def pytest_sessionstart(session):
    run = session.config.stash[RUN]
    run.target, run.overlay, run.versions["synapse"] = "local", "local", "1.0"
    run.differences.append(Difference(object="Deployment/x", field="spec.replicas", production="4", here="1"))
    run.deployment = DeploymentEntry(
        timeline=[Event(at_s=1, object="x", event="said s3cret")], left_out=[LeftOut(what="HPA", why="one node")]
    )
    run.mutants.append(Mutant(id="m", requirements=["MED-001"], level="static", outcome="survived"))
    run.censor = lambda text: text.replace("s3cret", "***")
    (run.directory / "pod.log").write_text("a log")

def pytest_sessionfinish(session):
    session.config.stash[RUN].error = "the target died of s3cret"
"""
    )
    outcome = project.run()
    report = outcome.report
    assert (report.run.target, report.run.overlay, report.run.versions) == (
        "local",
        "local",
        {"synapse": "1.0"},
    )
    assert report.run.differences[0].here == "1"
    assert report.deployment.left_out[0].what == "HPA"
    assert report.mutants is not None
    assert report.mutants[0].id == "m"
    assert report.run.error == "the target died of ***"
    for name in ARTEFACTS:
        text = (outcome.folder / "latest" / name).read_text()
        assert "s3cret" not in text, name
    assert "***" in (outcome.folder / "latest" / "report.json").read_text()
    assert (outcome.folder / "latest" / "pod.log").exists()


def test_a_run_of_mutants_is_reported_without_any_suite(project: Project) -> None:
    (project.root / "tests").mkdir()
    (project.root / "tests" / "test_mutants.py").write_text(
        "from reports.collection import RUN\nfrom reports.model import Mutant\ndef test_it(request):\n"
        "    request.config.stash[RUN].mutants.append(\n"
        "        Mutant(id='m', requirements=['MED-001'], level='static', red=['MED-001'], outcome='killed'))\n"
    )
    report = project.run("tests").report
    assert report.mutants is not None
    assert [mutant.outcome for mutant in report.mutants] == ["killed"]
    assert (report.tests, report.requirements) == ((), ())


def test_a_folder_that_cannot_be_made_stops_the_run_before_it_begins(project: Project) -> None:
    project.media(MARKED + "def test_it(): pass")
    (project.root / "blocked").write_text("a file")
    outcome = project.run("--report-dir", project.root / "blocked")
    assert outcome.code == pytest.ExitCode.USAGE_ERROR
    [line] = outcome.errors
    assert "blocked/" in line
    assert "could not be written: Not a directory; make room" in line
    assert "--report-dir" in line


def test_what_cannot_be_published_is_said_in_one_line(project: Project) -> None:
    project.media(MARKED + "def test_it(): pass")
    (project.root / "conftest.py").write_text(
        "from reports.collection import RUN\ndef pytest_sessionfinish(session):\n"
        "    session.config.stash[RUN].target = 7\n"
    )
    outcome = project.run()
    assert outcome.code == 11
    assert "report: nothing was written: " in outcome.output
    assert outcome.report.run.exit_code is None, "latest still shows that nothing is known"


@pytest.mark.parametrize(
    "fill", ["def test_it(): (OUT / 'big').write_bytes(bytes(10**7))", "def test_it(): pass"]
)
def test_a_full_disk_is_said_in_one_line_and_ends_with_its_own_code(
    project: Project, tmp_path: Path, fill: str
) -> None:
    """On a tmpfs in a mount namespace of its own: full before the run's end, or from the beginning."""
    if shutil.which("unshare") is None or os.geteuid() != 0:
        pytest.skip("needs root and unshare to mount a tmpfs of its own")
    out = project.root / "out"
    out.mkdir()
    fill = (
        "try: (OUT / 'big').write_bytes(bytes(10**7))\n    except OSError: pass" if "big" in fill else "pass"
    )
    project.media(
        f"from pathlib import Path\nOUT = Path({str(out)!r})\n{MARKED}def test_it():\n    {fill}",
    )
    size = "256k" if fill != "pass" else "12k"
    command = (
        f'mount -t tmpfs -o size={size} tmpfs out && "$@"; code=$?; '
        "find out -name report.json -exec cat {} +; exit $code"
    )
    pytest_command = [sys.executable, "-m", "pytest", "-preports.collection", "--report-dir=out", "suites"]
    result = subprocess.run(
        ["unshare", "-m", "sh", "-c", command, "sh", *pytest_command],
        cwd=project.root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert result.returncode == 11, result.stdout + result.stderr
    lines = [
        line for line in result.stdout.splitlines() if line.startswith("report: out/") and "No space" in line
    ]
    assert len(lines) == 1
    assert "could not be written: No space left on device; make room" in lines[0]
    assert "Traceback" not in result.stdout + result.stderr
    if fill != "pass":
        left = Report.model_validate_json(result.stdout[result.stdout.index("{\n") :])
        assert left.run.exit_code is None, "the report from before the tests is still whole"
