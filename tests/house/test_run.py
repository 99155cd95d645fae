"""`./run`: what it says when it cannot set up, and that it costs nothing when there is nothing to do."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOBODY = "65534"


@pytest.fixture
def bare_machine(tmp_path: Path) -> Path:
    """A checkout of which nothing is set up, on a machine where dpkg knows of no package and sudo refuses."""
    shutil.copy(ROOT / "run", tmp_path / "run")
    shutil.copytree(ROOT / "locks", tmp_path / "locks")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("dpkg-query", "sudo"):
        (programs / name).write_text("#!/bin/sh\nexit 1\n")
        (programs / name).chmod(0o755)
    (tmp_path / "home").mkdir()
    for folder in (tmp_path, tmp_path / "home"):
        shutil.chown(folder, int(NOBODY), int(NOBODY))
    for parent in tmp_path.parents[:2]:  # pytest keeps its folders to itself
        parent.chmod(0o755)
    return tmp_path


def run(machine: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`./run WORDS` as an ordinary user of that machine."""
    return subprocess.run(
        ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", machine / "run", *words],
        env={"PATH": f"{machine / 'bin'}:{os.defpath}", "HOME": str(machine / "home")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_root_it_names_every_missing_package(bare_machine: Path) -> None:
    """Neither root nor sudo: one line with all packages and the command that installs them, exit code 9."""
    done = run(bare_machine, "true")
    assert done.returncode == 9, done.stderr
    packages = [
        line.split()[0] for line in (ROOT / "locks/debian.txt").read_text().splitlines() if line[:1].isalpha()
    ]
    (line,) = done.stderr.strip().splitlines()
    assert "apt-get install" in line
    assert not [package for package in packages if package not in line.split()]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("pytest", "--target", "node"), True),
        (("pytest", "--target=k3s"), True),
        (("pytest", "--target", "local"), False),
        (("true",), False),
    ],
)
def test_what_a_node_needs_is_set_up_only_for_a_node(
    bare_machine: Path, words: tuple[str, ...], wanted: bool
) -> None:
    """Its packages are asked for with --target node or k3s, and not otherwise."""
    done = run(bare_machine, *words)
    assert done.returncode == 9, done.stderr
    assert ("containerd" in done.stderr.split()) == wanted


def test_a_wrong_call_shows_the_usage(bare_machine: Path) -> None:
    """No command: the usage on standard error, exit code 2; --help: the same on standard output, exit code 0."""
    wrong, helped = run(bare_machine), run(bare_machine, "--help")
    assert (wrong.returncode, helped.returncode) == (2, 0)
    assert "usage: ./run COMMAND" in wrong.stderr
    assert helped.stdout == wrong.stderr


def test_nothing_is_set_up_twice() -> None:
    """On this machine, where all is there: the command runs, and not a word is said about a set-up."""
    done = subprocess.run([ROOT / "run", "echo", "ran"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ran\n", "")
