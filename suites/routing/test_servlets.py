"""The route table against the pinned Synapse: it is asked what each kind of process can answer at all."""

from collections.abc import Mapping

import pytest

from fixtures.deployment.servlets import Servlets, behind
from fixtures.plugins.evidence import Evidence
from fixtures.rendering.routes import MAIN, RouteTable

FEWEST, FEWEST_MAIN = 400, 60
"""Synapse has more requests than that; fewer would mean that it was not really asked."""


@pytest.mark.requirement("ROU-008")
def test_whoever_gets_a_request_can_answer_it(
    table: RouteTable, servlets: Mapping[str, Servlets], evidence: Evidence
) -> None:
    """Every request that any process can answer, against all processes that the table may send it to.

    Expected: each of them, those that stand in for an empty pool among them, has a servlet for it.
    """
    asked = {each for process in servlets.values() for each in process.requests()}
    evidence("requests", len(asked))
    assert len(asked) > FEWEST, f"Synapse names only {len(asked)} requests; correct servlet_samples"
    faults = [
        f"{each}: {kind}, who may get it as {pool}'s, has no such servlet; correct routes.yaml, or the listener's "
        f"resources in workers/{kind}.yaml"
        for each in sorted(asked)
        for pool in sorted({table.pool(each.method, each.path, query) for query in ("", "since=s")})
        for kind in sorted(behind(pool))
        if not servlets[kind].serves(each.method, each.path)
    ]
    evidence("without a servlet", faults)
    assert not faults, "\n".join(faults[:12])


@pytest.mark.requirement("ROU-008")
def test_what_only_the_main_process_has_stays_there(
    table: RouteTable, servlets: Mapping[str, Servlets], evidence: Evidence
) -> None:
    """Every request that the main process can answer, and no worker can. The table leaves it to the main process."""
    workers = [process for kind, process in servlets.items() if kind != MAIN]
    only_main = [
        each
        for each in servlets[MAIN].requests()
        if not any(process.serves(each.method, each.path) for process in workers)
    ]
    evidence("requests", len(only_main))
    assert len(only_main) > FEWEST_MAIN, (
        f"only {len(only_main)} requests are main's; a worker registers too much"
    )
    faults = [
        f"{each}: is {pool}'s, only main has the servlet; narrow the pattern in routes.yaml"
        for each in only_main
        if (pool := table.pool(each.method, each.path)) != MAIN
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.requirement("ROU-008")
def test_no_route_is_about_nothing(table: RouteTable, servlets: Mapping[str, Servlets]) -> None:
    """Every route decides about some request that Synapse has a servlet for."""
    used = {
        route.name
        for process in servlets.values()
        for each in process.requests()
        for query in ("", "since=s")
        if (route := table.route(each.method, each.path, query)) is not None
    }
    idle = {route.name for route in table.routes} - used
    assert not idle, (
        f"routes.yaml: Synapse has no request for {', '.join(sorted(idle))}; correct or remove them"
    )


@pytest.mark.requirement("ROU-008")
@pytest.mark.parametrize(
    ("servlet", "methods", "pool"),
    [
        ("RoomTypingRestServlet", "PUT", "writer-ephemeral"),
        ("PresenceStatusRestServlet", "GET PUT", "writer-ephemeral"),
        ("SendToDeviceRestServlet", "PUT", "writer-device"),
        ("PushRuleRestServlet", "PUT DELETE", "writer-account"),
        ("ReceiptRestServlet", "POST", "writer-account"),
        ("ReadMarkerRestServlet", "POST", "writer-account"),
        ("TagServlet", "PUT DELETE", "writer-account"),
        ("AccountDataServlet", "PUT", "writer-account"),
        ("RoomAccountDataServlet", "PUT", "writer-account"),
        ("SyncRestServlet", "GET", "initial-sync"),
        ("SlidingSyncRestServlet", "POST", "synchrotron"),
        ("RoomSendEventRestServlet", "PUT POST", "generic-worker"),
        ("FederationSendServlet", "PUT", "generic-worker"),
        ("FederationMediaDownloadServlet", "GET", "media-repository"),
        ("DownloadResource", "GET", "media-repository"),
        ("LogoutRestServlet", "POST", "main"),
        ("PasswordRestServlet", "POST", "main"),
    ],
)
def test_a_servlet_has_its_pool(
    servlet: str, methods: str, pool: str, table: RouteTable, servlets: Mapping[str, Servlets]
) -> None:
    """Every request of a servlet that only one process may run, or that must not be at main. One pool has them all."""
    found = {
        (each.method, table.pool(each.method, each.path))
        for process in servlets.values()
        for each in process.requests()
        if each.servlet == servlet and each.method in methods.split()
    }
    assert found == {(method, pool) for method in methods.split()}, (
        f"{servlet}: the table gives {sorted(found)}, it is {pool}'s with {methods}; correct routes.yaml"
    )
