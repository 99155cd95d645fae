"""Writes a report and everything derived from it into the run's folder, and lets `latest` point there."""

import json
import secrets
from pathlib import Path

from reports.documents import shown
from reports.junit import render_junit
from reports.markdown import render_markdown
from reports.model import Report
from reports.page import render_page
from reports.schema import violation

REPORT_FILE = "report.json"
PAGE_FILE = "index.html"
LATEST = "latest"


class UnwritableError(Exception):
    """A report could not be written; the message is one line with the file, what is wrong, and the remedy."""

    def __init__(self, file: Path, error: OSError | str) -> None:
        what = (error.strerror or str(error)) if isinstance(error, OSError) else error
        super().__init__(
            f"{shown(file)} could not be written: {what}; "
            f"make room or the folder writable, or name another folder with --report-dir"
        )


def as_json(report: Report) -> str:
    """The text of report.json."""
    return json.dumps(report.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def make_folder(directory: Path) -> None:
    """Makes a folder, with its parents, and proves that files can be written there; raises UnwritableError."""
    probe = directory / ".writable"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    except OSError as error:
        raise UnwritableError(directory, error) from error


def publish(report: Report, directory: Path) -> None:
    """Writes report.json, junit.xml, summary.md and index.html, then replaces `<parent>/latest` in one step.

    Each file appears whole or not at all. Raises UnwritableError.
    """
    wrong = violation(report.model_dump(mode="json"))
    if wrong:
        raise UnwritableError(directory / REPORT_FILE, f"it does not keep to the published schema: {wrong}")
    texts = {
        "junit.xml": render_junit(report),
        "summary.md": render_markdown(report),
        PAGE_FILE: render_page(report),
        REPORT_FILE: as_json(report),  # last: where it is, the rest is too
    }
    for name, text in texts.items():
        _write(directory / name, text)
    _point(directory.parent / LATEST, directory)


def _write(file: Path, text: str) -> None:
    draft = file.with_name(f".{file.name}.part")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UnwritableError(file, error) from error


def _point(link: Path, directory: Path) -> None:
    draft = link.with_name(f".{link.name}.{secrets.token_hex(3)}")
    try:
        draft.symlink_to(directory.name)
        draft.replace(link)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UnwritableError(link, error) from error
