"""The pytest hooks that record a session: judged where a test runs, gathered and written by one process."""

import re
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reports.documents import shown
from reports.history import with_comparison
from reports.judging import judge, not_run_in, phase, tell_pytest, typed_skip
from reports.model import Evidence, Json, Series, Verdict
from reports.publishing import PAGE_FILE, UnwritableError, publish
from reports.record import Phase, RunRecord

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


@dataclass
class Measure:
    """What the fixture `plot` gives: it keeps a row of numbers that `test` measured, to be drawn."""

    test: str
    fresh: list[Series] = field(default_factory=list)

    def __call__(
        self, plot: str, name: str, *, x: str, y: str, points: Iterable[tuple[float, float]]
    ) -> None:
        """Keeps (x, y) points, rounded to a thousandth, as the line `name` of `plot`.

        Lines of one plot with the same axes share a picture, whichever tests they are of. Raises pydantic's
        ValidationError for no point at all, for more than MOST_POINTS, and for what is no finite number.
        """
        rounded = tuple((round(at, 3), round(value, 3)) for at, value in points)
        self.fresh.append(Series(plot=plot, name=name, x=x, y=y, points=rounded, test=self.test))

    def take(self) -> list[Series]:
        """What was kept since the last phase."""
        taken, self.fresh = self.fresh, []
        return taken


SERIES = pytest.StashKey[Measure]()


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

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        """Publishes a report in which nothing has run: if the run is killed, `latest` does not show an old one."""
        if self._reports():
            self.publish_unfinished()

    def publish_unfinished(self) -> None:
        """Publishes what is known while the run goes on; ends the session when that cannot be written."""
        before, self.record.error = self.record.error, self.record.error or KILLED
        try:
            publish(self.record.report(exit_code=None), self.record.directory)
        except UnwritableError as error:
            pytest.exit(str(error), returncode=UNWRITTEN)
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
            measured = item.stash.get(SERIES, Measure(item.nodeid)).take()
            observed = phase(judgement, item, report, attach.take(), attach.basis, measured)
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
        self.record.interruption = self.record.interruption or said or "interrupted from the keyboard"
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
            if self.record.breaches and session.exitstatus != pytest.ExitCode.USAGE_ERROR:  # seen by workers
                session.exitstatus = pytest.ExitCode.USAGE_ERROR
                for breach in self.record.breaches:
                    self._say(f"ERROR: {breach}", red=True)
            self._finish(session)

    def _finish(self, session: pytest.Session) -> None:
        try:
            report = self.record.report(exit_code=int(session.exitstatus))
            report = with_comparison(report, self.record.directory.parent)
            publish(report, self.record.directory)
        except UnwritableError as error:
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
        return self.writes and bool(self.record.promises or self.record.mutants)

    def _promises(self, path: Path) -> bool:
        return path.is_relative_to(self.suites)


def spoken(counts: Any, noun: str) -> str:
    """Counts by verdict in words, worst first: `3 requirements: 1 failed, 2 passed`."""
    total = sum(counts.values())
    each = ", ".join(
        f"{counts[verdict]} {re.sub('_', ' ', verdict)}" for verdict in Verdict if counts.get(verdict)
    )
    return f"{total} {noun}{'' if total == 1 else 's'}" + (f" ({each})" if each else "")
