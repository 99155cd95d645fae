"""A project of its own for each test: suites, catalogue and waivers, run by a pytest of its own."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from reports.model import Reason, Report, RequirementEntry, TestEntry


@dataclass(frozen=True)
class Outcome:
    """What a run of the inner pytest came to."""

    code: int
    output: str
    folder: Path

    @property
    def report(self) -> Report:
        """The report that `latest` points to, validated."""
        return Report.model_validate(json.loads((self.folder / "latest" / "report.json").read_text()))

    @property
    def errors(self) -> list[str]:
        """The lines with which pytest refused to begin."""
        return [
            line.removeprefix("ERROR: ") for line in self.output.splitlines() if line.startswith("ERROR: ")
        ]

    def test(self, name: str) -> TestEntry:
        """The one test whose id ends with `::name`."""
        [entry] = [entry for entry in self.report.tests if entry.id.endswith(f"::{name}")]
        return entry

    def reason(self, name: str) -> Reason:
        """The reason of the one test whose id ends with `::name`; it must have one."""
        reason = self.test(name).reason
        assert reason is not None
        return reason

    def requirement(self, name: str) -> RequirementEntry:
        [entry] = [entry for entry in self.report.requirements if entry.id == name]
        return entry


@dataclass(frozen=True)
class Project:
    """A folder with `suites/`, in which the plugin is the only one besides pytest's own."""

    pytester: pytest.Pytester

    @property
    def root(self) -> Path:
        return self.pytester.path

    def area(self, name: str, requirements: Iterable[str], tests: str, file: str = "test_it.py") -> None:
        """An area with these requirement ids and a file of tests."""
        folder = self.root / "suites" / name
        folder.mkdir(parents=True, exist_ok=True)
        catalogue = [{"id": name, "text": f"{name} MUST hold.", "source": "made up"} for name in requirements]
        (folder / "requirements.yaml").write_text(yaml.safe_dump(catalogue))
        (folder / file).write_text(
            "import pytest\nfrom reports.model import NotRun, NotRunKind\n\n\n" + dedent(tests).strip() + "\n"
        )

    def media(self, tests: str, *requirements: str) -> None:
        """The area that most tests use, with MED-001 unless other ids are given."""
        self.area("media", requirements or ["MED-001"], tests)

    def waive(self, requirement: str, expires: str) -> None:
        waiver = {"requirement": requirement, "owner": "Ada", "reason": "mended soon", "expires": expires}
        (self.root / "suites" / "waivers.yaml").write_text(yaml.safe_dump([waiver]))

    def run(self, *arguments: str | Path, subprocess: bool = False) -> Outcome:
        """pytest in this folder with `suites` as what it collects, unless a path is among the arguments."""
        if not any(str(argument).startswith(("suites", "tests")) for argument in arguments):
            arguments = ("suites", *arguments)
        run = self.pytester.runpytest_subprocess if subprocess else self.pytester.runpytest_inprocess
        # Without plugins that it does not need: hypothesis alone costs most of a second for each run.
        without = (f"-pno:{name}" for name in ("cacheprovider", "hypothesispytest", "asyncio", "anyio"))
        result = run("-preports.collection", *without, "-ra", *arguments)
        output = "\n".join([*result.outlines, *result.errlines])
        return Outcome(int(result.ret), output, self.root / "reports" / "out")


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    pytester.makeini("[pytest]\naddopts = --strict-markers --import-mode=importlib\n")
    return Project(pytester)
