"""A patch changes exactly what it says, or nothing."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fixtures.deployment.patch import Patch, PatchError

WEB: dict[str, Any] = {
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {"replicas": 2, "list": ["a", "b"]},
}
FILES: dict[str, Any] = {
    "kind": "ConfigMap",
    "metadata": {"name": "synapse-conf.d-2456789bcd"},
    "data": {"10-base.yaml": "a: 1\nb: 1\n", "20-more.yaml": "c: 2\n"},
}
OBJECTS = (WEB, FILES)


def patch(*edits: dict[str, Any]) -> Patch:
    return Patch.model_validate({"edits": edits})


def on_web(*operations: dict[str, Any]) -> Patch:
    return patch({"object": "Deployment/web", "operations": operations})


def on_file(file: str = "10-base.yaml", **edit: str) -> Patch:
    return patch({"configmap": "synapse-conf.d", "file": file, **edit})


class TestObjectEdit:
    @pytest.mark.parametrize(
        ("operation", "spec"),
        [
            ({"op": "replace", "path": "/spec/replicas", "value": 0}, {"replicas": 0, "list": ["a", "b"]}),
            ({"op": "remove", "path": "/spec/list/0"}, {"replicas": 2, "list": ["b"]}),
            (
                {"op": "add", "path": "/spec/list/-", "value": {"x": 1}},
                {"replicas": 2, "list": ["a", "b", {"x": 1}]},
            ),
        ],
    )
    def test_follows_json6902(self, operation: dict[str, Any], spec: dict[str, Any]) -> None:
        """That object, and no other."""
        changed, same = on_web(operation).apply(OBJECTS)
        assert changed == {**WEB, "spec": spec}
        assert same == FILES

    @pytest.mark.parametrize(
        "operation",
        [
            {"op": "remove", "path": "/spec/none"},
            {"op": "replace", "path": "/spec/list/7", "value": 1},
            {"op": "test", "path": "/spec/replicas", "value": 3},
            {"op": "dance", "path": "/spec"},
            {"op": "replace", "path": "spec", "value": 1},
            {"op": "add", "path": "/spec/x"},
            {"path": "/spec"},
        ],
    )
    def test_that_does_not_fit_is_an_error(self, operation: dict[str, Any]) -> None:
        """One line that begins with the object."""
        with pytest.raises(PatchError, match=r"\ADeployment/web: .+\Z"):
            on_web(operation).apply(OBJECTS)

    def test_of_what_is_not_there_is_an_error(self) -> None:
        """It names the object."""
        with pytest.raises(PatchError, match=r"^Deployment/db: the overlay renders no such object$"):
            patch({"object": "Deployment/db", "operations": [{"op": "remove", "path": "/x"}]}).apply(OBJECTS)


class TestFileEdit:
    def test_replaces_what_is_there_once(self) -> None:
        """The ConfigMap is found by its name without the suffix."""
        _, changed = on_file(old="a: 1", new="a: 9").apply(OBJECTS)
        assert changed["data"] == {"10-base.yaml": "a: 9\nb: 1\n", "20-more.yaml": "c: 2\n"}

    @pytest.mark.parametrize(
        ("edit", "said"),
        [
            ({"old": "z", "new": "y"}, "10-base.yaml: 'z' is there 0 times, once is needed"),
            ({"old": ": 1", "new": "y"}, "10-base.yaml: ': 1' is there 2 times, once is needed"),
            ({"new": "y"}, "10-base.yaml: is there already; say in `old` what to replace"),
            (
                {"file": "no", "old": "a", "new": "y"},
                "no: there is no such file; there are: 10-base.yaml, 20-more.yaml",
            ),
        ],
    )
    def test_is_exact_or_an_error(self, edit: dict[str, str], said: str) -> None:
        """A patch that changes something else, or nothing, would prove nothing."""
        with pytest.raises(PatchError, match=f"^ConfigMap/synapse-conf.d: {said}$"):
            on_file(**edit).apply(OBJECTS)

    def test_adds_a_file(self) -> None:
        """Without `old`, where there is none of that name."""
        _, changed = on_file("90-mutant.yaml", new="x: 1").apply(OBJECTS)
        assert changed["data"] == FILES["data"] | {"90-mutant.yaml": "x: 1"}

    @pytest.mark.parametrize(
        "edit", [{"old": "a", "new": "a"}, {"old": "", "new": "a"}, {"old": "a"}, {"new": "a", "more": "b"}]
    )
    def test_without_effect_is_refused(self, edit: dict[str, str]) -> None:
        """When it is read."""
        with pytest.raises(ValidationError):
            on_file(**edit)


class TestNewObject:
    def test_is_added(self) -> None:
        """Behind the others, and open to later edits."""
        made = {"kind": "Service", "metadata": {"name": "s"}, "spec": {"n": 1}}
        later = {"object": "Service/s", "operations": [{"op": "replace", "path": "/spec/n", "value": 2}]}
        assert patch({"add": made}, later).apply(OBJECTS) == (*OBJECTS, made | {"spec": {"n": 2}})

    def test_that_is_there_is_an_error(self) -> None:
        """It is not merged."""
        with pytest.raises(PatchError, match=r"^Deployment/web: is there already; edit it instead$"):
            patch({"add": WEB}).apply(OBJECTS)


class TestRemovedObject:
    def test_is_left_out(self) -> None:
        """The others stay."""
        assert patch({"remove": "Deployment/web"}).apply(OBJECTS) == OBJECTS[1:]

    def test_that_is_not_there_is_an_error(self) -> None:
        """Nothing would be broken."""
        with pytest.raises(PatchError, match=r"^Deployment/api: the overlay renders no such object$"):
            patch({"remove": "Deployment/api"}).apply(OBJECTS)


def test_edits_are_applied_in_order() -> None:
    """The second sees what the first made."""
    one, two = (
        {"configmap": "synapse-conf.d", "file": "20-more.yaml", "old": f"c: {n}", "new": f"c: {n + 1}"}
        for n in (2, 3)
    )
    assert patch(one, two).apply(OBJECTS)[1]["data"]["20-more.yaml"] == "c: 4\n"
    with pytest.raises(PatchError, match="'c: 3' is there 0 times"):
        patch(two, one).apply(OBJECTS)


@given(
    st.sampled_from(["replace", "add", "remove"]),
    st.sampled_from(["/spec", "/spec/list", "/spec/list/0", "/metadata/x", ""]),
    st.integers(),
)
def test_given_objects_stay_as_they_are(kind: str, path: str, value: int) -> None:
    """Whether it fits or not, and however often it is applied."""
    before = copy.deepcopy(OBJECTS)
    change = on_web({"op": kind, "path": path, "value": {"deep": [value]}})
    outcomes = []
    for _ in range(2):
        try:
            outcomes.append(change.apply(OBJECTS))
        except PatchError:
            outcomes.append(())
    assert before == OBJECTS
    assert outcomes[0] == outcomes[1]


def test_empty_patch_is_refused() -> None:
    """It would prove nothing."""
    with pytest.raises(ValidationError):
        patch()


def test_where_it_does_not_fit_nothing_changes() -> None:
    """An overlay that lacks the object is left as it is; one that has it is changed."""
    change = on_web({"op": "replace", "path": "/spec/list/0", "value": "new"})
    assert change.apply_where_it_fits(OBJECTS) == change.apply(OBJECTS) != OBJECTS
    assert change.apply_where_it_fits(OBJECTS[1:]) == OBJECTS[1:]


class TestSourceEdit:
    def test_changes_that_file_and_no_object(self) -> None:
        """Once, where it is said; other files and all objects stay."""
        edit = patch({"source": "values/chart.yaml", "old": "b: 1", "new": "b: 2"})
        assert edit.sources == ("values/chart.yaml",)
        assert edit.apply_to_source("values/chart.yaml", "a: 1\nb: 1\n") == "a: 1\nb: 2\n"
        assert edit.apply_to_source("values/other.yaml", "b: 1\n") == "b: 1\n"
        assert edit.apply(OBJECTS) == OBJECTS

    @pytest.mark.parametrize(("text", "times"), [("a: 1\n", 0), ("b: 1\nb: 1\n", 2)])
    def test_must_fit_once(self, text: str, times: int) -> None:
        """Else it says how often it would."""
        edit = patch({"source": "values/chart.yaml", "old": "b: 1", "new": "b: 2"})
        with pytest.raises(PatchError, match=rf"manifests/values/chart\.yaml: 'b: 1' is there {times} times"):
            edit.apply_to_source("values/chart.yaml", text)
