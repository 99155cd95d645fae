"""The pytest plugin of the reports: options, markers, the run's folder, and the fixtures `evidence` and `plot`.

Tests below `suites/` are promises: each must name its requirement, each requirement must have a test, and what does
not run must say why. `config.stash[RUN]` holds the run's record for other plugins. Load this module with
`pytest_plugins` in the root conftest.
"""

import contextlib
from pathlib import Path

import pytest

from reports import ending
from reports.collector import Collector
from reports.publishing import UnwritableError, make_folder
from reports.record import RUN, RunRecord
from reports.recorder import EVIDENCE, SERIES, Attach, Measure, Recorder
from reports.rules import MARKERS
from reports.workers import Controller, Worker

__all__ = ["RUN", "Attach", "RunRecord"]

_LISTINGS = (
    "help",
    "version",
    "collectonly",
    "markers",
    "showfixtures",
    "show_fixtures_per_test",
    "cacheshow",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance", "conformance report")
    group.addoption(
        "--report-dir",
        type=Path,
        metavar="DIR",
        help="where each run leaves a folder with its report (default: reports/out)",
    )
    group.addoption("--seed", type=int, metavar="N", help="seed of everything random in the run; recorded")
    parser.addini("conformance_suites", "folder whose tests are promises", default="suites")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Makes the run's folder, so that a run that cannot report does not begin."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    folder = config.getoption("--report-dir") or config.rootpath / "reports" / "out"
    record = RunRecord.begin(
        folder=config.invocation_params.dir / folder,
        command=("pytest", *map(str, config.invocation_params.args)),
        seed=config.getoption("--seed"),
    )
    config.stash[RUN] = record
    writes = not hasattr(config, "workerinput") and not any(
        getattr(config.option, name, None) for name in _LISTINGS
    )
    if writes:
        try:
            make_folder(record.directory)
        except UnwritableError as error:
            raise pytest.UsageError(str(error)) from error
    suites = (config.rootpath / config.getini("conformance_suites")).resolve()
    recorder = Recorder(config, record, suites, writes)
    xdist = Worker(recorder) if hasattr(config, "workerinput") else Controller(recorder)
    for plugin in (Collector(config, record, suites), recorder, xdist):
        config.pluginmanager.register(plugin, f"conformance-{type(plugin).__name__.lower()}")
    config.pluginmanager.register(ending, "conformance-ending")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leaves no empty folder behind: a session outside the suites has nothing to report."""
    if (record := config.stash.get(RUN, None)) and record.directory.is_dir():
        with contextlib.suppress(OSError):  # it holds something
            record.directory.rmdir()


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Attach:
    """`evidence(name, value)` keeps a JSON value with the test, for whoever reads the report."""
    node: pytest.Item = request.node
    return node.stash.setdefault(EVIDENCE, Attach())


@pytest.fixture
def plot(request: pytest.FixtureRequest) -> Measure:
    """`plot(what, line, x=…, y=…, points=…)` keeps a row of measured numbers, which the report draws."""
    node: pytest.Item = request.node
    return node.stash.setdefault(SERIES, Measure(node.nodeid))
