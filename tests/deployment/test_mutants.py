"""The files that say what is broken on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.deployment.mutants import MutantError, load_mutant, load_mutants
from reports.documents import DocumentError

GOOD = """\
mutants:
  - id: no-probe
    story: somebody removed the probe
    requirements: [CLI-001]
    level: live
    patch:
      edits:
        - {object: Deployment/web, operations: [{op: remove, path: /spec}]}
        - {configmap: conf, file: a, old: x, new: y}
        - {add: {kind: Service, metadata: {name: s}}}
  - {id: other, story: s, requirements: [CLI-002], level: static, patch: {edits: [{configmap: conf, file: b, new: y}]}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of two mutants."""
    made = tmp_path / "area.yaml"
    made.write_text(GOOD)
    return made


def test_file_is_read(file: Path) -> None:
    """Every kind of edit is told by its fields."""
    mutants = load_mutants(file)
    assert [mutant.id for mutant in mutants] == ["no-probe", "other"]
    assert [type(edit).__name__ for edit in mutants[0].patch.edits] == ["ObjectEdit", "FileEdit", "NewObject"]
    assert load_mutant(file, "other") == mutants[1]


def test_mutant_that_is_not_there_is_an_error_with_those_there_are(file: Path) -> None:
    """One line."""
    with pytest.raises(MutantError, match=r"area\.yaml: there is no mutant 'x'; there are: no-probe, other$"):
        load_mutant(file, "x")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("level: live", "level: loud", r"area\.yaml:5: mutants\[0\]\.level: "),
        ("requirements: [CLI-001]", "requirements: []", r"area\.yaml:4: mutants\[0\]\.requirements: "),
        ("id: no-probe", "id: No Probe", r"area\.yaml:2: mutants\[0\]\.id: "),
        ("story: somebody", "tale: somebody", r"mutants\[0\]\.(story|tale): "),
        ("old: x, new: y", "old: x, new: x", "old and new must differ"),
        ("- id: no-probe", "- id: no-probe\n    id: twice", "appears twice"),
    ],
)
def test_mistake_is_named_with_its_line(file: Path, old: str, new: str, said: str) -> None:
    """File, line, field."""
    file.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(DocumentError, match=said):
        load_mutants(file)
