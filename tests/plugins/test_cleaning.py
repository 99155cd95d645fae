"""How a run ends that was somebody's guest: what was taken away is in the report, what is left fails the run."""

from __future__ import annotations

import json

import pytest

GUEST = """
import asyncio
from types import SimpleNamespace

import pytest

from fixtures.clients.cleaning import Cleaned
from fixtures.plugins import cleaning


@pytest.fixture(scope="session")
def deployment(pytestconfig):
    yield

    async def clean(_, tell):
        tell("[bold]cleaning up")
        return Cleaned(2, 1, 0, {left})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cleaning, "clean", clean)
        asyncio.run(cleaning.clean_up(pytestconfig, SimpleNamespace(prefix="conformance-1-")))
"""
TEST = """
import pytest


@pytest.mark.requirement("MED-001")
def test_it(deployment):
    assert {holds}
"""
REQUIREMENT = [{"id": "MED-001", "text": "It MUST hold.", "source": "made up"}]


@pytest.mark.parametrize("holds", [True, False], ids=["tests passed", "a test failed"])
@pytest.mark.parametrize(
    "left", [[], ["room !r: @alice:m.test made it or is in it"]], ids=["nothing", "a room"]
)
def test_what_is_left_fails_the_run(pytester: pytest.Pytester, holds: bool, left: list[str]) -> None:
    """Also after tests that failed. Whose verdicts stay what they are."""
    area = pytester.path / "suites" / "media"
    area.mkdir(parents=True)
    (area / "requirements.yaml").write_text(json.dumps(REQUIREMENT))
    (area / "test_it.py").write_text(TEST.format(holds=holds))
    pytester.makeconftest(GUEST.format(left=left))
    plugins = ("-preports.collection", "-pfixtures.plugins.cleaning", "-pno:cacheprovider", "-pno:asyncio")
    result = pytester.runpytest_inprocess("suites", *plugins)
    report = json.loads((pytester.path / "reports" / "out" / "latest" / "report.json").read_text())
    told = "2 users deactivated, 1 rooms purged, 0 media deleted; "
    told += f"left: {left[0]}" if left else "nothing is left"
    assert report["deployment"]["surroundings"]["Taken away at the end"] == told
    assert [test["outcome"] for test in report["tests"]] == ["passed" if holds else "failed"]
    assert "[bold]cleaning up" in result.outlines
    assert told in result.outlines
    assert result.ret == report["run"]["exit_code"] == (0 if holds and not left else 1)
    errors = [line for line in result.outlines if line.startswith("ERROR: ")]
    assert [line.removeprefix("ERROR: ") for line in errors] == ([report["run"]["error"]] if left else [])
    assert not left or errors[0].startswith(
        f"ERROR: the run left something in a deployment that is not its own: {left[0]}; remove them"
    )
