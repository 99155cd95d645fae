"""Under pytest-xdist: workers collect and judge, the controller gathers what they say and writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from reports.catalogue import load_catalogue
from reports.documents import DocumentError
from reports.recorder import Recorder

_KEY = "conformance"


@dataclass(eq=False)  # pluggy keeps plugins in sets
class Worker:
    """Leaves what was collected where pytest-xdist takes it to the controller."""

    recorder: Recorder

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        record = self.recorder.record
        output: dict[str, Any] = self.recorder.config.workeroutput  # type: ignore[attr-defined]
        output[_KEY] = {
            "promises": record.promises,
            "breaches": list(record.breaches),
            "collected": {test: list(requirements) for test, requirements in record.tests.collected.items()},
            "deselected": record.tests.deselected,
        }


@dataclass(eq=False)
class Controller:
    """Takes it there. All workers collect the same tests; the first to say so is as good as any."""

    recorder: Recorder

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Before the first test runs: a report in which none has."""
        record, suites = self.recorder.record, self.recorder.suites
        root = self.recorder.config.rootpath
        mine = [test for test in ids if (root / test.split("::")[0]).is_relative_to(suites)]
        if not mine or record.promises:
            return
        record.promises = True
        record.tests.collected = dict.fromkeys(mine, ())
        try:
            record.catalogue = load_catalogue(suites, datetime.now(UTC).date())
        except DocumentError as error:
            record.error = str(error)
        self.recorder.publish_unfinished()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """When a worker is done: which tests there are, with their requirements, and which were left out."""
        said = getattr(node, "workeroutput", {}).get(_KEY)
        if not said or not said["promises"]:
            return
        record = self.recorder.record
        record.promises = True
        record.tests.collected |= {
            test: tuple(requirements) for test, requirements in said["collected"].items()
        }
        record.tests.deselected |= said["deselected"]
        if said["breaches"]:
            record.breaches = tuple(said["breaches"])
            record.error = "; ".join(record.breaches)
