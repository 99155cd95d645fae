"""What tests measured, put together for looking at: lines of one plot with the same axes share a picture. Pure."""

from dataclasses import dataclass
from statistics import median

from reports.model import Report, Series
from reports.wording import number

COLOURS = 6
"""How many colours of lines the page has: `--line-0` and so on in its style."""

SIGNS = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼", "P": "✚"}
"""What the points of a line look like in a plot, and the character that looks like it."""


@dataclass(frozen=True)
class Line:
    """A row of numbers in a picture, with the colour and the mark by which it is known there."""

    series: Series
    colour: int
    mark: str

    @property
    def sign(self) -> str:
        """The mark as a character."""
        return SIGNS[self.mark]

    @property
    def median(self) -> float:
        """Half of the numbers are no larger."""
        return median(value for _, value in self.series.points)

    @property
    def largest(self) -> float:
        """The worst of them, where less is better."""
        return max(value for _, value in self.series.points)

    @property
    def told(self) -> str:
        """The numbers in a few words."""
        return f"median {number(self.median)}, largest {number(self.largest)}"


@dataclass(frozen=True)
class Picture:
    """What is seen together; `name` is unique in a report, and a name in a page."""

    name: str
    title: str
    x: str
    y: str
    lines: tuple[Line, ...]


def pictures(report: Report) -> tuple[Picture, ...]:
    """The pictures of a report, in the order in which the first line of each was measured."""
    found: dict[tuple[str, str, str], list[Series]] = {}
    for series in report.series or ():
        found.setdefault((series.plot, series.x, series.y), []).append(series)
    return tuple(
        Picture(f"plot-{place}", title, x, y, tuple(_line(*each) for each in enumerate(rows)))
        for place, ((title, x, y), rows) in enumerate(found.items(), 1)
    )


def by_test(found: tuple[Picture, ...]) -> dict[str, tuple[Picture, ...]]:
    """The pictures that show what a test measured."""
    tests = {line.series.test for picture in found for line in picture.lines if line.series.test}
    return {
        test: tuple(picture for picture in found if any(line.series.test == test for line in picture.lines))
        for test in tests
    }


def _line(place: int, series: Series) -> Line:
    """Colours come again after a while, then with other marks."""
    marks = tuple(SIGNS)
    turn = place // COLOURS
    return Line(series, place % COLOURS, marks[(place + turn) % len(marks)])
