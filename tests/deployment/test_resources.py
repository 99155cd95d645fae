"""From patterns of servlets to resources, and from lines of logs to what was asked for."""

import json
from pathlib import Path

import pytest

from fixtures.deployment.exercise import Request, Span, exercised, logged, request_in
from fixtures.deployment.resources import Inventory, Resource, UnreadablePatternError, readable, resources
from fixtures.deployment.servlets import Servlets

CLIENT = "^/_matrix/client/(api/v1|r0|v3|unstable)"
ROWS = (
    ("GET", f"{CLIENT}/login$", "LoginRestServlet"),
    ("POST", f"{CLIENT}/login$", "LoginRestServlet"),
    ("POST", f"{CLIENT}/rooms/(?P<room_id>[^/]*)/(?P<action>join|ban)$", "RoomMembershipRestServlet"),
    ("PUT", f"{CLIENT}/profile/(?P<user_id>[^/]*)/(?P<field_name>displayname)$", "ProfileFieldRestServlet"),
    (
        "PUT",
        "^/_matrix/client/v3/profile/(?P<user_id>[^/]*)/(?P<field_name>[^/]*)$",
        "ProfileFieldRestServlet",
    ),
    ("PUT", f"{CLIENT}/(?P<path>pushrules/.*)$", "PushRuleRestServlet"),
    ("PUT", "^/_matrix/federation/v1/send/(?P<transaction_id>[^/]*)/?$", "FederationSendServlet"),
)
EVERY = resources({"main": Servlets(ROWS), "synchrotron": Servlets(ROWS[:2])})


def line(method: str, path: str, status: int | str = 200, at: float = 10.0) -> bytes:
    """What Synapse logs of a request, as the local target and a cluster keep it."""
    said = f'198.18.0.1 - 8008 - {{None}} Processed request: 0.001sec 9B {status} "{method} {path} HTTP/1.1" "httpx"'
    entry = {"log": said, "namespace": "synapse.access.http.8008", "time": at, "method": method, "url": path}
    return b"2026-11-26T18:09:39.570454+00:00 " + json.dumps(entry, separators=(",", ":")).encode() + b"\n"


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        (f"{CLIENT}/login$", ["/_matrix/client/v3/login"]),
        ("^/_matrix/media/(r0|v3|v1)/upload$", ["/_matrix/media/v3/upload"]),
        (r"^/_matrix/client/unstable/org\.matrix\.a/b$", ["/_matrix/client/unstable/org.matrix.a/b"]),
        ("^/a/(?P<path>pushrules/.*)$", ["/a/pushrules/{path*}"]),
        ("^/a/(?P<file>.*)$", ["/a/{file*}"]),
        (r"^/auth/(?P<stage>[\w\.]*)/web$", ["/auth/{stage}/web"]),
        ("^/send/(?P<txn>[^/]*)/?$", ["/send/{txn}"]),
        (
            "^/keys(/(?P<room>[^/]+))?(/(?P<session>[^/]+))?$",
            ["/keys/{room}/{session}", "/keys/{room}", "/keys/{session}", "/keys"],
        ),
        ("^/(?P<action>join|ban)$", ["/join", "/ban"]),
    ],
)
def test_a_pattern_is_read_as_people_write_paths(pattern: str, paths: list[str]) -> None:
    assert [path for path, _ in readable(pattern)] == paths


def test_a_pattern_that_nobody_can_read_is_told() -> None:
    with pytest.raises(UnreadablePatternError, match="still holds a regular expression; teach `readable` it"):
        list(readable("^/a/[bc]+$"))


def test_versions_of_one_path_are_one_resource() -> None:
    [login] = [each for each in EVERY if str(each) == "GET /_matrix/client/v3/login"]
    assert login.versions == ("v3", "r0", "api/v1", "unstable")
    assert (login.servlets, login.kinds) == (("LoginRestServlet",), ("main", "synchrotron"))


def test_two_patterns_for_the_same_paths_are_one_resource() -> None:
    row = ("GET", "^/rooms/(?P<{}>[^/]*)$", "{}")
    rows = tuple((row[0], row[1].format(name), row[2].format(name)) for name in ("a", "b"))
    [found] = resources({"main": Servlets(rows)})
    assert (found.path, found.servlets) == ("/rooms/{a}", ("a", "b"))


@pytest.mark.parametrize(
    ("method", "path", "resource"),
    [
        ("POST", "/_matrix/client/r0/login", "POST /_matrix/client/v3/login"),
        ("POST", "/_matrix/client/api/v1/login", "POST /_matrix/client/v3/login"),
        ("POST", "/_matrix/client/v2/login", None),
        ("POST", "/_matrix/client/v3/login/", "POST /_matrix/client/v3/login"),
        ("POST", "/_matrix/client/v3/login/sso", None),
        ("DELETE", "/_matrix/client/v3/login", None),
        ("POST", "/_matrix/client/v3/rooms/%21a%3Ab/ban", "POST /_matrix/client/v3/rooms/{room_id}/ban"),
        (
            "PUT",
            "/_matrix/client/v3/profile/@a:b/displayname",
            "PUT /_matrix/client/v3/profile/{user_id}/displayname",
        ),
        (
            "PUT",
            "/_matrix/client/v3/profile/@a:b/m.tz",
            "PUT /_matrix/client/v3/profile/{user_id}/{field_name}",
        ),
        ("PUT", "/_matrix/client/v3/pushrules/global/override/a", "PUT /_matrix/client/v3/pushrules/{path*}"),
    ],
)
def test_a_request_is_for_the_resource_that_leaves_least_open(
    method: str, path: str, resource: str | None
) -> None:
    found = Inventory.of(EVERY).resource(method, path)
    assert (str(found) if found else None) == resource


def test_a_line_of_a_log_says_what_was_asked_and_how_it_was_answered() -> None:
    assert request_in(line("GET", "/_matrix/client/v3/sync?since=s1", "200!")) == Request(
        10.0, "GET", "/_matrix/client/v3/sync", 200
    )


@pytest.mark.parametrize(
    "text",
    [
        b"2026-11-26T18:09:39+00:00 Starting\n",
        b'2026-11-26T18:09:39+00:00 {"log":"\\"synapse.access.http.8008\\""}\n',
        line("GET", "/_matrix/client/v3/sync")[:-9],
        line("GET", "/_matrix/client/v3/sync").replace(b"synapse.access.http", b"synapse.http"),
    ],
)
def test_what_is_no_line_of_a_request_says_nothing(text: bytes) -> None:
    assert request_in(text) is None


def test_every_life_of_every_pod_is_read(tmp_path: Path) -> None:
    for place in ("main-0/synapse.0.log", "main-0/synapse.1.log", "worker-0.17/synapse.0.log"):
        file = tmp_path / place
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"2026-11-26T18:09:39+00:00 Starting\n" + line("GET", f"/{place}"))
    assert [each.path for each in logged(tmp_path)] == [
        "/main-0/synapse.0.log",
        "/main-0/synapse.1.log",
        "/worker-0.17/synapse.0.log",
    ]


def requests(*rows: tuple[str, str, int, float]) -> list[Request]:
    return [Request(at, method, path, status) for method, path, status, at in rows]


def test_asked_for_is_what_was_answered_without_a_refusal() -> None:
    login, room = "/_matrix/client/v3/login", "/_matrix/client/v3/rooms/%21a/join"
    asked = requests(
        ("POST", login, 403, 11), ("POST", login, 200, 12), ("GET", login, 302, 13), ("POST", room, 404, 14)
    )
    found = {str(resource): seen for resource, seen in exercised(asked, EVERY, []).items()}
    assert (found[f"POST {login}"].done, dict(found[f"POST {login}"].answers)) == (True, {"4xx": 1, "2xx": 1})
    assert found[f"GET {login}"].done
    assert not found["POST /_matrix/client/v3/rooms/{room_id}/join"].done


def test_an_area_is_named_where_one_of_its_tests_ran() -> None:
    spans = [Span(10, 11, "media"), Span(12, 13, "routing"), Span(20, 21, "security")]
    asked = requests(*(("GET", "/_matrix/client/v3/login", 200, at) for at in (10.5, 11.5, 12.5, 9.0)))
    asked += requests(("GET", "/_matrix/client/v3/login", 401, 20.5))
    [seen] = exercised(asked, EVERY, spans).values()
    assert seen.areas == {"media", "routing"}


def test_what_a_test_draws_is_answered_and_not_asked_for() -> None:
    asked = requests(("GET", "/_matrix/client/v3/login", 200, 10.5))
    [seen] = exercised(asked, EVERY, [Span(10, 11, None)]).values()
    assert (seen.done, seen.areas, dict(seen.answers)) == (False, set(), {"2xx": 1})


def test_what_was_before_the_run_does_not_count() -> None:
    asked = requests(("GET", "/_matrix/client/v3/login", 200, 10.0))
    assert exercised(asked, EVERY, [], since=10.5) == {}


def test_ids_do_not_hide_a_resource() -> None:
    """Whatever is left out of a path before it is looked up, what is found is the same."""
    path = "/_matrix/client/v3/rooms/!QWERTYUIOPASDFGHJK:matrix.test/ban"
    asked = requests(
        ("POST", path, 200, 1.0), ("PUT", "/_matrix/federation/v1/send/1795716551a0b1c2d3/", 200, 1.0)
    )
    assert {str(each) for each in exercised(asked, EVERY, [])} == {
        "POST /_matrix/client/v3/rooms/{room_id}/ban",
        "PUT /_matrix/federation/v1/send/{transaction_id}",
    }


def test_resources_are_ordered_by_path_and_method() -> None:
    assert list(EVERY) == sorted(EVERY)
    assert all(isinstance(each, Resource) for each in EVERY)
