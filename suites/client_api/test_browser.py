"""What a user of Element Web needs: a real browser, and a page whose origin is not the homeserver's."""

import secrets
import uuid

import httpx
import pytest

from fixtures.clients.accounts import register
from fixtures.clients.plain import Json, log_in
from fixtures.deployment.interface import Deployment
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.peers.browser.tab import NotRefused, Refusal, Tab
from fixtures.plugins.browser import LoggedInTab, NewTab
from fixtures.plugins.evidence import Evidence

MOST_GUESSES = 10
"""Wrong passwords in a row that may be answered before the limit: CLI-008."""

SYNC = "/_matrix/client/v3/sync"


@pytest.mark.requirement("CLI-080")
async def test_a_page_finds_the_server_by_its_name(
    new_tab: NewTab, deployment: Deployment, base_url: str, evidence: Evidence
) -> None:
    """A page knows the server's name. It asks for the well-known file, and the versions at the base URL that is in it:
    the base URL is the front door's, and a version of the specification is there."""
    tab, name = await new_tab(), deployment.front().server_name
    found = await tab.does("discover", server_name=name)
    evidence("discovery", {"Chromium": tab.browser_version, **found})
    assert found["state"] == "SUCCESS", (
        f"discovery of {name} in a browser: {found}; https://{name}/.well-known/matrix/client needs a certificate "
        f"for this name, CORS, and a base URL that answers (public_baseurl). The browser: {tab.complaints}"
    )
    assert found["base_url"].rstrip("/") == base_url, f"the base URL is {found['base_url']}, not {base_url}"
    assert await tab.does("versions", base_url=found["base_url"]), "the server names no version"


@pytest.mark.requirement("CLI-081")
async def test_a_page_logs_in_and_synchronises(
    new_tab: NewTab, deployment: Deployment, http: httpx.AsyncClient, base_url: str
) -> None:
    """An account with a room. A page logs in with the password: it is that user, and its first /sync has the room."""
    account, tab = await register(deployment, "alice"), await new_tab()
    room = await (await log_in(http, account.user_id, account.password)).create_room()
    await tab.log_in(base_url, account)
    assert await tab.does("whoami") == account.user_id
    await tab.start()
    rooms = await tab.does("rooms")
    assert rooms == [room], f"the first /sync in the browser brought {rooms}, the account is in {room}"


@pytest.mark.requirement("CLI-082")
async def test_two_pages_write_to_each_other(logged_in_tab: LoggedInTab, evidence: Evidence) -> None:
    """Alice and Bob at a tab each, with a room that she made and he joined. What each writes, the other one's page has,
    from whom it is."""
    alice, bob = await logged_in_tab("alice"), await logged_in_tab("bob")
    await alice.start()
    await bob.start()
    room = await alice.does("createRoom", invite=[bob.user_id])
    await bob.does("join", room=room)
    for writer, reader in ((alice, bob), (bob, alice)):
        body = uuid.uuid4().hex
        event = await writer.does("send", room=room, body=body)
        seen = await received(reader, room, event)
        evidence(f"from {writer.user_id}", seen)
        assert seen == {"event_id": event, "sender": writer.user_id, "body": body}, (
            f"{seen} is not what was sent"
        )


@pytest.mark.requirement("CLI-083")
async def test_a_page_shows_what_another_uploaded(logged_in_tab: LoggedInTab, evidence: Evidence) -> None:
    """Alice's page uploads a picture. Bob's page fetches it and a thumbnail with his token, and can draw both; the
    picture is the same, the thumbnail smaller."""
    alice, bob = await logged_in_tab("alice"), await logged_in_tab("bob")
    uploaded = await alice.does("upload", colour=f"#{secrets.token_hex(3)}")
    fetched = await bob.does("download", mxc=uploaded["mxc"])
    evidence("picture", {"uploaded": uploaded, "fetched": fetched})
    assert fetched["whole"]["sha256"] == uploaded["sha256"], "the page got another picture than was uploaded"
    assert fetched["whole"]["type"] == "image/png", f"the picture came as {fetched['whole']['type']}"
    assert fetched["thumbnail"]["width"] < uploaded["width"], "the thumbnail is as large as the picture"


@pytest.mark.requirement("CLI-084")
async def test_a_page_reads_why_it_was_refused(
    new_tab: NewTab, deployment: Deployment, base_url: str, evidence: Evidence
) -> None:
    """A page guesses an account's password. It reads that the password is wrong, then that there were too many guesses
    and how long to wait."""
    account, tab = await register(deployment, "alice"), await new_tab()
    refusals: list[Refusal] = []
    while len(refusals) < MOST_GUESSES and not (
        refusals and refusals[-1].status == httpx.codes.TOO_MANY_REQUESTS
    ):
        refusals.append(
            await tab.refused("logIn", base_url=base_url, user=account.user_id, password=secrets.token_hex())
        )
    evidence("refusals", [str(each) for each in refusals])
    first, last = refusals[0], refusals[-1]
    assert (first.status, first.errcode) == (httpx.codes.FORBIDDEN, "M_FORBIDDEN"), (
        f"a wrong password: the page reads {first}; has the answer Access-Control-Allow-Origin?"
    )
    assert (last.status, last.errcode) == (httpx.codes.TOO_MANY_REQUESTS, "M_LIMIT_EXCEEDED"), (
        f"after {len(refusals)} wrong passwords: the page reads {last}; has the answer Access-Control-Allow-Origin?"
    )
    assert last.retry_after_ms, "the page is not told how long to wait"


@pytest.mark.requirement("CLI-085")
async def test_a_quiet_long_poll_is_held_and_answered(logged_in_tab: LoggedInTab, evidence: Evidence) -> None:
    """Alice and Bob at a tab each, in a room in which nobody writes. A long poll of Bob's page is held for all its
    time, none fails, and the page never says that the connection is lost. Then he gets what Alice writes."""
    alice, bob = await logged_in_tab("alice"), await logged_in_tab("bob")
    room = await alice.does("createRoom", invite=[bob.user_id])
    await bob.does("join", room=room)
    await bob.start(Budget.QUIET_POLL)
    polls = await eventually(
        lambda: held(bob), within=2 * Budget.QUIET_POLL.seconds(), label="a quiet long poll"
    )
    event = await alice.does("send", room=room, body=uuid.uuid4().hex)
    await received(bob, room, event)
    seen = await bob.does("seen")
    evidence("long polls", {"polls": polls, "states": seen["states"]})
    failed = [each for each in seen["requests"] if each["path"] == SYNC and each["status"] != httpx.codes.OK]
    assert not failed, (
        f"long polls were cut: {failed}; what between browser and Synapse has a shorter timeout?"
    )
    assert set(seen["states"]) <= {"PREPARED", "SYNCING"}, (
        f"/sync in the browser went through {seen['states']}"
    )


@pytest.mark.requirement("CLI-086")
async def test_a_page_logs_out(logged_in_tab: LoggedInTab, evidence: Evidence) -> None:
    """A page that is logged in logs out. With the token that it had, it soon reads that nobody knows it any more: each
    process hears of a log-out for itself."""
    tab = await logged_in_tab("alice")
    assert await tab.does("whoami") == tab.user_id
    await tab.does("logOut")

    async def refused() -> Refusal:
        try:
            return await tab.refused("whoami")
        except NotRefused as still:
            raise NotYet(str(still)) from still

    refusal = await eventually(refused, within=Budget.DELIVERY, label="the token after the log-out")
    evidence("refusal", str(refusal))
    assert (refusal.status, refusal.errcode) == (httpx.codes.UNAUTHORIZED, "M_UNKNOWN_TOKEN"), (
        f"after the log-out the page reads {refusal}"
    )


async def received(tab: Tab, room: str, event: str) -> Json:
    """A message, as soon as /sync has brought it to the page."""
    return await eventually(
        lambda: tab.message(room, event),
        within=Budget.DELIVERY,
        label=f"{event} in the page of {tab.user_id}",
    )


async def held(tab: Tab) -> list[Json]:
    """The page's long polls, as soon as one was held for all its time or failed."""
    requests: list[Json] = (await tab.does("seen"))["requests"]
    polls = [each for each in requests if each["path"] == SYNC and each["poll_ms"]]
    if any(each["took_ms"] >= each["poll_ms"] or each["status"] != httpx.codes.OK for each in polls):
        return polls
    raise NotYet(f"long polls so far: {polls}")
