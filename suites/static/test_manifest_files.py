"""That what is judged can be read: a fault in one file hides none of the others."""

from collections.abc import Iterator

import pytest

from fixtures.plugins.evidence import Evidence
from fixtures.plugins.judging import Judge
from fixtures.rendering.findings import Finding, Objects
from fixtures.rendering.objects import Ref
from fixtures.rendering.reading import Reading
from fixtures.rendering.shapes import misshapen


@pytest.mark.requirement("STA-020")
def test_every_manifest_can_be_read(judge: Judge, reading: Reading | None, evidence: Evidence) -> None:
    """Precondition: the overlays are rendered, or somebody's files were read. No file, object or value was unreadable.

    The evidence names the documents that were passed over because they are no objects of Kubernetes.
    """
    unreadable = reading.faults if reading is not None else ()
    evidence("passed over", list(reading.passed_over) if reading is not None else [])

    def illegible(objects: Objects) -> Iterator[Finding]:
        yield from unreadable
        yield from misshapen(objects)
        for manifest in objects:
            if not isinstance(manifest.get("apiVersion"), str):
                yield Finding(Ref.of(manifest), "apiVersion", "is missing", "write the API and its version")

    judge(illegible)
