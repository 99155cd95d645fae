"""What was measured is seen: pictures are the same each time, fit the page, and cost nothing where there are none."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from itertools import product
from pathlib import Path

import pytest
from pydantic import ValidationError

from fixtures.plugins.evidence import Plot
from reports.markdown import render_markdown
from reports.model import MOST_POINTS, Report, RequirementEntry, Run, Series, TestEntry
from reports.page import render_page
from reports.pictures import COLOURS, SIGNS, Picture, by_test, pictures
from reports.plots import COLOURS as PAGE_COLOURS
from reports.plots import draw
from reports.recorder import Measure
from reports.schema import violation
from reports.wording import number

SVG = "{http://www.w3.org/2000/svg}"
ROOT = Path(__file__).parents[2]
DRAWING_LIMIT_S = 5.0
"""Of processor time for one picture; a twentieth of a second is usual."""


def series(
    name: str, *values: float, plot: str = "delivery", y: str = "seconds", test: str | None = None
) -> Series:
    """A line with a point for each value."""
    return Series(plot=plot, name=name, x="message", y=y, points=tuple(enumerate(values, 1)), test=test)


def reported(*found: Series) -> Report:
    """The report of a test that measured this."""
    test = TestEntry(id="t", outcome="passed", requirements=("FED-006",))
    entry = RequirementEntry(
        id="FED-006", area="federation", text="It MUST.", source="x", verdict="passed", tests=("t",)
    )
    return Report.of(Run(id="r", started="2026-06-15T12:00:00Z"), [entry], [test], series=found)


def picture(*found: Series) -> Picture:
    """The only picture of this."""
    [only] = pictures(reported(*found))
    return only


def test_lines_of_one_plot_with_the_same_axes_share_a_picture() -> None:
    report = reported(
        series("there", 1),
        series("elsewhere", 2, plot="catching up"),
        series("back", 3),
        series("counted", 4, y="bytes"),
    )
    found = [
        (each.name, each.title, each.y, [line.series.name for line in each.lines])
        for each in pictures(report)
    ]
    assert found == [
        ("plot-1", "delivery", "seconds", ["there", "back"]),
        ("plot-2", "catching up", "seconds", ["elsewhere"]),
        ("plot-3", "delivery", "bytes", ["counted"]),
    ]


def test_a_line_is_told_by_its_numbers() -> None:
    [line] = picture(series("there", 5, 1, 2, 3)).lines
    assert (line.median, line.largest) == (2.5, 5)
    assert [number(each) for each in (0.01234, 4.5, 0, 123.4, 123456.7)] == [
        "0.0123",
        "4.5",
        "0",
        "123",
        "123457",
    ]


def test_many_lines_of_a_picture_all_look_different() -> None:
    lines = picture(*(series(f"line {index}", 1) for index in range(COLOURS * len(SIGNS)))).lines
    assert {(line.colour, line.sign) for line in lines} == set(product(range(COLOURS), SIGNS.values()))


def test_a_series_is_of_a_test_of_the_report() -> None:
    with pytest.raises(ValidationError, match="names gone, which is not in tests"):
        reported(series("there", 1, test="gone"))
    report = reported(series("there", 1, test="t"), series("of nobody", 1, plot="other"))
    assert {test: [each.name for each in found] for test, found in by_test(pictures(report)).items()} == {
        "t": ["plot-1"]
    }
    assert violation(report.model_dump(mode="json")) is None


def test_the_fixture_is_what_suites_think_it_is() -> None:
    measure = Measure("t")
    plot: Plot = measure
    plot("delivery", "there", x="message", y="seconds", points=[(1, 0.5)])
    assert measure.take() == [series("there", 0.5, test="t")]
    assert measure.take() == []


def test_the_same_numbers_give_the_same_text() -> None:
    shown = picture(series("there", 0.1, 0.2), series("back", 0.3))
    assert draw(shown) == draw(shown)


def test_a_picture_is_an_element_with_text_that_follows_the_page() -> None:
    text = draw(picture(series("there <&>", 0.1, 0.2), series("back", 0.3, y="seconds")))
    root = ET.fromstring(text)
    assert (root.tag, root.get("role")) == (f"{SVG}svg", "img")
    assert root.get("aria-label") == (
        "delivery. seconds, by message. there <&>: median 0.15, largest 0.2; back: median 0.3, largest 0.3"
    )
    words = ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]
    assert {"message", "seconds"} <= set(words)
    assert "0" in {word.rstrip("0").rstrip(".") or "0" for word in words}, "the y axis begins at nothing"
    assert [each.text for each in root.iter(f"{SVG}title")] == ["there <&>", "back"]
    assert "font-family" not in text
    colours = set(re.findall(r"(?:fill|stroke): ([^;\"]+)", text))
    assert all("fill: var(--soft)" in each.get("style", "") for each in root.iter(f"{SVG}text"))
    assert colours <= {"none", *PAGE_COLOURS.values(), "var(--line-0)", "var(--line-1)"}
    assert not {"style", "metadata"} & {each.tag.removeprefix(SVG) for each in root.iter()}


def test_ids_are_unique_in_a_page_and_lead_somewhere() -> None:
    page = render_page(
        reported(series("a", 1, 2), series("a", 1, 2, plot="other"), series("b", 1, plot="third"))
    )
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    wanted = set(re.findall(r'<use href="#([^"]+)"|url\(#([^)]+)\)', page))
    assert {one or other for one, other in wanted} <= set(ids)
    assert {each for each in ids if re.match(r"plot-\d+-", each)} == {one or other for one, other in wanted}


@pytest.mark.parametrize(
    "values",
    [(0,), (0, 0), (-1, 1), (1e12,), (-1e12, 1e12), (5e-324,), (1e-300, 2e-300), tuple(range(MOST_POINTS))],
    ids=["nothing", "twice nothing", "below", "vast", "all there is", "the smallest", "small", "many"],
)
@pytest.mark.filterwarnings("error")
def test_whatever_a_report_may_hold_is_drawn(values: tuple[float, ...]) -> None:
    begin = time.process_time()
    text = draw(picture(series("there", *values)))
    assert time.process_time() - begin < DRAWING_LIMIT_S
    assert len(ET.fromstring(text).findall(f".//{SVG}use")) == len(values)
    assert len(text) < 10_000 + 100 * len(values)


@pytest.mark.filterwarnings("error")
def test_no_text_is_a_formula_or_markup() -> None:
    hostile = r"$\frac{ $x_ <b> 日本" + "y" * 200
    root = ET.fromstring(draw(picture(series(hostile, 1, y=hostile))))
    assert any("$x_ <b> 日本" in (each.text or "") for each in root.iter(f"{SVG}text"))


def test_the_page_shows_them_beside_who_measured() -> None:
    page = render_page(reported(series("there", 1, 2, test="t"), series("back", 3)))
    section = page.partition('<section id="measured">')[2].partition("</section>")[0]
    assert section.count("<svg") == section.count("<figure") == 1
    assert '<a class="id" href="#FED-006">FED-006</a>' in section
    assert '<a href="#measured">Measured</a>' in page
    assert '<a href="#plot-1">delivery</a>' in page, "the test says where its numbers are"


def test_the_summary_has_a_line_for_each() -> None:
    text = render_markdown(reported(series("there", 1, 2, 3), series("back", 0.5)))
    assert (
        "## Measured\n\n- delivery, there: median 2, largest 3 (seconds; 3 points)\n- delivery, back: "
        in text
    )


def outcome_of(code: str, **environment: str) -> str:
    """What a Python of its own prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


RENDERED = """
import sys
from reports.page import render_page
from tests.reports.test_plots import reported, series
render_page(reported({}))
print("matplotlib" in sys.modules, "numpy" in sys.modules)
"""


def test_a_report_without_numbers_does_not_pay_for_them() -> None:
    assert outcome_of(RENDERED.format("")) == "False False\n"


def test_nothing_is_left_outside_the_cache_of_the_project(tmp_path: Path) -> None:
    home, cache = tmp_path / "home", tmp_path / "cache"
    home.mkdir()
    environment = {"HOME": str(home), "XDG_CACHE_HOME": str(cache)}
    environment["MPLCONFIGDIR"] = ""
    assert outcome_of(RENDERED.format('series("there", 1)'), **environment) == "True True\n"
    assert list(home.iterdir()) == []
    assert [each.name for each in cache.iterdir()] == ["matrix-conformance"]
