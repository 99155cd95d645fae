"""Text that every format of a report can carry: JSON, XML, HTML and a terminal."""

import math
import re
from typing import Any

_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_])")
# What XML 1.0 cannot hold (https://www.w3.org/TR/xml/#charsets), C1 controls, and lone surrogates, which UTF-8
# cannot hold.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def printable(text: str) -> str:
    """The text without terminal sequences, carriage returns as newlines, other unprintable characters as U+FFFD."""
    text = _ESCAPE_SEQUENCE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def printable_json(value: Any) -> Any:
    """A JSON value with every string printable, and numbers that JSON does not know (NaN, infinities) as strings."""
    match value:
        case str():
            return printable(value)
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            return {printable(str(key)): printable_json(item) for key, item in value.items()}
        case list() | tuple():
            return [printable_json(item) for item in value]
        case _:
            return value


def first_line(text: str, width: int = 200) -> str:
    """The first line that says something, cut to `width` characters."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= width else line[: width - 1] + "…"
