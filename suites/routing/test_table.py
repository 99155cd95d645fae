"""Every request goes to the pool that the route table names: asked of the real HAProxy, request by request."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import product, zip_longest

import pytest

from fixtures.plugins.evidence import Evidence
from fixtures.rendering.objects import Manifest
from fixtures.rendering.routes import MAP_FILE, Route, RouteTable
from fixtures.rendering.samples import QUERIES, methods, samples
from fixtures.targets.rig.bending import MAPS, files_of
from fixtures.targets.rig.edge import Rig
from fixtures.targets.rig.wire import Request

MOST_FAULTS = 12  # in a message; the evidence has all

CLOSED = "/.well-known/"
"""Below it nothing is let in that no route names: Synapse has a page of HTML for the rest."""


def target(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


def near_misses(path: str) -> Iterator[str]:
    """Paths like a route's that are none of it, or another one's."""
    *before, last = path.split("/")
    yield path + "x"
    yield path + "/x"
    yield path[:-1]
    yield "/".join([*before, "x" + last])
    for version in ("/r0/", "/v1/", "/v2/", "/v3/", "/unstable/"):
        if version in path:
            yield path.replace(version, "/v99/", 1)


async def misled(rig: Rig, table: RouteTable, requests: Iterable[Request]) -> tuple[Counter[str], list[str]]:
    """How many requests each pool got, and a line for each that went elsewhere than the table says."""
    asked, faults, got = tuple(requests), [], Counter[str]()
    for request, answer in zip(asked, await rig.ask(*asked), strict=True):
        path, _, query = request.target.partition("?")
        pool, route = rig.pool_of(answer), table.route(request.method, path, query)
        closed = route is None and path.startswith(CLOSED)
        expected = None if closed else table.answering(request.method, path, query, writers=rig.writers)
        got[pool or f"refused with {answer.status}"] += 1
        if pool != expected:
            faults.append(
                f"{request}: HAProxy gave it to {pool or 'nobody'} ({answer.status}), it is {expected or 'nobody'}'s "
                f"by {f'the route {route.name}' if route else 'no route'}; correct routes.map or 30-front.cfg"
            )
    return got, faults


@pytest.mark.requirement("ROU-007")
def test_the_map_is_made_of_the_table(objects: tuple[Manifest, ...], table: RouteTable) -> None:
    """Precondition: the overlay is rendered. What HAProxy reads is what routes.yaml makes, line by line."""
    shipped = files_of(objects, MAPS).get(MAP_FILE.name, "").splitlines()
    for number, (found, made) in enumerate(zip_longest(shipped, table.as_map().splitlines()), 1):
        assert found == made, (
            f"{MAPS} {MAP_FILE.name}:{number}: is {found!r}, routes.yaml makes {made!r}; "
            "run python -m fixtures.rendering.routes"
        )


@pytest.mark.requirement("ROU-007")
def test_no_route_is_shadowed(table: RouteTable) -> None:
    """Each route decides about every alternative of its own pattern, with each of its methods."""

    def shadows(route: Route, path: str, method: str) -> set[str]:
        found = {table.route(method, path, query) for query in QUERIES}
        return set() if route in found else {each.name for each in found if each is not None}

    faults = [
        f"routes.yaml {route.name}: {method} {path} is decided by {', '.join(sorted(earlier))}; move it up"
        for route in table.routes
        for path, method in product(samples(route), methods(route))
        if (earlier := shadows(route, path, method))
    ]
    assert not faults, "\n".join(faults[:MOST_FAULTS])


@pytest.mark.requirement("ROU-007")
async def test_every_request_reaches_the_pool_of_its_route(
    rig: Rig, table: RouteTable, evidence: Evidence
) -> None:
    """Every alternative of every route, with each method and with queries that count and that do not, is sent.

    Expected: a process of the table's pool answers; without a route it is the main process.
    """
    got, faults = await misled(
        rig,
        table,
        [
            Request(method, target(path, query))
            for route in table.routes
            for path, method, query in product(samples(route), methods(route), QUERIES)
        ],
    )
    evidence("requests by pool", dict(got))
    evidence("misled", faults)
    assert not faults, "\n".join(
        [f"{len(faults)} of {got.total()} requests are misled", *faults[:MOST_FAULTS]]
    )


@pytest.mark.requirement("ROU-007")
async def test_what_no_route_names_is_the_main_process_s(
    rig: Rig, table: RouteTable, evidence: Evidence
) -> None:
    """Paths that nearly fit a route (something before, behind, another version) are sent.

    Expected: whoever the table says, the main process where it says nothing. A pattern without its end takes too much.
    """
    paths = {miss for route in table.routes for path in samples(route) for miss in near_misses(path)}
    got, faults = await misled(
        rig, table, [Request(method, path) for path in sorted(paths) for method in ("GET", "PUT")]
    )
    evidence("requests by pool", dict(got))
    assert not faults, "\n".join(
        [f"{len(faults)} of {got.total()} requests are misled", *faults[:MOST_FAULTS]]
    )
