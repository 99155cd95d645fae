"""The rules of this repository: style, types, who may import whom, and what must not be written anywhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
CODE = ("conftest.py", "fixtures", "reports", "suites", "tests")


def tracked() -> list[Path]:
    """The files of the repository, also those that are not added yet; nothing that git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", *CODE],
        ["ruff", "format", "--check", *CODE],
        ["mypy", *CODE],
        ["lint-imports"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_checker_has_nothing_to_say(command: list[str]) -> None:
    """Style, formatting, types and imports are as pyproject.toml asks."""
    done = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"


LOCK_FILE = re.compile(r"^locks/.*\.txt$|go\.sum$|package-lock\.json$")


def test_lock_files_hold_no_download_address() -> None:
    """A lock names versions and hashes; where packages come from is the machine's business."""
    for path in tracked():
        name = str(path.relative_to(ROOT))
        if LOCK_FILE.search(name):
            # A scheme has no digit; what follows "h1:" in a go.sum may begin with slashes.
            assert not re.search(r"[a-z]{2,}://", path.read_text()), (
                f"{name}: holds an address: make it again with --no-emit-index-url"
            )


def test_every_locked_requirement_has_hashes() -> None:
    """Each `name==version` of a lock is followed by at least one sha256."""
    for path in sorted((ROOT / "locks").glob("*.txt")):
        if path.name.startswith("debian"):  # Debian's versions are recorded in the report
            continue
        entries = re.split(r"(?m)^(?=[a-z0-9])", path.read_text())[1:]
        assert entries, f"{path.name} is empty"
        for entry in entries:
            assert "--hash=sha256:" in entry, f"{path.name}: {entry.splitlines()[0]} has no hash"


# Assembled, so that this file does not contain what it forbids.
MACHINE_PATH = re.compile("|".join(("/wo" + r"rk/", "/far" + r"m/", "/ro" + r"ot/(?!:)")))


def test_no_path_of_one_machine() -> None:
    """What lands works from any folder."""
    found = []
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
            for number, line in enumerate(text.splitlines(), 1)
            if MACHINE_PATH.search(line)
        ]
    assert not found, "\n".join(found)
