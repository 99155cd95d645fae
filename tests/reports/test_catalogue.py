"""The catalogue refuses what cannot be a promise, and says where it stands."""

from datetime import date
from pathlib import Path
from typing import Protocol

import pytest

from reports.catalogue import AREAS, load_catalogue
from reports.documents import DocumentError

TODAY = date(2026, 6, 15)
GOOD = "- {id: MED-001, text: It MUST hold., source: made up}\n"


class Write(Protocol):
    """Writes YAML files, each named `area__stem`, and gives the folder of the suites."""

    def __call__(self, **files: str) -> Path: ...


@pytest.fixture
def suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def write(**files: str) -> Path:
        for name, text in files.items():
            folder, _, rest = name.rpartition("__")
            file = tmp_path / "suites" / folder / (f"{rest}.yaml")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return tmp_path / "suites"

    return write


def problems(suites: Path) -> tuple[str, ...]:
    with pytest.raises(DocumentError) as caught:
        load_catalogue(suites, TODAY)
    return caught.value.problems


def test_prefixes_are_unique() -> None:
    assert len(set(AREAS.values())) == len(AREAS) == 18


def test_requirements_have_area_and_defaults(suites: Write) -> None:
    catalogue = load_catalogue(suites(media__requirements=GOOD), TODAY)
    requirement = catalogue.requirements["MED-001"]
    assert (requirement.requires, requirement.covers, catalogue.areas["MED-001"]) == ((), (), "media")
    assert list(catalogue.of_area("media")) == [requirement]
    assert list(catalogue.of_area("push")) == []


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"media__requirements": GOOD.replace("MED", "PSH")}, "PSH-001 does not belong to media"),
        ({"media__requirements": GOOD + GOOD}, "requirements.yaml:2: MED-001 is already used in media"),
        ({"rooms__requirements": GOOD}, "'rooms' is no area; name the folder one of static, "),
        ({"media__requirements": GOOD.replace("MUST", "should")}, ":1: [0].text: the sentence has no MUST"),
        ({"media__requirements": GOOD.replace("MED-001", "media-1")}, "'media-1' is no requirement id"),
        ({"media__requirements": GOOD.replace(", source: made up", "")}, ":1: [0].source: Field required"),
        ({"media__requirements": GOOD.replace("made up", "''")}, "[0].source: String should have at least 1"),
        (
            {"media__requirements": GOOD.replace("}", ", cover: []}")},
            "[0].cover: Extra inputs are not permitted",
        ),
        ({"media__requirements": GOOD.replace("id:", "id: X, id:")}, "the key 'id' appears twice"),
    ],
)
def test_what_cannot_be_a_promise_is_refused(suites: Write, files: dict[str, str], expected: str) -> None:
    [problem] = problems(suites(**files))
    assert expected in problem
    assert problem.startswith("suites/")


def test_all_files_are_judged_before_it_complains(suites: Write) -> None:
    found = problems(suites(media__requirements="- {}\n", push__requirements=GOOD))
    assert len(found) == 4
    assert found[-1].startswith("suites/push/requirements.yaml:1: MED-001 does not belong to push")


WAIVER = "- {requirement: MED-001, owner: Ada, reason: soon, expires: 2026-06-15}\n"


def test_a_waiver_holds_until_the_end_of_its_day(suites: Write) -> None:
    folder = suites(media__requirements=GOOD, waivers=WAIVER)
    assert load_catalogue(folder, TODAY).waivers["MED-001"].owner == "Ada"
    with pytest.raises(
        DocumentError, match=r"waivers.yaml:1: waiver of MED-001: expired on 2026-06-15, owner Ada; mend"
    ):
        load_catalogue(folder, date(2026, 6, 16))


@pytest.mark.parametrize(
    ("waivers", "expected"),
    [
        (WAIVER.replace("MED-001", "MED-002"), "there is no such requirement"),
        (WAIVER + WAIVER, "waivers.yaml:2: waiver of MED-001: waived twice"),
        (WAIVER.replace("owner: Ada, ", ""), "[0].owner: Field required"),
        (WAIVER.replace("2026-06-15", "soon"), "[0].expires: "),
    ],
)
def test_a_waiver_that_waives_nothing_is_refused(suites: Write, waivers: str, expected: str) -> None:
    [problem] = problems(suites(media__requirements=GOOD, waivers=waivers))
    assert expected in problem
