"""Each resource that the pinned Synapse registers is in docs/resources.md, and what no test asks for has its reason."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import ValidationError

from fixtures.cli.resources import disagreements, main, reported
from fixtures.deployment.resource_table import NOBODY, TABLE, Row, areas_of, document, proofs
from fixtures.deployment.resources import Resource, resources
from fixtures.deployment.servlets import registered
from fixtures.deployment.unexercised import Group, Kind, load_groups, reasons, unproved, void
from fixtures.rendering.kustomize import render
from fixtures.rendering.routes import load_routes
from fixtures.rendering.secrets import load_declarations
from fixtures.rendering.sizes import OVERLAYS
from reports.catalogue import AREAS
from reports.documents import DocumentError
from reports.model import Report, ResourceEntry, Run
from reports.publishing import as_json

NAMES = {"GET /a", "PUT /a", "GET /b"}
GROUP = Group(kind=Kind.UNTESTED, reason="Nobody has come to it until now.", resources=("GET PUT /a",))


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> tuple[Resource, ...]:
    """What the pinned Synapse registers under the configuration that is shipped."""
    folder = tmp_path_factory.mktemp("servlets")
    return resources(asyncio.run(registered(render(OVERLAYS / "local"), load_declarations(), folder)))


def rows(every: tuple[Resource, ...], told: dict[str, str]) -> list[Row]:
    """The rows that there must be; which areas asked for a resource only a run can say."""
    listed, table = reasons(load_groups()), load_routes()
    return [
        Row(
            each.method,
            each.path,
            each.servlets,
            each.served_by(table),
            areas_of(told.get(str(each), ""), AREAS),
            listed.get(str(each)),
        )
        for each in every
    ]


def test_the_document_is_what_its_sources_say(every: tuple[Resource, ...]) -> None:
    text = TABLE.read_text(encoding="utf-8")
    remedy = "run everything, then python -m fixtures.cli.resources"
    found = rows(every, dict(proofs(text)))
    undecided = [f"{each.method} {each.path}" for each in found if each.proof == NOBODY]
    assert not undecided, f"neither asked for nor listed; {remedy}:\n" + "\n".join(undecided)
    assert text == document(found), remedy


def test_what_is_listed_is_there_once_and_nobody_asks_for_it(every: tuple[Resource, ...]) -> None:
    groups, registered_names = load_groups(), {str(each) for each in every}
    asked = {
        name for name, proof in proofs(TABLE.read_text(encoding="utf-8")).items() if areas_of(proof, AREAS)
    }
    faults = [*void(groups, registered_names), *unproved(groups, registered_names, asked)]
    assert not faults, "\n".join(faults)


def test_a_resource_more_is_told() -> None:
    """One more than before: neither asked for nor listed."""
    [fault] = unproved([GROUP], {*NAMES, "POST /new"}, {"GET /b"})
    assert fault.startswith("POST /new: nobody asked for it")


def test_a_resource_less_is_told() -> None:
    [fault] = void([GROUP], NAMES - {"PUT /a"})
    assert fault.startswith("PUT /a: is in suites/resources.yaml, and Synapse registers no such resource")


def test_an_entry_that_is_asked_for_all_the_same_is_told() -> None:
    [fault] = unproved([GROUP], NAMES, {"GET /a", "GET /b"})
    assert fault.startswith("GET /a: was asked for and answered; remove it")


def test_an_entry_that_is_there_twice_is_told() -> None:
    again = GROUP.model_copy(update={"resources": ("GET /a",)})
    assert list(void([GROUP, again], NAMES)) == ["GET /a: is in suites/resources.yaml twice; keep one"]


def test_all_asked_for_or_listed_is_no_fault() -> None:
    assert not list(void([GROUP], NAMES))
    assert not list(unproved([GROUP], NAMES, {"GET /b"}))


@pytest.mark.parametrize("entry", ["/a", "get /a", "GET a", "GET /a /b", "PATCH /a"])
def test_an_entry_is_a_method_and_a_path(entry: str) -> None:
    with pytest.raises(ValidationError, match="is no resource: write METHOD PATH"):
        Group(kind=Kind.UNTESTED, reason=GROUP.reason, resources=(entry,))


def test_a_reason_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="at least 20 characters"):
        Group(kind=Kind.UNTESTED, reason="later", resources=("GET /a",))


def test_the_document_leads_from_the_resource_to_its_proof() -> None:
    text = document(
        [
            Row(
                "GET", "/_matrix/client/v3/sync", ("SyncRestServlet",), "synchrotron", ("client_api", "media")
            ),
            Row("GET", "/_synapse/admin/v1/a", ("A", "B"), None, reason="operators: Because it is theirs."),
        ]
    )
    assert "1 of 2 are asked for." in text
    assert text.index("## For clients\n") < text.index("/v3/sync`") < text.index("## For administrators\n")
    told = proofs(text)
    assert told == {
        "GET /_matrix/client/v3/sync": "client_api, media",
        "GET /_synapse/admin/v1/a": "operators: Because it is theirs.",
    }
    assert areas_of(told["GET /_matrix/client/v3/sync"], AREAS) == ("client_api", "media")
    assert areas_of(told["GET /_synapse/admin/v1/a"], AREAS) == ()


def test_a_report_that_says_nothing_of_resources_makes_no_table(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(as_json(Report.of(Run(id="r", started="2026-06-15T12:00:00Z"), [], [])))
    with pytest.raises(DocumentError, match="says nothing of resources; give the report of a whole run"):
        reported(file)


def test_a_run_that_does_not_agree_with_the_list_leaves_the_table_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that knows one resource only: all that is listed is void, and the one has no reason."""
    entries = (ResourceEntry(method="GET", path="/new"),)
    run = Run(id="r", started="2026-06-15T12:00:00Z")
    file, before = tmp_path / "report.json", TABLE.read_bytes()
    file.write_text(as_json(Report.of(run, [], [], resources=entries)))
    monkeypatch.setattr("sys.argv", ["resources", str(file)])
    assert main() == 1
    assert TABLE.read_bytes() == before
    assert capsys.readouterr().out.splitlines() == list(disagreements(entries))
