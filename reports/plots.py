"""A picture of measured numbers as SVG, to stand in a page: pure, and the same numbers give the same text.

matplotlib draws it. What it writes is then made to fit a page: colours are those of the page's style, so that they
follow its scheme; text is text in the page's font; an id is unique in the page, and there only when something refers
to it.
"""

import io
import os
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reports.pictures import Picture
from reports.text import first_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.typing import RcKeyType

WIDTH_IN, HEIGHT_IN = 6.0, 2.6
LONGEST_LABEL = 70
"""Characters of an axis' label that a picture of this width has room for."""

COLOURS: Final = {"#010101": "var(--ink)", "#020202": "var(--soft)", "#030303": "var(--line)"}
INK, SOFT, FAINT = COLOURS
"""Colours that matplotlib knows, which stand for those that only the page knows."""

SETTINGS: "Final[dict[RcKeyType, object]]" = {
    "svg.fonttype": "none",
    "svg.hashsalt": "reports",
    "text.parse_math": False,
    "font.sans-serif": ["DejaVu Sans"],  # it comes with matplotlib: its widths are the same everywhere
    "font.size": 10.5,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "path.simplify": False,
}


def draw(picture: Picture) -> str:
    """The SVG element; its ids begin with the picture's name."""
    root = ET.fromstring(_drawn(picture))  # noqa: S314 - what was written a moment ago
    named = {_gid(index): line.series.name for index, line in enumerate(picture.lines)}
    _fit(root, picture.name, named)
    root.attrib = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-label": described(picture),
    }
    return ET.tostring(root, encoding="unicode")


def described(picture: Picture) -> str:
    """A picture in words, for whoever does not see it."""
    lines = "; ".join(f"{line.series.name}: {line.told}" for line in picture.lines)
    return f"{picture.title}. {picture.y}, by {picture.x}. {lines}"


def cache_folder() -> Path:
    """Where matplotlib keeps its list of fonts: below the project's cache, not in a place of its own in the home."""
    return (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "matrix-conformance" / "matplotlib"
    )


def _drawn(picture: Picture) -> str:
    """What matplotlib makes of it. Its import takes half a second, which only a report with pictures pays."""
    os.environ["MPLCONFIGDIR"] = os.environ.get("MPLCONFIGDIR") or str(
        cache_folder()
    )  # read while it is imported
    import matplotlib as mpl  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a browser has fonts for it
        mpl.rcdefaults()  # whatever somebody's matplotlibrc says
        mpl.rcParams.update(SETTINGS)
        figure = Figure((WIDTH_IN, HEIGHT_IN), layout="constrained")
        figure.patch.set_visible(False)
        _plot(picture, figure.add_subplot())
        text = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(text, format="svg", metadata=nothing)
    return text.getvalue()


def _plot(picture: Picture, axes: "Axes") -> None:
    """Points with a line through them, above a y axis that begins at nothing, where no number is below that."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    axes.patch.set_visible(False)
    for index, line in enumerate(picture.lines):
        x, y = zip(*line.series.points, strict=True)
        axes.plot(x, y, line.mark, linestyle="-", color=_colour(line.colour), gid=_gid(index))
    points = [point for line in picture.lines for point in line.series.points]
    if all(value >= 0 for _, value in points):
        axes.set_ylim(0, 1.08 * max(value for _, value in points) or 1)
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=all(at == int(at) for at, _ in points)))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.set_xlabel(first_line(picture.x, LONGEST_LABEL), color=SOFT)
    axes.set_title(first_line(picture.y, LONGEST_LABEL), color=SOFT, loc="left", fontsize="medium")
    axes.tick_params(length=0, labelcolor=SOFT)
    axes.grid(visible=True, axis="y", color=FAINT)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _gid(index: int) -> str:
    return f"line-{index}"


def _colour(index: int) -> str:
    """A colour that stands for the page's `--line-<index>`."""
    return f"#0400{index:02x}"


_COLOUR = re.compile("#0([1-3])0[1-3]0[1-3]|#0400([0-9a-f]{2})")
_REFERENCE = re.compile(r"#([\w.-]+)")
_LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_LENGTHS = frozenset({"d", "x", "y", "transform"})


def _fit(root: ET.Element, prefix: str, named: dict[str, str]) -> None:
    """Makes an SVG document of matplotlib's an element of a page, in place."""
    elements = list(root.iter())
    for element in elements:
        element.tag = _local(element.tag)
        element.attrib = dict(_attributes(element))
        element.text, element.tail = (element.text if element.tag == "text" else None), None
        for child in [child for child in element if _local(child.tag) in {"metadata", "style"}]:
            element.remove(child)
    wanted = {name for element in elements for _, name in _references(element)}
    for element in elements:
        own = element.attrib.pop("id", "")
        if own in wanted:
            element.set("id", f"{prefix}-{own}")
        if own in named:
            title = ET.Element("title")
            title.text = named[own]
            element.insert(0, title)
        for key, name in list(_references(element)):
            element.set(key, element.attrib[key].replace(f"#{name}", f"#{prefix}-{name}"))
        _say_once(element)


def _references(element: ET.Element) -> Iterator[tuple[str, str]]:
    """The attributes that refer to an id, and the id."""
    for key in ("href", "clip-path"):
        if found := _REFERENCE.search(element.get(key, "")):
            yield key, found[1]


def _say_once(group: ET.Element) -> None:
    """The style that all marks of a line have, said of all of them together."""
    styles = {mark.get("style", "") for mark in group}
    if len(group) > 1 and len(styles) == 1 and all(mark.tag == "use" for mark in group):
        for mark in group:
            mark.attrib.pop("style", None)
        group.set("style", styles.pop())


def _attributes(element: ET.Element) -> Iterator[tuple[str, str]]:
    for name, value in element.attrib.items():
        if name == "style":
            parts = (part.strip() for part in value.split(";"))
            kept = "; ".join(part for part in parts if not part.startswith("font-family"))
            yield name, _COLOUR.sub(_page_colour, kept)
        elif name in _LENGTHS:
            yield name, _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.2f}", " ".join(value.split()))
        else:
            yield _local(name), value


def _page_colour(found: re.Match[str]) -> str:
    return f"var(--line-{int(found[2], 16)})" if found[2] else COLOURS[found[0]]


def _local(name: str) -> str:
    """A name without its namespace: a page knows SVG by the element that it stands in."""
    return name.rpartition("}")[2]
