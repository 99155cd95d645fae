"""That what is written is what is read: nothing said twice, nothing empty, nothing that only some programs accept."""

from pathlib import Path

import pytest

from fixtures.plugins.evidence import Evidence
from fixtures.plugins.judging import Judge
from fixtures.plugins.manifests import MANIFESTS
from fixtures.rendering.rules.documents import parse_json, unreadable
from reports.documents import DocumentError, load_yaml_stream


@pytest.mark.requirement("STA-014")
def test_configuration_files_can_be_read(judge_all: Judge) -> None:
    """Precondition: overlays are rendered. Files of ConfigMaps are not empty; YAML and JSON have no key twice."""
    judge_all(unreadable)


@pytest.mark.requirement("STA-014")
def test_files_can_be_read(ours: None, evidence: Evidence) -> None:
    """Every YAML and JSON file of the manifests is read by a loader that refuses a key which appears twice."""
    faults, files = (
        [],
        sorted(file for file in MANIFESTS.rglob("*") if file.suffix in {".yaml", ".yml", ".json"}),
    )
    for file in files:
        try:
            if not _documents(file):
                faults.append(f"{file.relative_to(MANIFESTS)}: says nothing; remove it")
        except (DocumentError, ValueError) as error:
            faults.append(f"{file.relative_to(MANIFESTS)}: {error}; correct the file")
    evidence("files", len(files))
    assert not faults, "\n".join(faults)


def _documents(file: Path) -> list[object]:
    return [parse_json(file.read_text("utf-8"))] if file.suffix == ".json" else load_yaml_stream(file)
