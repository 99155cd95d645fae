"""Evidence as a page shows it: findings as a table, everything else as text of a bearable length. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.model import Evidence

FINDINGS = "findings"
COLUMNS = ("object", "file", "field", "rule", "fault", "remedy")
"""What a finding says, in this order; whatever else it says follows."""

SHOWN_ROWS = 100
SHOWN_CHARACTERS = 4000
"""How much of one piece of evidence a page shows; report.json has all of it."""


@dataclass(frozen=True)
class Findings:
    """A table: columns that say something in any row, the rows, and how many more there are."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int


def findings(evidence: Evidence) -> Findings | None:
    """Evidence that is a list of findings; None when it is something else."""
    value = evidence.value
    if evidence.name != FINDINGS or not isinstance(value, list) or not value:
        return None
    rows: list[Mapping[str, Any]] = [row for row in value if isinstance(row, dict)]
    if len(rows) != len(value):
        return None
    said = dict.fromkeys(key for row in rows for key, cell in row.items() if cell not in (None, ""))
    columns = (*(key for key in COLUMNS if key in said), *(key for key in said if key not in COLUMNS))
    shown = tuple(tuple(_text(row.get(column, "")) for column in columns) for row in rows[:SHOWN_ROWS])
    return Findings(columns, shown, max(len(rows) - SHOWN_ROWS, 0)) if columns else None


def shown(evidence: Evidence) -> str:
    """Evidence as text, its end when it is long: that is where a traceback says what happened."""
    text = _text(evidence.value, indent=2)
    cut = len(text) - SHOWN_CHARACTERS
    return f"… {cut} characters before this are in report.json\n{text[cut:]}" if cut > 0 else text


def _text(value: Any, indent: int | None = None) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return "—" if indent is None else "null"
    if indent is None and isinstance(value, Sequence):
        return ", ".join(_text(item) for item in value)
    return json.dumps(value, indent=indent, ensure_ascii=False)
