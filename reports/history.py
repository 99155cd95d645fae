"""Finds the earlier run that a report is compared with, in the folder where runs leave their reports."""

from pathlib import Path

from pydantic import ValidationError

from reports.comparison import comparable, compare
from reports.model import Report

LOOKED_THROUGH = 40
"""How many earlier runs are looked through: people run single tests between two whole runs."""


def earlier(report: Report, folder: Path) -> Report | None:
    """The newest report below `folder` that is older than `report`, came to an end, and may be compared with it.

    What cannot be read, or keeps to another version of the schema, is no earlier run.
    """
    names = sorted((file.parent.name for file in folder.glob("*/report.json")), reverse=True)
    older = [name for name in names if name < report.run.id and name[:1].isdigit()]
    for name in older[:LOOKED_THROUGH]:
        try:
            found = Report.model_validate_json((folder / name / "report.json").read_bytes())
        except (OSError, ValidationError):
            continue
        if found.run.exit_code is not None and comparable(report, found):
            return found
    return None


def with_comparison(report: Report, folder: Path) -> Report:
    """The report, compared with the run before it where there is one."""
    before = earlier(report, folder)
    return report if before is None else report.model_copy(update={"comparison": compare(report, before)})
