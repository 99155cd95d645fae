"""Requests that belong together meet at one process, and those that do not are spread over all."""

import itertools
import math
from collections import Counter
from collections.abc import Iterable
from typing import Final

import pytest

from fixtures.plugins.evidence import Evidence
from fixtures.targets.rig.edge import Rig
from fixtures.targets.rig.wire import Request

V3 = "/_matrix/client/v3"
KEYS = 400

POINTS: Final = 16
"""Places of one server on the ring of `hash-type consistent`: HAProxy gives a weight of 1 that many."""


def bearer(user: str, device: str = "x") -> tuple[tuple[str, str], ...]:
    return (("Authorization", f"Bearer syt_{user}_{device}_sum"),)


def share(processes: int) -> tuple[float, float]:
    """The least and the most that one process may get of many requests.

    With n processes of v places each on a ring at random, one's share is Beta(v, v(n-1)); four standard deviations
    either side hold it but once in tens of thousands.
    """
    a, b = POINTS, POINTS * (processes - 1)
    mean = a / (a + b)
    spread = 4 * math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
    return mean - spread, mean + spread


async def meetings(rig: Rig, groups: Iterable[Iterable[Request]]) -> list[set[str | None]]:
    """Who answered, for each group of requests."""
    listed = [tuple(group) for group in groups]
    answers = iter(await rig.ask(*itertools.chain.from_iterable(listed)))
    return [{answer.process for answer in itertools.islice(answers, len(group))} for group in listed]


def all_met(what: str, met: list[set[str | None]], remedy: str) -> None:
    apart = [sorted(map(str, names)) for names in met if len(names) != 1]
    assert not apart, (
        f"{what}: {len(apart)} of {len(met)} were at more than one process, such as {', '.join(apart[0])}; {remedy}"
    )
    assert len(set.union(*met)) > 1, f"{what}: all are at {met[0]}, so nothing is proved; {remedy}"


@pytest.mark.requirement("ROU-011")
async def test_a_user_is_always_at_one_synchrotron(rig: Rig) -> None:
    """Users with three devices each, with the token in the header and in the query: one synchrotron for each."""
    met = await meetings(
        rig,
        (
            [
                *(
                    Request("GET", f"{V3}/sync?since=s{n}", bearer(f"u{user}", each))
                    for n, each in enumerate("abc")
                ),
                Request("GET", f"{V3}/sync?since=s&access_token=syt_u{user}_d_sum"),
                Request(
                    "POST", "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync", bearer(f"u{user}")
                ),
            ]
            for user in range(40)
        ),
    )
    all_met("/sync of one user", met, "balance synchrotron by hash var(txn.affinity)")


@pytest.mark.requirement("ROU-011")
async def test_a_token_of_any_form_is_always_at_one_synchrotron(rig: Rig) -> None:
    """Tokens that another authentication service made, from changing addresses: one synchrotron for each."""
    found: dict[str, set[str | None]] = {}
    for address, user in itertools.product(range(3), range(40)):
        request = Request("GET", f"{V3}/sync?since=s", (("Authorization", f"Bearer mat_{user:032x}_x"),))
        answer = await rig.one(request, source=f"{rig.block}.{150 + address}")
        found.setdefault(str(user), set()).add(answer.process)
    all_met("/sync with one token", list(found.values()), "take the token, not the address (has_token)")


@pytest.mark.requirement("ROU-011")
async def test_a_room_is_always_at_one_worker(rig: Rig) -> None:
    """Requests about one room by several users, its id plain and encoded: one generic worker for each room."""
    met = await meetings(
        rig,
        (
            [
                Request("GET", f"{V3}/rooms/!r{room}:a/messages", bearer("a")),
                Request("GET", f"{V3}/rooms/%21r{room}%3aa/messages?dir=b", bearer("b")),
                Request("PUT", f"{V3}/rooms/%21r{room}%3Aa/send/m.room.message/1", bearer("c")),
                Request("POST", f"{V3}/join/%21r{room}:a", bearer("d")),
                Request("GET", f"/_matrix/client/v1/rooms/!r{room}%3Aa/hierarchy", bearer("e")),
            ]
            for room in range(40)
        ),
    )
    all_met("requests about one room", met, "hash the decoded room id (is_room, url_dec)")


@pytest.mark.requirement("ROU-011")
async def test_another_server_is_always_at_one_worker(rig: Rig) -> None:
    """Requests of one server, signed in each form that the header may have: one generic worker for each server."""
    forms = (
        'X-Matrix origin="{}",key="k",sig="s"',
        "X-Matrix key=k,destination=b.test,origin={},sig=s",
        'x-matrix ORIGIN="{}"',
        'X-Matrix destination="b.test", origin={}, sig="z"',
    )
    met = await meetings(
        rig,
        (
            [
                Request(
                    "PUT",
                    f"/_matrix/federation/v1/send/{n}",
                    (("Authorization", form.format(f"s{server}.test")),),
                )
                for n, form in enumerate(forms)
            ]
            for server in range(40)
        ),
    )
    all_met("requests of one server", met, "read the whole header (req.fhdr) and find origin= in it")


@pytest.mark.requirement("ROU-011")
async def test_previews_and_their_pictures_meet(rig: Rig) -> None:
    """Previews of links and the pictures in them, whoever asks: one media worker, as they are files of its own."""
    requests = [
        Request("GET", "/_matrix/client/v1/media/preview_url?url=x", bearer("a")),
        Request("GET", "/_matrix/media/v3/preview_url?url=y", bearer("b")),
        Request("GET", "/_matrix/client/v1/media/download/a.test/2026-01-31_abc", bearer("c")),
        Request("GET", "/_matrix/media/v3/thumbnail/a.test/2026-01-31_def", bearer("d")),
    ]
    others = [
        Request("GET", "/_matrix/client/v1/media/download/a.test/abc", bearer(f"u{user}"))
        for user in range(20)
    ]
    answers = [answer.process for answer in await rig.ask(*requests, *others)]
    met, spread = set(answers[: len(requests)]), set(answers[len(requests) :])
    assert len(met) == 1, (
        f"previews came to {sorted(map(str, met))}; let is_preview of 30-front.cfg take them all"
    )
    assert spread == rig.names("media-repository"), (
        f"all media is at {spread}; let is_preview take previews only"
    )


@pytest.mark.requirement("ROU-013")
@pytest.mark.parametrize(
    ("pool", "path", "by"),
    [
        ("synchrotron", f"{V3}/sync?since=s", "user"),
        ("initial-sync", f"{V3}/sync", "user"),
        ("generic-worker", f"{V3}/rooms/!r{{}}:a/state", "room"),
        ("generic-worker", f"{V3}/capabilities", "user"),
        ("media-repository", "/_matrix/media/v3/download/a/b", "user"),
    ],
)
async def test_a_pool_is_spread_over_all_its_processes(
    pool: str, path: str, by: str, rig: Rig, evidence: Evidence
) -> None:
    """Many users, or rooms, ask a pool of several processes. Each gets its share of them."""
    answers = await rig.ask(
        *(
            Request("GET", path.format(key), bearer(f"u{key}" if by == "user" else "same"))
            for key in range(KEYS)
        )
    )
    got = Counter(answer.process for answer in answers)
    least, most = share(len(rig.names(pool)))
    evidence("requests by process", {str(name): count for name, count in got.items()})
    assert rig.names(pool) == set(got), (
        f"{KEYS} requests by {by} came to {dict(got)}, {pool} is {sorted(rig.names(pool))}; "
        "use all that the DNS names (server-template on a headless Service), and balance by a hash"
    )
    unfair = {name: count for name, count in got.items() if not least < count / KEYS < most}
    assert not unfair, (
        f"{pool}: {unfair} of {KEYS} requests, a fair share is {least:.0%} to {most:.0%}; "
        f"let what is hashed differ by {by}"
    )


@pytest.mark.requirement("ROU-013")
async def test_other_servers_are_spread_over_the_workers(rig: Rig, evidence: Evidence) -> None:
    """Requests of many other servers. Each generic worker gets its share of them."""
    answers = await rig.ask(
        *(
            Request(
                "PUT",
                "/_matrix/federation/v1/send/1",
                (("Authorization", f'X-Matrix origin="s{n}.test",key="k"'),),
            )
            for n in range(KEYS)
        )
    )
    got = Counter(answer.process for answer in answers)
    least, most = share(len(rig.names("generic-worker")))
    evidence("requests by process", {str(name): count for name, count in got.items()})
    fair = [name for name, count in got.items() if least < count / KEYS < most]
    assert set(fair) == rig.names("generic-worker"), (
        f"servers came to {dict(got)}; hash their names (has_origin)"
    )
