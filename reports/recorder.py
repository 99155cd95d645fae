"""The pytest hooks that record a session: judged where a test runs, gathered and written by one process."""

import re
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reports.catalogue import AREAS, Catalogue, load_catalogue
from reports.documents import DocumentError, shown
from reports.judging import judge, not_run_in, phase, tell_pytest, typed_skip
from reports.model import Evidence, Json, Verdict
from reports.publishing import PAGE_FILE, Unwritable, publish
from reports.record import Phase, RunRecord
from reports.rules import item_breaches, requirement_ids, skip_breaches, unproved
from reports.text import first_line

UNWRITTEN = 11
"""Exit code of a session whose report could not be written."""

KILLED = "the run was killed before it could finish its report"


@dataclass
class Attach:
    """What the fixture `evidence` gives: `evidence(name, value)` keeps a JSON value with the test.

    `evidence.basis` may be set to say what a number rests on ("measured", "modelled", …).
    """

    basis: str | None = None
    fresh: list[Evidence] = field(default_factory=list)

    def __call__(self, name: str, value: Json) -> None:
        """Keeps a copy of `value` as it is now; raises pydantic's ValidationError when it is not JSON."""
        self.fresh.append(Evidence(name=name, value=value))

    def take(self) -> list[Evidence]:
        """What was attached since the last phase."""
        taken, self.fresh = self.fresh, []
        return taken


EVIDENCE = pytest.StashKey[Attach]()


@dataclass(eq=False)  # pluggy keeps plugins in sets
class Recorder:
    """One per session. `suites` is the folder whose tests are promises; others are not recorded.

    In a worker of pytest-xdist tests are judged and the judgement travels with pytest's report; only the process
    that has no `workerinput` writes (`writes`).
    """

    config: pytest.Config
    record: RunRecord
    suites: Path
    writes: bool
    _seen: set[Path] = field(default_factory=set)

    # Collection -----------------------------------------------------------------------------------------------

    def pytest_collect_file(self, file_path: Path) -> None:
        """Notes every Python file below the suites that pytest looks at, whether it holds tests or not."""
        if file_path.suffix == ".py" and self._promises(file_path):
            above = (folder / "conftest.py" for folder in file_path.parents if self._promises(folder))
            self._seen |= {file_path, *(file for file in above if file.exists())}

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
        mine = [item for item in items if self._promises(item.path)]
        self.record.tests.collected = {item.nodeid: requirement_ids(item) for item in mine}
        try:
            self.record.catalogue = catalogue = load_catalogue(self.suites, datetime.now(UTC).date())
        except DocumentError as error:
            breaches = error.problems
        else:
            breaches = tuple(self._breaches(mine, catalogue, complete=not session.testsfailed))
        if breaches:
            self.record.error = "; ".join(breaches)
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

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        """Publishes a report in which nothing has run: if the run is killed, `latest` does not show an old one."""
        if self._reports():
            try:
                publish(self._unfinished(), self.record.directory)
            except Unwritable as error:
                pytest.exit(str(error), returncode=UNWRITTEN)

    def _unfinished(self) -> Any:
        before, self.record.error = self.record.error, self.record.error or KILLED
        try:
            return self.record.report(exit_code=None)
        finally:
            self.record.error = before

    # Tests ----------------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Judges a phase where the test runs; a NotRun is a skip also in tests outside the suites."""
        report = yield
        if self._promises(item.path):
            waivers = self.record.catalogue.waivers if self.record.catalogue else {}
            judgement = judge(item, call, report, waivers)
            attach = item.stash.get(EVIDENCE, Attach())
            observed = phase(judgement, item, report, attach.take(), attach.basis)
            tell_pytest(judgement, item, report)
            # Plain JSON: pytest-xdist carries it to the controller.
            report.conformance = observed.model_dump(mode="json")  # type: ignore[attr-defined]
        elif report.when != "teardown" and (
            not_run := not_run_in(call.excinfo.value if call.excinfo else None)
        ):
            tell_pytest(typed_skip(not_run), item, report)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gathers a judged phase, wherever it was judged."""
        if observed := getattr(report, "conformance", None):
            seen = Phase.model_validate(observed)
            self.record.tests.collected.setdefault(report.nodeid, seen.requirements)
            self.record.tests.phases.setdefault(report.nodeid, []).append(seen)

    # The end --------------------------------------------------------------------------------------------------

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C, pytest.exit and pytest's own interruptions: what has not run is `not_run: interrupted`."""
        said = getattr(excinfo.value, "msg", None) or str(excinfo.value)
        self.record.interruption = said or "interrupted from the keyboard"
        self.record.error = self.record.error or f"the run was interrupted: {self.record.interruption}"

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """A crash of pytest or of a plugin."""
        self.record.interruption = f"the run crashed: {excinfo.exconly()}"
        self.record.error = self.record.error or self.record.interruption

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Writes the report when every other plugin has said its last word."""
        yield
        if self._reports():
            stopped = session.shouldfail or session.shouldstop
            if isinstance(stopped, str):  # -x, --maxfail
                self.record.interruption = self.record.interruption or stopped
            self._finish(session)

    def _finish(self, session: pytest.Session) -> None:
        try:
            report = self.record.report(exit_code=int(session.exitstatus))
            publish(report, self.record.directory)
        except Unwritable as error:
            self._say(f"report: {error}", red=True)
            session.exitstatus = UNWRITTEN
        except ValueError as error:  # what a plugin put into the record is not what report.json may hold
            self._say(
                f"report: nothing was written: {' '.join(str(error).split())}; mend the plugin", red=True
            )
            session.exitstatus = UNWRITTEN
        else:
            page = shown(self.record.directory / PAGE_FILE)
            self._say(f"report: {spoken(report.summary.requirements, 'requirement')}: {page}")

    def _say(self, line: str, red: bool = False) -> None:
        terminal: Any = self.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            terminal.ensure_newline()
            terminal.write_line(line, red=red)

    def _reports(self) -> bool:
        """Whether this session is one to report on: it looked at the suites or bred mutants, and is no listing."""
        return self.writes and bool(self._seen or self.record.mutants)

    def _promises(self, path: Path) -> bool:
        return path.is_relative_to(self.suites)


def spoken(counts: Any, noun: str) -> str:
    """Counts by verdict in words, worst first: `3 requirements: 1 failed, 2 passed`."""
    total = sum(counts.values())
    each = ", ".join(
        f"{counts[verdict]} {re.sub('_', ' ', verdict)}" for verdict in Verdict if counts.get(verdict)
    )
    return f"{total} {noun}{'' if total == 1 else 's'}" + (f" ({each})" if each else "")
