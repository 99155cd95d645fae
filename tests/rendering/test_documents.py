"""Files in ConfigMaps that cannot be read, or are read differently by different readers."""

import pytest

from fixtures.rendering.rules.documents import unreadable


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "a: 1\na: 2\n"),
        ("a.yaml", "a: [\n"),
        ("a.yaml", "# nothing\n"),
        ("a.json", '{"a": {"b": 1, "b": 2}}'),
        ("a.json", "{,}"),
        ("a.toml", "a = 1\na = 2\n"),
        ("a.cfg", " \n"),
    ],
)
def test_what_is_refused(name: str, text: str) -> None:
    (finding,) = unreadable([{"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {name: text}}])
    assert (str(finding.object), finding.field) == ("ConfigMap/c", name)


@pytest.mark.parametrize(
    ("name", "text"), [("a.yaml", "a: 1\n---\nb: 1\n"), ("a.json", '{"a": 1}'), ("a.cfg", "a: 1\na: 1\n")]
)
def test_what_is_taken(name: str, text: str) -> None:
    assert not list(unreadable([{"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {name: text}}]))


def test_a_map_without_a_file_is_a_finding() -> None:
    assert list(unreadable([{"kind": "ConfigMap", "metadata": {"name": "c"}}]))
