"""Requests that are drawn from the route table."""

import re

import pytest

from fixtures.clients.arbitrary import ABOUT_SERVERS, Known, drawn, requests
from fixtures.rendering.routes import Route, load_routes

KNOWN = Known("matrix.test", ("@alice:matrix.test", "DEVICE", "!room", "$event"))
ROUTES = {route.name: route for route in load_routes().routes}
COUNT = 5


def test_they_are_the_same_in_every_run() -> None:
    first, second = (drawn(requests(ROUTES["room-send"], KNOWN), COUNT) for _ in range(2))
    assert first == second
    assert len(first) == COUNT


@pytest.mark.parametrize("name", ["sync", "room-send", "devices", "media", "well-known"])
def test_they_are_about_their_route(name: str) -> None:
    begins = re.compile(ROUTES[name].pattern.replace("[^/]+", "[^/]*").removesuffix("(/|$)"))
    strange = [each for each in drawn(requests(ROUTES[name], KNOWN), COUNT) if not begins.match(each.path)]
    assert not strange, strange


def test_methods_are_those_of_the_route() -> None:
    route = Route(name="read", pattern="^/read$", pool="main", methods=("GET",))
    assert {each.method for each in drawn(requests(route, KNOWN), COUNT)} == {"GET"}


def test_nobody_else_is_named_to_what_asks_other_servers() -> None:
    words = {"download", "thumbnail", "upload", "config", "create", "query", "media"}
    for name in sorted(ABOUT_SERVERS):
        for each in drawn(requests(ROUTES[name], KNOWN), COUNT):
            tail = each.path.split("/")[3:]
            strange = [part for part in tail if part not in words and "." in part.replace("matrix.test", "")]
            assert not [part for part in strange if not part.startswith("org.matrix.")], each


def test_nothing_waits() -> None:
    for each in drawn(requests(ROUTES["sync"], KNOWN), COUNT):
        assert dict(each.query)["timeout"] == "0", each
