"""The route table, and the map that HAProxy reads."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fixtures.rendering.routes import MAP_FILE, Route, RouteTable, load_routes

TABLE = load_routes()
V3 = "/_matrix/client/v3"


def by_map(method: str, path: str) -> str:
    """What HAProxy's map_reg(…,main) makes of a request."""
    for line in MAP_FILE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            key, pool = line.split()
            if re.search(key, f"{method}:{path}"):
                return pool
    return "main"


def test_the_committed_map_is_what_the_table_makes() -> None:
    assert MAP_FILE.read_text(encoding="utf-8") == TABLE.as_map()


@given(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]),
    st.sampled_from([route.pattern for route in TABLE.routes]).flatmap(st.from_regex),
)
def test_map_and_table_agree(method: str, path: str) -> None:
    path = path.rstrip("\n")  # a path has none, and `$` allows one
    assert by_map(method, path) == TABLE.pool(method, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{V3}/sync"),
        ("POST", "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync"),
        ("PUT", f"{V3}/rooms/!a:b/send/m.room.message/1"),
        ("PUT", f"{V3}/rooms/!a:b/state/m.room.name/"),
        ("GET", f"{V3}/rooms/!a:b/messages"),
        ("GET", f"{V3}/pushrules/"),
        ("GET", f"{V3}/user/@a:b/account_data/m.direct"),
        ("HEAD", f"{V3}/user/@a:b/rooms/!a:b/tags"),
        ("POST", f"{V3}/keys/upload"),
        ("POST", f"{V3}/login"),
        ("PUT", "/_matrix/federation/v1/send/1"),
        ("GET", "/_matrix/key/v2/query/a/b"),
    ],
)
def test_workers_take_what_they_can_serve(method: str, path: str) -> None:
    assert TABLE.pool(method, path) == "generic-worker"


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
        ("PUT", f"{V3}/rooms/!a:b/typing/@a:b"),
        ("POST", f"{V3}/rooms/!a:b/receipt/m.read/$c"),
        ("POST", f"{V3}/rooms/!a:b/read_markers"),
        ("PUT", f"{V3}/sendToDevice/m.room.encrypted/1"),
        ("PUT", f"{V3}/user/@a:b/account_data/m.direct"),
        ("DELETE", f"{V3}/user/@a:b/rooms/!a:b/tags/m.favourite"),
        ("PUT", f"{V3}/presence/@a:b/status"),
        ("PUT", f"{V3}/pushrules/global/room/!a:b"),
        ("POST", "/_matrix/media/v3/upload"),
        ("GET", "/_matrix/client/v1/media/download/b/c"),
        ("GET", "/_matrix/federation/v1/media/download/c"),
        ("GET", "/_matrix/federation/v1/openid/userinfo"),
        ("GET", "/_matrix/key/v2/server"),
        ("GET", "/.well-known/matrix/server"),
        ("GET", "/x/_matrix/client/v3/sync"),
        ("GET", f"{V3}/synchronous"),
    ],
)
def test_the_main_process_keeps_what_only_it_can_do(method: str, path: str) -> None:
    assert TABLE.pool(method, path) == "main"


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
