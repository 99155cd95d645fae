"""Text that every format can carry."""

import math

import pytest

from reports.text import first_line, printable, printable_json


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\r\nb\rc\td", "a\nb\nc\td"),
        ("nul\x00 bell\x07 \ud800", "nul� bell� �"),
        ("naïve ✓ 🎉", "naïve ✓ 🎉"),
    ],
)
def test_what_no_format_can_hold_is_replaced(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_json_holds_no_number_that_json_does_not_know() -> None:
    value = {"a\x00": [math.nan, math.inf, 1.5, True, None, ("x\x00",)], 1: "y"}
    assert printable_json(value) == {"a�": ["nan", "inf", 1.5, True, None, ["x�"]], "1": "y"}


def test_the_first_line_is_one_that_says_something() -> None:
    assert first_line("\n  \n  said \nmore") == "said"
    assert first_line("") == ""
    assert first_line("x" * 300, width=10) == "x" * 9 + "…"
