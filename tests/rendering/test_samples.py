"""Sample paths of patterns."""

import re

import pytest

from fixtures.rendering.routes import Route, load_routes
from fixtures.rendering.samples import methods, samples, servlet_samples

TABLE = load_routes()


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("^/a/(r0|v3)/sync$", ["/a/r0/sync", "/a/v3/sync"]),
        ("^/a/rooms/[^/]+/state$", ["/a/rooms/x1/state"]),
        ("^/a/media/", ["/a/media/x1/y2"]),
        ("^/a/devices(/|$)", ["/a/devices/x1/y2", "/a/devices"]),
        (r"^/a/org\.b(/[^/]+)?$", ["/a/org.b/x1", "/a/org.b"]),
        ("^/a/(s/|rooms/[^/]+/s$)", ["/a/s/x1/y2", "/a/rooms/x1/s"]),
        ("^/a/user/[^/]+/(rooms/[^/]+/)?b/", ["/a/user/x1/rooms/x1/b/x1/y2", "/a/user/x1/b/x1/y2"]),
    ],
)
def test_there_is_one_for_each_alternative(pattern: str, paths: list[str]) -> None:
    assert list(samples(Route(name="a", pattern=pattern, pool="main"))) == paths


@pytest.mark.parametrize("route", TABLE.routes, ids=lambda route: route.name)
def test_every_sample_fits_its_route(route: Route) -> None:
    paths = list(samples(route))
    assert paths
    assert [path for path in paths if not re.match(route.pattern, path)] == []


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("^/_matrix/client/(api/v1|v3)/login$", ["/_matrix/client/api/v1/login", "/_matrix/client/v3/login"]),
        ("^/a/(?P<room_id>[^/]*)/b/?$", ["/a/x1/b/", "/a/x1/b"]),
        ("^/a/(?P<kind>join|leave)$", ["/a/join", "/a/leave"]),
    ],
)
def test_servlets_write_theirs_with_named_groups(pattern: str, paths: list[str]) -> None:
    assert list(servlet_samples(pattern)) == paths
    assert [path for path in paths if not re.match(pattern, path)] == []


def test_a_route_without_methods_is_about_all() -> None:
    assert methods(Route(name="a", pattern="^/a", pool="main", methods=("PUT",))) == ("PUT",)
    assert {"GET", "PATCH", "OPTIONS"} < set(methods(Route(name="a", pattern="^/a", pool="main")))
