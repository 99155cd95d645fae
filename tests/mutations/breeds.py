"""Every mutant, where it comes from, and what is run against it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fixtures.deployment.mutants import Mutant, load_mutants
from reports.catalogue import Catalogue
from reports.documents import shown

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent
SUITES = ROOT / "suites"
OVERLAYS = ROOT / "manifests" / "overlays"

SEEN_WITHOUT_DEPLOYMENT = ("suites/static", "suites/routing", "suites/network", "suites/security")
"""What is run against mutants that need no deployment: everything there that needs none either."""


@dataclass(frozen=True)
class Breed:
    """A mutant, and the file that defines it, which is named after the area that it is about."""

    mutant: Mutant
    file: Path

    @property
    def where(self) -> str:
        """The file and the line in which it begins."""
        return place(self.file, f"- id: {self.mutant.id}")

    @property
    def tests(self) -> tuple[str, ...]:
        """What is run against it in a deployment: what it names, else its area; a routing one, statically, too."""
        if self.mutant.tests:
            return self.mutant.tests
        if self.mutant.level == "live":
            return (f"suites/{self.file.stem}",)
        return ("suites/static", "suites/routing")

    @property
    def disturbs(self) -> bool:
        """Whether tests that disturb the deployment are run, too: only where they are named, for time."""
        return bool(self.mutant.tests)

    def needs_deployment(self, catalogue: Catalogue) -> bool:
        """Whether only a deployment shows it: a live one, or one of routing that such a requirement must notice."""
        if self.mutant.level != "routing":
            return self.mutant.level == "live"
        known = catalogue.requirements
        return any(known[name].requires for name in self.mutant.requirements if name in known)


def place(file: Path, begin: str) -> str:
    """`FILE:LINE` of the line that says this."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return f"{shown(file)}:{next(number for number, line in enumerate(lines, 1) if line.strip() == begin)}"


def written() -> tuple[Breed, ...]:
    """Every mutant that somebody wrote, file by file."""
    return tuple(
        Breed(mutant, file) for file in sorted(FOLDER.glob("*.yaml")) for mutant in load_mutants(file)
    )
