"""Every pitfall that is written down is caught by a requirement which was seen to turn red."""

import pytest

from fixtures.cli.pitfalls import TABLE, Pitfall, document, faults, pitfalls, sources, uncaught
from fixtures.deployment.mutants import Mutant
from fixtures.deployment.patch import NewObject, Patch
from reports.catalogue import Requirement

ROWS = "## A\n\n| symptom | cause |\n|---|---|\n| s | c | w | {} |\n"
REQUIREMENTS = {
    name: Requirement(id=name, text=f"{name} MUST hold.", source="s") for name in ("STA-001", "STA-002")
}
PATCH = Patch(edits=(NewObject(add={"kind": "ConfigMap", "metadata": {"name": "c"}}),))
MUTANTS = (Mutant(id="m", story="s", requirements=("STA-001",), level="static", patch=PATCH),)


def rows(cell: str) -> tuple[Pitfall, ...]:
    return tuple(pitfalls(ROWS.format(cell)))


def test_every_pitfall_is_caught() -> None:
    bare = uncaught(sources()[0])
    assert not bare, "no requirement catches these; name one in the last column, or write it:\n" + "\n".join(
        bare
    )


def test_what_catches_a_pitfall_is_a_requirement_with_a_mutant() -> None:
    found = list(faults(*sources()))
    assert not found, "\n".join(found)


def test_the_document_is_what_its_sources_say() -> None:
    assert TABLE.read_text(encoding="utf-8") == document(*sources()), "run python -m fixtures.cli.pitfalls"


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("STA-001", None),
        ("cluster", None),
        ("—", None),
        ("STA-003", "'STA-003' is no requirement"),
        ("STA-001, cluster", "'cluster' is no requirement"),
        ("STA-002", "STA-002 was never seen to turn red"),
    ],
)
def test_the_last_column_names_requirements(cell: str, fault: str | None) -> None:
    found = list(faults(rows(cell), REQUIREMENTS, MUTANTS))
    assert found == [] if fault is None else fault in found[0]


def test_a_row_of_nobody_is_told() -> None:
    assert uncaught(rows("—")) == ("pitfalls.md:5: A: s",)
    assert uncaught(rows("STA-001")) == ()


def test_a_row_with_a_cell_too_many_is_refused() -> None:
    with pytest.raises(ValueError, match=r"pitfalls.md:5: 5 cells"):
        rows("STA-001 | x")


def test_the_document_leads_from_the_pitfall_to_the_mutant() -> None:
    assert "| s | **STA-001** STA-001 MUST hold. | `m` |\n" in document(
        rows("STA-001"), REQUIREMENTS, MUTANTS
    )
