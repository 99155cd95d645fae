"""Somebody's manifests are read whole: a fault hides nothing else."""

import re
from pathlib import Path

import pytest

from fixtures.rendering.objects import Ref, RenderingError
from fixtures.rendering.reading import read

SOUND = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sound}\n"


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("a: [\n", "line 2", "expected node content"),
        ("a: 1\nb: 2\na: 3\n", "line 3", "the key 'a' appears twice, first in line 1"),
        ("kind: ConfigMap\nmetadata: {name: a}\n", "apiVersion", "of the ConfigMap a is None"),
        ("apiVersion: v1\nmetadata: {name: a}\n", "kind", "of the object a is None"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a-}\n", "metadata.name", "is None"),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .x }}}\n",
            "line 3",
            "render the template first",
        ),
        (
            "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
            + "".join(
                f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)
            ),
            "content",
            "its aliases unfold to over",
        ),
    ],
)
def test_a_bad_document_is_named_and_the_others_are_read(
    tmp_path: Path, text: str, place: str, said: str
) -> None:
    (tmp_path / "a.yaml").write_text(text)
    (tmp_path / "b.yaml").write_text(f"{SOUND}---\n{text}")
    reading = read(tmp_path)
    assert [each["metadata"]["name"] for each in reading.objects] == ["sound"]
    assert [re.search(r"[ab]\.yaml$", fault.object.name) is not None for fault in reading.faults] == [
        True,
        True,
    ]
    first, second = reading.faults
    assert (first.field, second.field) == (place, _later(place))
    assert said in f"{first.fault}; {first.remedy}"


def _later(place: str) -> str:
    """Four lines further down in the second file, where lines are what is counted."""
    number = re.search(r"\d+", place)
    return place.replace(number[0], str(int(number[0]) + 4)) if number else place


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "holds no object of Kubernetes; give rendered manifests"),
        ({"a.txt": SOUND}, "holds no object of Kubernetes; give rendered manifests"),
        ({"a.yaml": "a: [\n"}, "a.yaml: line 2: .*; correct the syntax"),
        ({"Chart.yaml": "name: a", "a.yaml": SOUND}, "is a Helm chart; render it: helm template"),
        ({"kustomization.yaml": "resources: [gone.yaml]"}, "kustomize: .*gone.yaml"),
    ],
)
def test_where_there_is_nothing_to_judge_one_line_says_why(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(RenderingError, match=said) as raised:
        read(tmp_path)
    assert "\n" not in str(raised.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\xfa")
    (tmp_path / "b.yaml").write_text(SOUND)
    (fault,) = read(tmp_path).faults
    assert "is not UTF-8" in fault.fault


def test_templates_of_a_chart_are_the_files(tmp_path: Path) -> None:
    file = tmp_path / "rendered.yaml"
    file.write_text(f"---\n# Source: chart/templates/a.yaml\n{SOUND}")
    reading = read(file)
    (found,) = reading.objects
    assert reading.sources.file_of(Ref.of(found)) == "chart/templates/a.yaml"


def test_objects_without_a_namespace_are_in_the_only_one_there_is(tmp_path: Path) -> None:
    other = SOUND.replace("{name: sound}", "{name: other, namespace: chat}")
    (tmp_path / "a.yaml").write_text(f"{SOUND}---\n{other}---\n{SOUND.replace('ConfigMap', 'PriorityClass')}")
    assert [each["metadata"].get("namespace") for each in read(tmp_path).objects] == ["chat", "chat", None]
