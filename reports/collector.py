"""Collects promises: which tests there are below the suites, and whether they keep the rules."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reports.catalogue import AREAS, Catalogue, load_catalogue
from reports.documents import DocumentError
from reports.record import RunRecord
from reports.rules import item_breaches, requirement_ids, skip_breaches, unproved
from reports.text import first_line


@dataclass(eq=False)  # pluggy keeps plugins in sets
class Collector:
    """The hooks of the collection. `suites` is the folder whose tests are promises; others are not recorded."""

    config: pytest.Config
    record: RunRecord
    suites: Path
    _seen: set[Path] = field(default_factory=set)

    def pytest_collect_file(self, file_path: Path) -> None:
        """Notes every Python file below the suites that pytest looks at, whether it holds tests or not.

        Pytest looks at all files of the folders on the way to what it collects, so conftest.py is among them.
        """
        if file_path.suffix == ".py" and self._promises(file_path):
            self._seen.add(file_path)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that cannot be imported is the error of the whole run: its tests are not even known."""
        if report.failed and self.record.error is None:
            cause = first_line(report.longreprtext.strip().splitlines()[-1] if report.longreprtext else "")
            self.record.error = f"{report.nodeid or 'the session'} could not be collected: {cause}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Judges the rules for tests below the suites before anything is deselected; breaches end the session."""
        if not self._seen:
            return
        self.record.promises = True
        mine = [item for item in items if self._promises(item.path)]
        self.record.tests.collected = {item.nodeid: requirement_ids(item) for item in mine}
        try:
            self.record.catalogue = catalogue = load_catalogue(self.suites, datetime.now(UTC).date())
        except DocumentError as error:
            breaches = error.problems
        else:
            breaches = tuple(self._breaches(mine, catalogue, complete=not session.testsfailed))
        if breaches:
            self.record.breaches = breaches
            self.record.error = "; ".join(breaches)
            if hasattr(self.config, "workerinput"):
                items.clear()  # an error here would look like a crash: the controller says it
            else:
                raise pytest.UsageError(*breaches)

    def _breaches(self, items: Sequence[pytest.Item], catalogue: Catalogue, complete: bool) -> Iterable[str]:
        breaches = [*item_breaches(items, catalogue), *skip_breaches(self._seen)]
        if complete:
            breaches += unproved(items, catalogue, self._whole_areas(), self.suites)
        return dict.fromkeys(breaches)  # each once: a parametrised test is many items

    def _whole_areas(self) -> list[str]:
        """The areas of which the command line leaves no file out."""
        option = self.config.option
        narrowing = ("keyword", "lf", "ignore", "ignore_glob")
        if any(getattr(option, name, None) for name in narrowing):
            return []
        asked = [self.config.invocation_params.dir / argument for argument in self.config.args]
        folders = [path.resolve() for path in asked if path.is_dir()]
        return [
            area for area in AREAS if any((self.suites / area).is_relative_to(folder) for folder in folders)
        ]

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Deselected is not passed: each is recorded with what left it out."""
        option = self.config.option
        causes = [
            f"{flag} {value!r}"
            for flag, value in (
                ("-m", option.markexpr),
                ("-k", option.keyword),
                ("--deselect", option.deselect),
            )
            if value
        ]
        reason = f"left out by {' or '.join(causes)}" if causes else "left out by a plugin of this run"
        for item in items:
            if item.nodeid in self.record.tests.collected:
                self.record.tests.deselected[item.nodeid] = reason

    def _promises(self, path: Path) -> bool:
        return path.is_relative_to(self.suites)
