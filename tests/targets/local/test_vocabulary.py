"""What the target does not know is refused by name, and what it leaves out is said."""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.rendering.objects import Manifest
from fixtures.targets.local.vocabulary import VocabularyError, check, left_out, vocabulary
from tests.targets.local.conftest import (
    CLOSED_CLAIM,
    container,
    pod,
    pod_spec,
    service,
    shared_objects,
    workload,
)

OBJECTS = [*shared_objects(), CLOSED_CLAIM]


def refusal(*objects: Manifest) -> str:
    """The one line with which these objects are refused."""
    with pytest.raises(VocabularyError) as caught:
        check(objects)
    text = str(caught.value)
    assert "\n" not in text
    return text


def with_container(**fields: Any) -> Manifest:
    """A pod `p` with one container that has these fields."""
    return pod("p", pod_spec({**container("sleep", "9"), **fields}))


def test_everything_it_knows_is_taken_as_it_is() -> None:
    """One of everything comes through unchanged, also twice."""
    assert list(check(OBJECTS)) == OBJECTS
    assert check(check(OBJECTS)) == check(OBJECTS)


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (
            {"kind": "Ingress", "metadata": {"name": "i"}},
            "Ingress/i: the local target does not know the kind Ingress; use",
        ),
        (
            pod("p", pod_spec(container("x"), hostNetwork=True)),
            "Pod/p: spec.hostNetwork: the local target does not know this field; use",
        ),
        (with_container(tty=True), "Pod/p: spec.containers[0].tty: the local target does not know"),
        (
            with_container(securityContext={"capabilities": {"add": ["ALL"]}}),
            "Pod/p: spec.containers[0].securityContext.capabilities.add: the",
        ),
        (
            workload("Job", "j", pod_spec(container("x")), suspend=True),
            "Job/j: spec.suspend: the local target does not know",
        ),
        (
            with_container(command="sleep 9"),
            "Pod/p: spec.containers[0].command: must be a list, not 'sleep 9'; mend",
        ),
        (
            with_container(command=["sleep", 9]),
            "Pod/p: spec.containers[0].command[1]: must be a text, not 9; mend",
        ),
        (
            with_container(env={"A": "b"}),
            "Pod/p: spec.containers[0].env: must be a list, not {'A': 'b'}; mend",
        ),
        (
            with_container(env=[{"name": "A", "value": 5}]),
            "Pod/p: spec.containers[0].env[0].value: must be a text, not 5",
        ),
        (with_container(env=[{"value": "x"}]), "Pod/p: spec.containers[0].env[0].name: is missing; add it"),
        (
            with_container(securityContext=None),
            "Pod/p: spec.containers[0].securityContext: must be a mapping, not None; mend",
        ),
        (
            workload("Deployment", "d", pod_spec(container("x")), replicas="2"),
            "Deployment/d: spec.replicas: must be a number, not '2'",
        ),
        ({"kind": "Pod", "metadata": {"name": "p"}}, "Pod/p: spec: is missing; add it"),
        (
            {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {}},
            "Deployment/d: spec.template: is missing; add it",
        ),
        (
            with_container(command=[]),
            "Pod/p: containers[0] main: command: there are no images to take an entry point from; state it",
        ),
        (
            pod("p", pod_spec({"name": "main", "image": "x"})),
            "Pod/p: containers[0] main: command: there are no images to take an entry point from; state it",
        ),
        (
            with_container(volumeMounts=[{"name": "v", "mountPath": "/usr/local/etc"}]),
            "Pod/p: containers[0] main: volumeMounts: /usr/local/etc: mount it outside /usr",
        ),
        (
            with_container(volumeMounts=[{"name": "v", "mountPath": "/usr"}]),
            "Pod/p: containers[0] main: volumeMounts: /usr: mount",
        ),
        (service("s", type="NodePort"), "Service/s: spec.type: use one of ClusterIP, LoadBalancer"),
        *(
            (
                with_container(env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": path}}}]),
                f"Pod/p: containers[0] main: env A: the field {path} is not known here",
            )
            for path in ("status.hostIP", "metadata.labels[app]", "metadata.annotations['x']", "")
        ),
    ],
)
def test_refusal_names_object_and_field(manifest: Manifest, said: str) -> None:
    """The first thing that is wrong, by its place, with what to do."""
    assert refusal(*OBJECTS, manifest).startswith(said)


def test_mount_beside_usr_is_no_mount_below_it() -> None:
    """/usrlocal is another folder."""
    check([with_container(volumeMounts=[{"name": "scratch", "mountPath": "/usrlocal"}])])


def test_init_containers_are_looked_at_too() -> None:
    """The same rules for both lists."""
    spec = pod_spec(container("x"), initContainers=[{"name": "i", "image": "x"}])
    assert refusal(pod("p", spec)).startswith("Pod/p: initContainers[0] i: command:")


class TestLeftOut:
    @pytest.mark.parametrize("kind", sorted(vocabulary().left_out_kinds))
    def test_kind_is_reported_and_not_run(self, kind: str) -> None:
        """Each with what that means."""
        manifest = {"kind": kind, "metadata": {"name": "x"}, "spec": {"what": "ever"}}
        assert check([manifest]) == ()
        assert left_out([manifest])[kind] == vocabulary().left_out_kinds[kind]

    @pytest.mark.parametrize("name", sorted(vocabulary().left_out_fields))
    def test_field_is_reported_and_accepted(self, name: str) -> None:
        """Wherever it is, each with what that means."""
        spec = pod_spec({**container("x"), name: "what"}, **{name: {"ever": 1}})
        for manifest in (pod("p", spec), {**service("s"), name: 1}):
            assert check([manifest]) == (manifest,)
            assert left_out([manifest])[name] == vocabulary().left_out_fields[name]

    def test_nothing_else_is_reported(self) -> None:
        """What is understood is not left out."""
        assert left_out([service("s"), with_container()]) == {}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in an object."""
    if path:
        yield path
    for key, child in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from places(child, (*path, key))


PLACES = [
    (index, path) for index, manifest in enumerate(OBJECTS) for path in places(manifest) if path[0] == "spec"
]
anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.just([]), st.just({}), st.just([{}])
)


@given(st.sampled_from(PLACES), anything)
def test_no_value_anywhere_is_more_than_an_error(place: tuple[int, tuple[Any, ...]], value: Any) -> None:
    """Whatever stands wherever: it is taken, or refused in one line that begins with the object's name."""
    index, path = place
    manifest = copy.deepcopy(OBJECTS[index])
    inner: Any = manifest
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    said = f"{manifest['kind']}/{manifest['metadata']['name']}: "
    with contextlib.suppress(VocabularyError):
        check([manifest])
        return
    with pytest.raises(VocabularyError, match=f"\\A{re.escape(said)}.*\\Z"):
        check([manifest])


@given(st.sampled_from([p for p in PLACES if isinstance(p[1][-1], str)]))
def test_no_misspelt_field_is_taken(place: tuple[int, tuple[Any, ...]]) -> None:
    """A field with one letter too many is refused wherever fields have meanings."""
    index, path = place
    if set(path) & {"labels", "matchLabels", "selector", "resources"}:
        return  # free words, and what is left out as a whole
    manifest = copy.deepcopy(OBJECTS[index])
    inner: Any = manifest
    for step in path[:-1]:
        inner = inner[step]
    inner[f"{path[-1]}x"] = inner.pop(path[-1])
    with pytest.raises(VocabularyError):
        check([manifest])
