"""Values against a chart: keys that it has, in the shape that it has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fixtures.rendering.objects import RenderingError
from fixtures.rendering.rules.charts import Chart, charts

CHART: dict[str, Any] = {
    "replicas": 1,
    "resources": {"requests": {"cpu": "100m"}},
    "labels": {},
    "budget": {"enabled": False, "minAvailable": None},
    "args": [],
    "name": "",
}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"replicas": 2, "budget": {"enabled": True, "minAvailable": 1}, "args": ["-v"], "name": "a"}, []),
        ({"resources": {"limits": {"memory": "1Gi"}}, "labels": {"a": "b"}}, []),
        ({"replicas": None}, []),
        ({"replicaCount": 2}, [("replicaCount", "the chart has no such key")]),
        ({"budget": {"enable": True}}, [("budget.enable", "the chart has no such key")]),
        ({"budget": True}, [("budget", "is true or false, in the chart it is a mapping")]),
        ({"replicas": "2"}, [("replicas", "is text, in the chart it is a number")]),
        ({"args": "-v"}, [("args", "is text, in the chart it is a list")]),
    ],
)
def test_without_a_schema_the_charts_own_values_judge(
    given: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    """Whatever is below an empty mapping, is Kubernetes' own, or is in place of nothing, is free."""
    assert [(each.field, each.fault) for each in Chart(CHART).misfits(given)] == found


def test_a_schema_judges_where_there_is_one() -> None:
    """It knows keys that the values leave out."""
    schema = {"additionalProperties": False, "properties": {"strategy": {"type": "object"}}}
    chart = Chart(CHART, schema)
    assert not list(chart.misfits({"strategy": {}}))
    assert [each.field for each in chart.misfits({"strategy": 1})] == ["strategy"]
    assert len(list(chart.misfits({"replicas": 1}))) == 1


def test_a_folder_without_charts_says_what_to_do(tmp_path: Path) -> None:
    """Nobody has set them up."""
    with pytest.raises(RenderingError, match=r"there are no charts; run \./run true"):
        charts(tmp_path)
