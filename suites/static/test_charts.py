"""That the Helm values for the prerequisites are what their charts take: Helm silently drops a key that they do not."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from fixtures.plugins.evidence import Evidence
from fixtures.plugins.manifests import MANIFESTS
from fixtures.rendering.programs import PROGRAMS
from fixtures.rendering.rules.charts import Chart, charts
from reports.documents import parse_yaml, shown
from reports.model import NotRun, NotRunKind

VALUES = {file.stem: file for file in sorted((MANIFESTS / "values").glob("*.yaml"))}

NOT_SERVED = {
    "cloudnative-pg": "the repository of its charts is no Go module, nor are they in another package",
}
"""Charts that cannot be had without the network of their project."""


@pytest.fixture(scope="module")
def known() -> Mapping[str, Chart]:
    """What the charts say of their values, as ./run brings it."""
    return charts(PROGRAMS / "crds" / "charts")


@pytest.mark.requirement("STA-047")
def test_values_fit_their_chart(
    source_text: Callable[[Path], str], known: Mapping[str, Chart], evidence: Evidence
) -> None:
    """Precondition: the charts' values are set up. Each key is the chart's, and holds what the chart takes there."""
    judged = VALUES.keys() - NOT_SERVED.keys()
    evidence("charts", {name: "schema" if known[name].schema else "values" for name in sorted(judged)})
    faults = [
        f"{shown(VALUES[name])}: {complaint.field}: {complaint.fault}; correct it: Helm would drop it silently"
        for name in sorted(judged)
        for complaint in known[name].misfits(parse_yaml(source_text(VALUES[name]), shown(VALUES[name])))
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.requirement("STA-047")
def test_values_fit_charts_that_cannot_be_had(ours: None) -> None:
    """Not run while there are values whose chart cannot be had."""
    for name in sorted(VALUES.keys() & NOT_SERVED.keys()):
        raise NotRun(NotRunKind.UNAVAILABLE, f"{shown(VALUES[name])}: {NOT_SERVED[name]}")
