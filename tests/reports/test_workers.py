"""Under pytest-xdist one process writes, and it knows what the others collected."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from reports.collector import Collector
from reports.record import RunRecord
from reports.recorder import Recorder
from reports.workers import Controller, Worker


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Worker, Controller]:
    """A worker that collected two tests, and a controller that collected none."""
    suites = tmp_path / "suites"
    (suites / "media").mkdir(parents=True)
    (suites / "media" / "requirements.yaml").write_text("- {id: MED-001, text: It MUST hold., source: x}\n")
    config = cast(pytest.Config, SimpleNamespace(rootpath=tmp_path, workeroutput={}))
    worker, controller = (
        Recorder(config, RunRecord.begin(tmp_path / "out", (), None), suites, writes)
        for writes in (False, True)
    )
    worker.record.promises = True
    worker.record.tests.collected = {
        "suites/media/test_it.py::a": ("MED-001",),
        "suites/media/test_it.py::b": (),
    }
    worker.record.tests.deselected = {"suites/media/test_it.py::b": "left out by -k 'a'"}
    controller.record.directory.mkdir(parents=True)
    return Worker(worker), Controller(controller)


def test_the_controller_knows_what_was_collected_and_left_out(sides: tuple[Worker, Controller]) -> None:
    worker, controller = sides
    worker.pytest_collection_finish()
    carried = json.loads(json.dumps(cast(SimpleNamespace, worker.recorder.config).workeroutput))
    controller.pytest_testnodedown(SimpleNamespace(workeroutput=carried))
    assert controller.recorder.record.tests == worker.recorder.record.tests
    assert controller.recorder.record.promises


def test_breaches_seen_by_a_worker_reach_the_controller(sides: tuple[Worker, Controller]) -> None:
    worker, controller = sides
    worker.recorder.record.breaches = ("a.py:1: proves no requirement",)
    worker.pytest_collection_finish()
    controller.pytest_testnodedown(
        SimpleNamespace(workeroutput=cast(SimpleNamespace, worker.recorder.config).workeroutput)
    )
    assert controller.recorder.record.breaches == ("a.py:1: proves no requirement",)
    assert controller.recorder.record.error == "a.py:1: proves no requirement"


def test_before_the_first_test_there_is_a_report_in_which_none_has_run(
    sides: tuple[Worker, Controller],
) -> None:
    _, controller = sides
    controller.pytest_xdist_node_collection_finished(["suites/media/test_it.py::a", "tests/test_own.py::b"])
    record = controller.recorder.record
    document = json.loads((record.directory / "report.json").read_text())
    assert [test["id"] for test in document["tests"]] == ["suites/media/test_it.py::a"]
    assert document["run"]["exit_code"] is None
    assert [entry["verdict"] for entry in document["requirements"]] == ["not_run"]


def test_a_worker_that_died_without_a_word_changes_nothing(sides: tuple[Worker, Controller]) -> None:
    _, controller = sides
    controller.pytest_testnodedown(SimpleNamespace())
    assert not controller.recorder.record.promises


def test_a_worker_hands_breaches_on_instead_of_raising(
    sides: tuple[Worker, Controller], tmp_path: Path
) -> None:
    worker, _ = sides
    file = tmp_path / "suites" / "media" / "test_it.py"
    file.write_text("import pytest\npytest.skip\n")
    config = cast(pytest.Config, SimpleNamespace(workerinput={}, option=SimpleNamespace(keyword="x")))
    collector = Collector(config, worker.recorder.record, tmp_path / "suites")
    collector.pytest_collect_file(file)
    items: list[pytest.Item] = []
    collector.pytest_collection_modifyitems(cast(pytest.Session, SimpleNamespace(testsfailed=0)), items)
    assert items == []
    [breach] = worker.recorder.record.breaches
    assert "pytest.skip gives no typed reason" in breach
