"""Findings of a rule over several overlays."""

from collections.abc import Iterator

from fixtures.rendering.findings import Finding, Objects, findings
from fixtures.rendering.objects import Ref


def unnamed(objects: Objects) -> Iterator[Finding]:
    """Finds every object; one of them twice."""
    for manifest in (*objects, *objects[:1]):
        yield Finding(Ref.of(manifest), "spec.a", "is wrong", "mend it")


def test_what_several_overlays_have_is_one_finding() -> None:
    a, b = ({"kind": "Service", "metadata": {"name": name}} for name in "ab")
    found = findings(unnamed, {"one": (a,), "two": (a, b)})
    assert {str(finding): where for finding, where in found.items()} == {
        "Service/a spec.a: is wrong; mend it": ("one", "two"),
        "Service/b spec.a: is wrong; mend it": ("two",),
    }
