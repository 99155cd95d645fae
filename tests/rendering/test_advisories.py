"""Versions below a floor, ended branches, names that move."""

from datetime import date

import pytest

from fixtures.rendering.objects import Manifest
from fixtures.rendering.rules.advisories import Advisories, floating, parts, unreviewed, vulnerable

KNOWN = Advisories.model_validate(
    {
        "programs": [
            {
                "repositories": ["registry.example/a"],
                "releases": r"v?(\d+\.\d+\.\d+)",
                "reviewed": "2026-01-01",
                "floors": [
                    {
                        "ids": ["CVE-1"],
                        "what": "bad",
                        "link": "https://example.com/1",
                        "fixed": {"1.2": "1.2.5", "1.4": "1.4.1"},
                    }
                ],
                "ends": {
                    "link": "https://example.com/",
                    "branches": {"1.2": "2026-06-30", "1.4": "2030-01-01", "2.0": "2031-01-01"},
                },
            }
        ]
    }
)
TODAY = date(2026, 6, 30)


def pod(image: str) -> Manifest:
    return {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"image": image}]}}


@pytest.mark.parametrize(
    ("tag", "faults"),
    [("1.2.5", 0), ("1.2.4", 1), ("v1.4.0", 1), ("1.4.1", 0), ("1.3.9", 2), ("2.0.0", 0), ("2.1.0", 1)],
)
def test_versions_are_judged_branch_by_branch(tag: str, faults: int) -> None:
    """1.3 is no branch that was mended, nor one whose end is known; 2.0 is newer than the fault."""
    assert len(list(vulnerable([pod(f"registry.example/a:{tag}")], KNOWN, TODAY))) == faults


def test_the_last_day_of_a_branch_is_a_day_of_it() -> None:
    assert not list(vulnerable([pod("registry.example/a:1.2.5")], KNOWN, TODAY))
    assert list(vulnerable([pod("registry.example/a:1.2.5")], KNOWN, date(2026, 7, 1)))


def test_a_program_that_nobody_looked_up_is_a_finding() -> None:
    (finding,) = unreviewed([pod("registry.example/b:1")], KNOWN)
    assert finding.field == "spec.containers[0].image"


@pytest.mark.parametrize(
    ("image", "moves"),
    [
        ("registry.example/a:1.2.5", False),
        ("registry.example/a:1.2", True),
        ("registry.example/a", True),
        ("registry.example:5000/a", True),
        ("registry.example/b:latest", True),
        (f"registry.example/a@sha256:{'0' * 64}", False),
    ],
)
def test_names_that_move(image: str, moves: bool) -> None:
    assert bool(list(floating([pod(image)], KNOWN))) is moves


def test_the_parts_of_an_image() -> None:
    assert parts("r.example:5000/a/b:1@sha256:0") == ("r.example:5000/a/b", "1", "sha256:0")
