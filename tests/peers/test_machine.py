"""Whether there can be a browser on a machine, and how."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.deployment.interface import Absent, Provided
from fixtures.peers.browser.machine import Machine

COMPLETE = Machine(Path("chromium"), Path("certutil"), Path("page"), as_root=False, namespaces=True)


def test_a_machine_with_everything_has_a_browser() -> None:
    """All three are there."""
    assert COMPLETE.verdict() == Provided()


@pytest.mark.parametrize(
    ("machine", "named"),
    [
        (replace(COMPLETE, chromium=None), ("chromium",)),
        (replace(COMPLETE, certutil=None), ("certutil", "libnss3-tools")),
        (replace(COMPLETE, page=None), ("the page of the tests", "./run")),
        (replace(COMPLETE, chromium=None, certutil=None), ("chromium", "certutil")),
        (replace(COMPLETE, namespaces=False), ("unshare --user",)),
        (replace(COMPLETE, namespaces=False, as_root=True), ("unshare --net",)),
    ],
    ids=["chromium", "certutil", "page", "two", "no namespaces", "no namespaces for root"],
)
def test_what_is_missing_is_named(machine: Machine, named: tuple[str, ...]) -> None:
    """The reason names each thing, and who brings it."""
    verdict = machine.verdict()
    assert isinstance(verdict, Absent)
    assert all(word in verdict.reason for word in named), verdict.reason


@pytest.mark.parametrize(
    ("as_root", "namespaces", "sandboxed"),
    [(False, True, True), (True, True, False), (False, False, False), (True, False, False)],
)
def test_the_sandbox_is_kept_where_it_can_be(as_root: bool, namespaces: bool, sandboxed: bool) -> None:
    """An ordinary user with user namespaces has it; root has it nowhere."""
    machine = replace(COMPLETE, as_root=as_root, namespaces=namespaces)
    assert machine.sandboxed is sandboxed
