"""The route table, and the map that HAProxy reads."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fixtures.rendering.routes import Route, RouteTable, asks_for_everything, load_routes

TABLE = load_routes()
V3 = "/_matrix/client/v3"


def by_map(method: str, path: str, query: str = "") -> str:
    """What HAProxy's map_reg(…,main) makes of a request, with the mark that the front puts on a first /sync."""
    path += "?first" if asks_for_everything(path, query) else ""
    for line in TABLE.as_map().splitlines():
        if not line.startswith("#"):
            key, pool = line.split()
            if re.search(key, f"{method}:{path}"):
                return pool
    return "main"


@given(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]),
    st.sampled_from([route.pattern for route in TABLE.routes]).flatmap(st.from_regex),
    st.sampled_from(
        ["", "since=s", "since=", "full_state=true", "since=s&full_state=true", "since=s&full_state=false"]
    ),
)
def test_map_and_table_agree(method: str, path: str, query: str) -> None:
    path = path.rstrip("\n").partition("?")[0]  # a path has neither, and `$` allows the first
    assert by_map(method, path, query) == TABLE.pool(method, path, query)


@pytest.mark.parametrize(
    ("method", "path", "pool"),
    [
        ("POST", "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync", "synchrotron"),
        ("GET", f"{V3}/initialSync", "initial-sync"),
        ("PUT", f"{V3}/rooms/!a:b/send/m.room.message/1", "generic-worker"),
        ("PUT", f"{V3}/rooms/%21a%3Ab/state/m.room.name/", "generic-worker"),
        ("GET", f"{V3}/rooms/!a:b/messages", "generic-worker"),
        ("GET", f"{V3}/pushrules/", "generic-worker"),
        ("GET", f"{V3}/user/@a:b/account_data/m.direct", "generic-worker"),
        ("HEAD", f"{V3}/user/@a:b/rooms/!a:b/tags", "generic-worker"),
        ("POST", f"{V3}/keys/upload", "generic-worker"),
        ("POST", f"{V3}/login", "generic-worker"),
        ("PUT", "/_matrix/federation/v1/send/1", "generic-worker"),
        ("GET", "/_matrix/key/v2/query/a/b", "generic-worker"),
        ("GET", "/.well-known/matrix/server", "generic-worker"),
        ("POST", "/_matrix/media/v3/upload", "media-repository"),
        ("GET", "/_matrix/client/v1/media/download/b/c", "media-repository"),
        ("GET", "/_matrix/federation/v1/media/download/c", "media-repository"),
        ("PUT", f"{V3}/rooms/!a:b/typing/@a:b", "writer-ephemeral"),
        ("PUT", f"{V3}/presence/@a:b/status", "writer-ephemeral"),
        ("GET", f"{V3}/presence/@a:b/status", "writer-ephemeral"),
        ("PUT", f"{V3}/sendToDevice/m.room.encrypted/1", "writer-device"),
        ("POST", f"{V3}/rooms/!a:b/receipt/m.read/$c", "writer-account"),
        ("POST", f"{V3}/rooms/!a:b/read_markers", "writer-account"),
        ("PUT", f"{V3}/user/@a:b/account_data/m.direct", "writer-account"),
        ("DELETE", f"{V3}/user/@a:b/rooms/!a:b/tags/m.favourite", "writer-account"),
        ("PUT", f"{V3}/pushrules/global/room/!a:b", "writer-account"),
    ],
)
def test_a_request_has_its_pool(method: str, path: str, pool: str) -> None:
    assert TABLE.pool(method, path) == by_map(method, path) == pool


@pytest.mark.parametrize(
    ("query", "pool"),
    [
        ("", "initial-sync"),
        ("timeout=30000", "initial-sync"),
        ("since=s1_2&full_state=true", "initial-sync"),
        ("since=s1_2", "synchrotron"),
        ("timeout=30000&since=s1_2&full_state=false", "synchrotron"),
    ],
)
def test_a_sync_that_asks_for_everything_has_a_pool_of_its_own(query: str, pool: str) -> None:
    assert TABLE.pool("GET", f"{V3}/sync", query) == by_map("GET", f"{V3}/sync", query) == pool


@pytest.mark.parametrize(
    ("path", "empty", "pool"),
    [
        (f"{V3}/sync", (), "initial-sync"),
        (f"{V3}/sync", ("initial-sync",), "synchrotron"),
        (f"{V3}/sync", ("initial-sync", "synchrotron"), "generic-worker"),
        (f"{V3}/sync", ("initial-sync", "synchrotron", "generic-worker"), "main"),
        (f"{V3}/sync", ("initial-sync", "synchrotron", "generic-worker", "main"), None),
        ("/_matrix/media/v3/config", ("media-repository",), None),
        (f"{V3}/rooms/!a:b/read_markers", ("writer-account",), "main"),
    ],
)
def test_an_empty_pool_is_stood_in_for(path: str, empty: tuple[str, ...], pool: str | None) -> None:
    assert TABLE.answering("GET", path, empty=empty) == pool


def test_nobody_stands_in_for_a_writer_of_its_own() -> None:
    markers = f"{V3}/rooms/!a:b/read_markers"
    assert TABLE.answering("POST", markers, writers=True) == "writer-account"
    assert TABLE.answering("POST", markers, writers=True, empty=("writer-account",)) is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{V3}/logout"),
        ("POST", f"{V3}/account/password"),
        ("POST", f"{V3}/pushers/set"),
        ("POST", f"{V3}/refresh"),
        ("POST", f"{V3}/rooms/!a:b/forget"),
        ("POST", f"{V3}/rooms/!a:b/upgrade"),
        ("POST", f"{V3}/rooms/!a:b/report/$c"),
        ("POST", f"{V3}/user/@a:b/openid/request_token"),
        ("GET", "/_matrix/federation/v1/openid/userinfo"),
        ("GET", "/_matrix/key/v2/server"),
        ("GET", "/x/_matrix/client/v3/sync"),
        ("GET", f"{V3}/synchronous"),
    ],
)
def test_the_main_process_keeps_what_only_it_can_do(method: str, path: str) -> None:
    assert TABLE.pool(method, path) == "main"


def test_only_a_sync_can_be_the_first() -> None:
    with pytest.raises(ValidationError, match=r"first: true, which is about /sync only"):
        Route(name="a", pattern="^/a$", pool="main", first=True)


def test_the_first_route_that_matches_decides() -> None:
    table = RouteTable(
        routes=(
            Route(name="a", pattern="^/a/b$", pool="main"),
            Route(name="b", pattern="^/a/", pool="generic-worker"),
        )
    )
    assert (table.pool("GET", "/a/b"), table.pool("GET", "/a/c")) == ("main", "generic-worker")


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("/_matrix/", r"must begin with \^/"),
        ("^_matrix", r"must begin with \^/"),
        ("^/a b", "white space"),
        ("^/a|^/b", r"a \| outside parentheses"),
        ("^/(a|b)|c", r"a \| outside parentheses"),
        ("^/(a", "no regular expression"),
    ],
)
def test_a_pattern_that_would_mislead_is_refused(pattern: str, fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        Route(name="a", pattern=pattern, pool="main")


@pytest.mark.parametrize("pattern", ["^/(a|b)/", r"^/a\|b", "^/[|]", "^/[^|]+", r"^/[\]|]"])
def test_a_bar_inside_is_allowed(pattern: str) -> None:
    assert Route(name="a", pattern=pattern, pool="main").pattern == pattern


def test_two_routes_of_one_name_are_refused() -> None:
    route = Route(name="a", pattern="^/a", pool="main")
    with pytest.raises(ValidationError, match="more than once: a; rename"):
        RouteTable(routes=(route, route))
