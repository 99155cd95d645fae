"""The rules that tests below `suites/` must keep, judged when they are collected: one line for each breach."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reports.catalogue import REQUIREMENTS_FILE, Catalogue
from reports.documents import shown
from reports.skips import bare_skips

MARKERS = (
    "requirement(id): the requirement of the catalogue that the test proves; may be given more than once",
    "known_deviation(link, reason): upstream software is known to break this; strict: the test must fail",
    "slow: takes over 20 seconds",
    "disruptive(role, ...): breaks these roles of the deployment; run one at a time",
    "arbitrary: draws what it sends; that something was answered does not say that it was asked for",
)


@dataclass(frozen=True)
class Deviation:
    """The arguments of `known_deviation`: an https link to upstream's own record of it, and the reason."""

    link: str
    reason: str

    def __post_init__(self) -> None:
        address = urlsplit(self.link) if isinstance(self.link, str) else None
        if address is None or address.scheme != "https" or not address.hostname:
            raise ValueError(f"its link {self.link!r} is no https URL; link upstream's record of it")
        if not isinstance(self.reason, str) or not self.reason.strip():
            raise ValueError("its reason is empty; say what upstream does instead")


def requirement_ids(item: pytest.Item) -> tuple[str, ...]:
    """The ids of the test's `requirement` markers, sorted."""
    return tuple(sorted({mark.args[0] for mark in item.iter_markers("requirement") if _is_requirement(mark)}))


def deviation(item: pytest.Item) -> Deviation | None:
    """The test's known deviation; raises ValueError or TypeError when the marker is not as it must be."""
    mark = item.get_closest_marker("known_deviation")
    return Deviation(*mark.args, **mark.kwargs) if mark else None


def item_breaches(items: Iterable[pytest.Item], catalogue: Catalogue) -> Iterator[str]:
    """Tests without a requirement, with an unknown one, and markers of the wrong shape."""
    for item in items:
        place = f"{shown(item.path)}:{(item.location[1] or 0) + 1}: {item.nodeid.split('::', 1)[-1].split('[')[0]}"
        for mark in item.iter_markers("requirement"):
            if not _is_requirement(mark):
                yield f"{place}: requirement takes exactly one id; write requirement('PREFIX-001')"
        ids = requirement_ids(item)
        if not ids:
            yield f"{place}: proves no requirement; mark it requirement(id)"
        for name in ids:
            if name not in catalogue.requirements:
                yield f"{place}: unknown requirement {name}; correct the id or add it to {REQUIREMENTS_FILE}"
        try:
            deviation(item)
        except ValueError as error:
            yield f"{place}: known_deviation: {error}"
        except TypeError:
            yield f"{place}: known_deviation takes a link and a reason; write known_deviation(link, reason)"
        for mark in item.iter_markers("disruptive"):
            if not mark.args or not all(isinstance(role, str) and role for role in mark.args):
                yield f"{place}: disruptive names no role; write disruptive(role, ...)"


def unproved(
    items: Iterable[pytest.Item], catalogue: Catalogue, areas: Collection[str], suites: Path
) -> Iterator[str]:
    """Requirements of the areas (collected as a whole) that no test proves."""
    proved = {name for item in items for name in requirement_ids(item)}
    for name, area in catalogue.areas.items():
        if area in areas and name not in proved:
            file = suites / area / REQUIREMENTS_FILE
            yield f"{shown(file)}: {name} has no test; write one that proves it, or remove it"


def skip_breaches(files: Iterable[Path]) -> Iterator[str]:
    """Bare skips in Python files below `suites/`."""
    for file in sorted(files):
        yield from bare_skips(file.read_text(encoding="utf-8", errors="replace"), shown(file))


def _is_requirement(mark: pytest.Mark) -> bool:
    return len(mark.args) == 1 and isinstance(mark.args[0], str) and not mark.kwargs
