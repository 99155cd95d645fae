"""What is wrong with a file is said in one line: file, line, field, remedy."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from reports.documents import DocumentError, load_model, load_yaml, parse_yaml, parse_yaml_stream


class Room(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    members: int = 0


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "rooms.yaml"


def test_plain_values_come_back(file: Path) -> None:
    file.write_text("a: [1, x, null]\nday: 2026-12-31\n")
    assert load_yaml(file) == {"a": [1, "x", None], "day": date(2026, 12, 31)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "rooms.yaml:3: the key 'a' appears twice, first in line 1; keep one of them"),
        (
            "x:\n  - {k: 1, k: 2}\n",
            "rooms.yaml:2: the key 'k' appears twice, first in line 2; keep one of them",
        ),
        ("a: [1\nb: 2\n", "rooms.yaml:2: did not find expected ',' or ']'; correct the syntax"),
        ("a: !!python/object:os.system x\n", "rooms.yaml:1: could not determine a constructor"),
        ("a: 1\n---\nb: 2\n", "rooms.yaml: 2 documents; keep one per file"),
        ("day: 2026-02-30\n", "rooms.yaml: day is out of range for month; correct the value"),
    ],
)
def test_what_is_no_good_yaml_is_refused(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(DocumentError) as caught:
        load_yaml(file)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_merged_key_may_be_overridden() -> None:
    text = "base: &b {a: 1, b: 2}\nhere:\n  <<: *b\n  a: 3\n"
    assert parse_yaml(text, "text")["here"] == {"a": 3, "b": 2}


def test_a_stream_leaves_out_empty_documents() -> None:
    assert parse_yaml_stream("a: 1\n---\n---\nb: 2\n", "text") == [{"a": 1}, {"b": 2}]


def test_a_missing_file_is_named(file: Path) -> None:
    with pytest.raises(DocumentError, match=r"rooms\.yaml: cannot be read: No such file or directory; give"):
        load_yaml(file)


def test_bytes_that_are_no_text_are_refused(file: Path) -> None:
    file.write_bytes(b"a: \xff\xfe\n")
    with pytest.raises(DocumentError, match="cannot be read"):
        load_yaml(file)


def test_a_model_names_each_problem_with_line_and_remedy(file: Path) -> None:
    file.write_text("- name: a\n- members: 3\n- name: b\n  members: many\n  owner: c\n")
    with pytest.raises(DocumentError) as caught:
        load_model(file, list[Room])
    assert caught.value.problems == (
        "rooms.yaml:2: [1].name: Field required; add the field",
        (
            "rooms.yaml:4: [2].members: Input should be a valid integer, unable to parse string as an integer; "
            "correct the value"
        ),
        "rooms.yaml:5: [2].owner: Extra inputs are not permitted; remove the field or correct its name",
    )


def test_toml_and_json_are_read_by_their_names(tmp_path: Path) -> None:
    for name, text in {"a.toml": 'name = "x"\n', "a.json": '{"name": "x"}'}.items():
        (tmp_path / name).write_text(text)
        assert load_model(tmp_path / name, Room) == Room(name="x")
    (tmp_path / "a.toml").write_text("name = \n")
    with pytest.raises(DocumentError, match=r"line 1.*correct the syntax"):
        load_model(tmp_path / "a.toml", Room)
