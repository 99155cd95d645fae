"""A session of pytest inside a process that has everything at hand already, and what it is told and tells."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from fixtures.deployment.patch import Patch
from fixtures.plugins.manifests import JUDGED, LOCAL, MUTATION, PRODUCTION, RENDERED
from fixtures.rendering.findings import Objects
from fixtures.targets.choice import NONE
from reports.record import RUN, Phase
from reports.recorder import Recorder
from tests.mutations.breeds import OVERLAYS
from tests.mutations.killing import RED
from tests.mutations.sight import unseen

LARGEST = OVERLAYS.resolve() / "ccu-20k"
REPORT_FILE, OUTPUT_FILE = "report.json", "output.txt"


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Job(_Line):
    """A session to be run: `patch` applied to each overlay that it fits; without one it is a control.

    It ends as soon as all requirements of `enough` are red; where none are named, when every test was run.
    """

    id: str
    overlay: str
    folder: Path
    arguments: tuple[str, ...]
    patch: Patch | None = None
    enough: tuple[str, ...] = ()
    limit_s: float = 60.0


class Done(_Line):
    """A job that has ended. `failure` where it did not end by itself."""

    id: str
    exit_code: int | None
    duration_s: float
    cpu_s: float
    failure: str | None = None


@dataclass(eq=False)  # pluggy keeps plugins in sets
class Within:
    """The plugin that gives a forked session what is known already, and takes its report."""

    shipped: Mapping[Path, Objects]
    overlay: Path
    patch: Patch | None
    folder: Path
    enough: tuple[str, ...] = ()
    missing: set[str] = field(default_factory=set)
    session: pytest.Session | None = None

    @property
    def judged(self) -> tuple[Path, ...]:
        """The overlay that is broken, and three that together have every kind of workload and of difference."""
        return tuple(sorted({self.overlay, LOCAL.resolve(), PRODUCTION, LARGEST}))

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Nothing is rendered again, and no page is made for a report that nobody reads."""
        config.stash[RENDERED] = dict(self.shipped)
        if self.patch is not None:
            config.stash[MUTATION] = self.patch
            config.stash[JUDGED] = self.judged
        recorder = config.pluginmanager.get_plugin("conformance-recorder")
        assert isinstance(recorder, Recorder)
        recorder.writes = False

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Tests that need a deployment have nothing to say; neither have those that cannot see what was broken."""
        left_out = [item for item in items if "deployment" in getattr(item, "fixturenames", ())]
        if self.patch is not None:
            unbroken = {folder: self.shipped[folder] for folder in self.judged}
            broken = {folder: self.patch.apply_where_it_fits(each) for folder, each in unbroken.items()}
            blind = {
                path: unseen(path.relative_to(config.rootpath), unbroken, broken)
                for path in {item.path for item in items}
            }
            left_out += [item for item in items if blind[item.path] and item not in left_out]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]

        self.missing.update(self.enough)
        items.sort(key=lambda item: self.missing.isdisjoint(requirements_of(item)))  # who decides comes first

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """So that it can be stopped."""
        self.session = session

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Once all that had to turn red has, the rest has nothing to add."""
        judged = getattr(report, "conformance", None)
        if judged is None or not self.missing:
            return
        phase = Phase.model_validate(judged)
        if phase.verdict in RED:
            self.missing.difference_update(phase.requirements)
        if not self.missing and self.session is not None:
            self.session.shouldstop = "every requirement that had to is red"

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Keeps the report when every other plugin has said its last word."""
        yield
        report = session.config.stash[RUN].report(exit_code=int(session.exitstatus))
        (self.folder / REPORT_FILE).write_text(report.model_dump_json(), encoding="utf-8")


def session(job: Job, shipped: Mapping[Path, Objects]) -> int:
    """One session of pytest in this process; its exit code."""
    overlay = (OVERLAYS / job.overlay).resolve()
    options = ("--target", NONE, "--overlay", str(overlay), "--report-dir", str(job.folder))
    arguments = [*job.arguments, *options, "-q", "-p", "no:cacheprovider"]
    within = Within(shipped, overlay, job.patch, job.folder, job.enough)
    return int(pytest.main(arguments, plugins=[within]))


def requirements_of(item: pytest.Item) -> set[str]:
    """The ids of the requirements that a test is about."""
    return {marker.args[0] for marker in item.iter_markers("requirement")}
