"""The shapes of answers: what fits, and that whatever does not is named."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fixtures.clients.shapes.judging import Fault, faults, template_of
from fixtures.clients.shapes.shape import GRAMMAR
from fixtures.clients.shapes.table import TABLE

ANSWERS: dict[str, dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("answers.yaml").read_text(encoding="utf-8")
)

IN_FULL = [(resource, kind) for resource, answers in ANSWERS.items() for kind in answers]

MAPPINGS = ("available", "invite", "join", "joined", "knock", "leave", "one_time_keys", "rooms", "tags")
"""Keys of what maps names to something: any of them may be missing."""

EITHER = ("actions", "D")
"""Keys of what has words or objects in it."""

NUMBERS = ("order", "rank")
"""Keys of numbers, whole or not."""

VALUES = (None, True, 7, 0.5, "seven", [0.5], {"seven": 7})

Steps = tuple[str | int, ...]


def judged(resource: str, body: Any) -> tuple[Fault, ...]:
    """What is wrong with a successful answer."""
    method, path = resource.split(" ", 1)
    return faults(method, path, 200, json.dumps(body).encode())


def positions(value: Any, here: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Each value in an answer, and where it is."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (*here, key), value[key]
        yield from positions(value[key], (*here, key))


def changed(answer: Any, at: Steps, change: Callable[[Any, Any], None]) -> Any:
    """A copy of the answer, changed at a position: `change` is given what holds the value, and its key."""
    made = copy.deepcopy(answer)
    holder = made
    for key in at[:-1]:
        holder = holder[key]
    change(holder, at[-1])
    return made


def written(at: Steps) -> str:
    """A position as a fault writes it."""
    return "$" + "".join(
        f"[{key}]" if isinstance(key, int) else f".{key}" if key.isidentifier() else f"[{key!r}]"
        for key in at
    )


def fits(at: Steps, before: Any, value: Any) -> bool:
    """Whether another value is of a kind that may be there, too."""
    if type(before) is type(value):
        return True
    if isinstance(value, int | float) and at[-1] in NUMBERS:
        return not isinstance(value, bool)
    return isinstance(value, str | dict) and len(at) > 1 and at[-2] in EITHER


@pytest.mark.parametrize(("resource", "kind"), IN_FULL)
def test_an_answer_as_specified_has_no_fault(resource: str, kind: str) -> None:
    assert judged(resource, ANSWERS[resource][kind]) == ()


@pytest.mark.parametrize("resource", [each for each in ANSWERS if isinstance(ANSWERS[each]["least"], dict)])
def test_further_keys_are_allowed(resource: str) -> None:
    assert judged(resource, {**ANSWERS[resource]["least"], "org.example.more": None}) == ()


@pytest.mark.parametrize("resource", ANSWERS)
def test_a_key_that_is_missing_is_named(resource: str) -> None:
    answer = ANSWERS[resource]["least"]
    for at, _ in positions(answer):
        if isinstance(at[-1], int) or (len(at) > 1 and at[-2] in MAPPINGS):
            continue
        found = judged(resource, changed(answer, at, lambda holder, key: holder.pop(key)))
        assert [(each.path, each.came) for each in found] == [(written(at), "missing")], f"without {at}"


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize(("resource", "kind"), IN_FULL)
def test_another_kind_of_value_is_named(resource: str, kind: str, value: Any) -> None:
    answer = ANSWERS[resource][kind]
    for at, before in positions(answer):
        if fits(at, before, value):
            continue
        found = judged(resource, changed(answer, at, lambda holder, key: holder.__setitem__(key, value)))
        named = [each.path for each in found]
        assert any(path.startswith(written(at)) for path in named), f"{value!r} at {at}: {named}"


def test_no_resource_is_without_an_answer_here() -> None:
    """Those that say only that something was done have nothing to drop."""
    tried = {template_of(*resource.split(" ", 1)) for resource in ANSWERS}
    silent = {template for template, shape in TABLE.items() if shape.__name__ == "AnyObject"}
    models = {TABLE[template] for template in tried if template}
    left = {template for template in set(TABLE) - silent - tried if TABLE[template] not in models}
    assert not left, "no answer in answers.yaml to " + ", ".join(sorted(left))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("a user ID", ["@a:b", "@:b.c:80", "@Ä b:[::1]"], ["a:b", "@a", "@a:", "@a:b:c", "@a:b/c", "@a:b\n"]),
        ("a room ID", ["!a:b", "!" + "a" * 43, "!ä/:b"], ["!a", "#a:b", "!" + "a" * 42, "!" + "+" * 43]),
        ("an event ID", ["$" + "a" * 43, "$a:b", "$" + "+/" * 21 + "a"], ["$a", "!a:b", "$" + "a" * 44]),
        ("a room alias", ["#a:b", "#ä b:c"], ["#a", "a:b", "!a:b"]),
        ("an mxc URI", ["mxc://a.b:8448/c_-"], ["mxc://a", "https://a/b", "mxc://a/b/c"]),
    ],
)
def test_identifiers_have_their_grammar(kind: str, good: list[str], bad: list[str]) -> None:
    bodies = {
        "a user ID": ("GET /_matrix/client/v3/account/whoami", "user_id"),
        "a room ID": ("POST /_matrix/client/v3/createRoom", "room_id"),
        "an event ID": ("PUT /_matrix/client/v3/rooms/r/send/t/t", "event_id"),
        "an mxc URI": ("POST /_matrix/media/v3/upload", "content_uri"),
    }
    resource, key = bodies.get(kind, ("GET /_matrix/client/v3/rooms/r/aliases", "aliases"))

    def of(value: str) -> tuple[Fault, ...]:
        return judged(resource, {key: [value] if key == "aliases" else value})

    assert kind in GRAMMAR
    assert [value for value in good if of(value)] == []
    assert [value for value in bad if [each.expected for each in of(value)] != [kind]] == []
    assert of("@" + "a" * 300 + ":b"), "an identifier is too long"


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b'{"user_id": "@a:b"} {}', b"[]", b"null"])
def test_what_is_no_object_is_a_fault(body: bytes) -> None:
    assert [each.path for each in faults("GET", "/_matrix/client/v3/account/whoami", 200, body)] == ["$"]


def test_errors_and_what_nobody_specified_are_not_judged() -> None:
    assert faults("GET", "/_matrix/client/v3/account/whoami", 401, b"<html>") == ()
    assert faults("GET", "/_synapse/admin/v1/whois/@a:b", 200, b"<html>") == ()
    assert faults("DELETE", "/_matrix/client/v3/account/whoami", 200, b"<html>") == ()


def test_a_path_is_one_resource() -> None:
    paths = {template: template.replace("{}", "x") for template in TABLE}
    assert {template_of(*path.split(" ", 1)): template for template, path in paths.items()} == {
        template: template for template in TABLE
    }


def test_a_secret_is_not_shown() -> None:
    login = {"user_id": "@a:b", "device_id": "D", "access_token": 271828, "refresh_token": 314159}
    found = "\n".join(map(str, judged("POST /_matrix/client/v3/login", login)))
    assert "access_token" in found
    assert "271828" not in found
    assert "314159" not in found
