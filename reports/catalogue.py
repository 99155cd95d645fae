"""The catalogue: what the deployment promises, requirement by requirement, and which broken promises are waived."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from reports.documents import DocumentError, load_model, shown

T = TypeVar("T")

AREAS: Mapping[str, str] = {
    "static": "STA",
    "routing": "ROU",
    "network": "NET",
    "client_api": "CLI",
    "federation": "FED",
    "media": "MED",
    "e2ee_recovery": "E2E",
    "key_vault": "VLT",
    "lawful_intercept": "LI",
    "antivirus": "AV",
    "calls": "CAL",
    "push": "PSH",
    "monitoring": "MON",
    "security": "SEC",
    "resilience": "RES",
    "backup": "BAK",
    "upgrade": "UPG",
    "capacity": "CAP",
}
"""Areas (folders below `suites/`) and the prefix of their requirement ids."""

REQUIREMENTS_FILE = "requirements.yaml"
WAIVERS_FILE = "waivers.yaml"

_ID = re.compile(r"[A-Z0-9]+-[0-9]{3,}")
_OBLIGATION = re.compile(r"\bMUST\b")


class _Item(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Requirement(_Item):
    """One promise: an id that is never reused, a sentence with MUST, and where it comes from.

    `requires` names capabilities that a target must have; `covers` names what of the manifests it guards.
    """

    id: str
    text: str
    source: str = Field(min_length=1)
    requires: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()

    @field_validator("id")
    @classmethod
    def _shape(cls, value: str) -> str:
        if not _ID.fullmatch(value):
            raise ValueError(f"{value!r} is no requirement id: write PREFIX-001")
        return value

    @field_validator("text")
    @classmethod
    def _obliges(cls, value: str) -> str:
        if not _OBLIGATION.search(value):
            raise ValueError("the sentence has no MUST: say what must hold")
        return value


class Waiver(_Item):
    """Accepts failures of one requirement until the end of the day `expires` (UTC); an expired one bends nothing."""

    requirement: str
    owner: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    expires: date

    def expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return today > self.expires


@dataclass(frozen=True)
class Catalogue:
    """Every requirement by id, the area of each, and the waivers by requirement id."""

    requirements: Mapping[str, Requirement]
    areas: Mapping[str, str]
    waivers: Mapping[str, Waiver]

    def of_area(self, area: str) -> Iterator[Requirement]:
        """The requirements of an area, in the order of its file."""
        return (entry for entry in self.requirements.values() if self.areas[entry.id] == area)


def load_catalogue(suites: Path, today: date) -> Catalogue:
    """Reads `<suites>/<area>/requirements.yaml` and `<suites>/waivers.yaml`.

    Raises DocumentError with a line for every problem found in any of the files: unreadable or of the wrong shape,
    an area or prefix that is not in AREAS, an id used twice, a waiver of nothing, twice the same, or expired.
    """
    problems: list[str] = []
    requirements: dict[str, Requirement] = {}
    areas: dict[str, str] = {}
    for file in sorted(suites.glob(f"*/{REQUIREMENTS_FILE}")):
        area = file.parent.name
        if area not in AREAS:
            problems.append(f"{shown(file)}: {area!r} is no area; name the folder one of {', '.join(AREAS)}")
            continue
        for requirement in _read(file, list[Requirement], problems):
            problems += _misnamed(file, area, requirement, areas)
            requirements.setdefault(requirement.id, requirement)
            areas.setdefault(requirement.id, area)

    file = suites / WAIVERS_FILE
    waivers: dict[str, Waiver] = {}
    for waiver in _read(file, list[Waiver], problems) if file.exists() else ():
        problems += _void(file, waiver, requirements, waivers, today)
        waivers.setdefault(waiver.requirement, waiver)
    if problems:
        raise DocumentError(*problems)
    return Catalogue(requirements, areas, waivers)


def _read(file: Path, shape: type[list[T]], problems: list[str]) -> list[T]:
    try:
        return load_model(file, shape)
    except DocumentError as error:
        problems += error.problems
        return []


def _misnamed(file: Path, area: str, requirement: Requirement, areas: Mapping[str, str]) -> Iterable[str]:
    prefix, name = AREAS[area], requirement.id
    if not name.startswith(f"{prefix}-"):
        yield f"{_place(file, name)}: {name} does not belong to {area}; its ids start with {prefix}-"
    if name in areas:
        yield f"{_place(file, name)}: {name} is already used in {areas[name]}; take an id that was never used"


def _void(
    file: Path,
    waiver: Waiver,
    requirements: Mapping[str, Requirement],
    waivers: Mapping[str, Waiver],
    today: date,
) -> Iterable[str]:
    name = waiver.requirement
    place = _place(file, name)
    if name not in requirements:
        yield f"{place}: waiver of {name}: there is no such requirement; remove the waiver or correct its id"
    if name in waivers:
        yield f"{place}: waiver of {name}: waived twice; keep one"
    if waiver.expired(today):
        yield (
            f"{place}: waiver of {name}: expired on {waiver.expires}, owner {waiver.owner}; "
            f"mend what it waives and remove it, or let its owner renew it with a new date"
        )


def _place(file: Path, name: str) -> str:
    """file:line of the last mention of an id: where it is used twice, the second is the one to change."""
    lines = file.read_text(encoding="utf-8").splitlines()
    found = [
        number
        for number, line in enumerate(lines, 1)
        if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", line)
    ]
    return f"{shown(file)}:{found[-1]}" if found else shown(file)
