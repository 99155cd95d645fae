"""Filters that a client has laid down once, and names from then on."""

from functools import partial
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.accounts import register
from fixtures.clients.plain import Json, MatrixClient, log_in, timeline
from fixtures.clients.syncing import answers_until, says
from fixtures.deployment.interface import Deployment
from fixtures.plugins.evidence import Evidence

TEXTS: Json = {"room": {"timeline": {"types": ["m.room.message"]}, "state": {"types": ["m.room.name"]}}}


def filters(user: MatrixClient, *filter_id: str) -> str:
    """Where a user's filters are, or one of them."""
    return "/".join(("/_matrix/client/v3/user", quote(user.user_id), "filter", *filter_id))


@pytest.mark.requirement("CLI-073")
async def test_a_filter_is_kept_for_all_devices_of_its_owner(
    deployment: Deployment, http: httpx.AsyncClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """A device of Alice's lays a filter down: another one reads it as it was given; Bob may not."""
    account = await register(deployment, "alice")
    first, second = [await log_in(http, account.user_id, account.password) for _ in range(2)]
    name = (await first.call("POST", filters(first), json=TEXTS))["filter_id"]
    kept = await second.call("GET", filters(second, name))
    refusals = {
        "read": await bob.request("GET", filters(first, name)),
        "laid down for another": await bob.request("POST", filters(first), json=TEXTS),
    }
    evidence("filter", {"id": name, "kept": kept})
    assert kept == TEXTS, f"{TEXTS} was laid down, and {kept} is kept"
    for what, answer in refusals.items():
        assert answer.status_code == httpx.codes.FORBIDDEN, (
            f"a filter of Alice's, {what} by Bob: {answer.status_code} {answer.text:.200}"
        )


@pytest.mark.requirement("CLI-073")
async def test_every_sync_keeps_to_the_filter_that_it_names(alice: MatrixClient, evidence: Evidence) -> None:
    """A filter for messages only. The first /sync that names it and the next one, which other processes answer, bring
    the message of before and that of after, and no event of another type."""
    name = (await alice.call("POST", filters(alice), json=TEXTS))["filter_id"]
    room = await alice.create_room(name="Lobby")
    seen = {}
    for text in ("before", "after"):
        await rooms.put_state(alice, room, "m.room.topic", {"topic": text})
        await alice.send(room, text)
        answers = await answers_until(alice, partial(says, room, text), label=text, filter=name)
        seen[text] = {event["type"] for answer in answers for event in timeline(answer, room)}
    evidence("types", {text: sorted(types) for text, types in seen.items()})
    assert seen == {"before": {"m.room.message"}, "after": {"m.room.message"}}, (
        f"the filter lets messages through, and /sync brings {seen}; is it passed on?"
    )
