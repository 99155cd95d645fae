"""What another server sends into a room: the right events arrive, wrong ones do not, and take nothing with them."""

from collections.abc import Callable

import pytest

from fixtures.clients.plain import Json, MatrixClient, timeline
from fixtures.clients.rooms import put_state, state
from fixtures.clients.servers import server_of
from fixtures.clients.syncing import answers_until
from fixtures.peers.fake import Draft, FakeServer
from fixtures.peers.meeting import room_with, timeline_with
from fixtures.plugins.evidence import Evidence

MOST_PDUS = 50
MOST_EDUS = 100
TOO_LONG = "x" * 70_000


async def come_to(
    alice: MatrixClient, fake: FakeServer, room: str, evidence: Evidence, *drafts: Draft
) -> dict[str, Json]:
    """The newest events of the room, by id, once alice has the last of those that one transaction brings."""
    evidence("answer", await fake.send(server_of(alice), *drafts))
    return await timeline_with(alice, room, drafts[-1].event_id)


@pytest.mark.requirement("FED-043")
@pytest.mark.parametrize("flaw", ["unsigned", "wrong-signature"])
async def test_an_event_without_a_right_signature_does_not_arrive(
    alice: MatrixClient, fake: FakeServer, evidence: Evidence, flaw: str
) -> None:
    """Bob of another server is in alice's room. One transaction brings a wrongly signed event, then a right one."""
    bob = fake.user("bob")
    room = await room_with(alice, (fake, bob))
    wrong = await fake.draft(room, bob, "wrong", flaws=[flaw], keep=False)
    right = await fake.draft(room, bob, "right")
    events = await come_to(alice, fake, room, evidence, wrong, right)
    assert wrong.event_id not in events, f"alice was given an event that is {flaw}: {wrong.event}"


@pytest.mark.requirement("FED-044")
async def test_content_that_is_not_what_was_hashed_does_not_arrive(
    alice: MatrixClient, fake: FakeServer, evidence: Evidence
) -> None:
    """The same with an event whose hash is that of another content: without its content, or not at all."""
    bob = fake.user("bob")
    room = await room_with(alice, (fake, bob))
    wrong = await fake.draft(room, bob, "wrong", flaws=["wrong-hash"], keep=False)
    right = await fake.draft(room, bob, "right")
    events = await come_to(alice, fake, room, evidence, wrong, right)
    content = events.get(wrong.event_id, {}).get("content", {})
    assert content == {}, f"alice was given what its sender has not hashed: {content}"


@pytest.mark.requirement("FED-045")
async def test_an_event_that_its_sender_may_not_send_does_not_arrive(
    alice: MatrixClient, fake: FakeServer, evidence: Evidence
) -> None:
    """Bob may not rename the room and Mallory is not in it; their server sends both, and after them bob's message."""
    bob, mallory = fake.user("bob"), fake.user("mallory")
    room = await room_with(alice, (fake, bob))
    await put_state(alice, room, "m.room.name", {"name": "alice's"})
    name = await fake.draft(room, bob, {"name": "bob's"}, kind="m.room.name", state_key="", keep=False)
    stranger = await fake.draft(room, mallory, "a stranger", keep=False)
    right = await fake.draft(room, bob, "right")
    events = await come_to(alice, fake, room, evidence, name, stranger, right)
    assert (await state(alice, room, "m.room.name"))["name"] == "alice's", "bob has renamed alice's room"
    assert not {name.event_id, stranger.event_id} & events.keys(), "what nobody may send was given to alice"


@pytest.mark.requirement("FED-043")
async def test_no_server_speaks_for_users_of_another(
    alice: MatrixClient, bob: MatrixClient, fake: FakeServer, evidence: Evidence
) -> None:
    """Alice and bob of ours are in a room with carol of another server, which sends a message of bob's in his place."""
    carol = fake.user("carol")
    room = await room_with(alice, (fake, carol))
    await bob.join(room)
    forged = await fake.draft(room, bob.user_id, "not bob's", keep=False)
    right = await fake.draft(room, carol, "carol's")
    events = await come_to(alice, fake, room, evidence, forged, right)
    assert forged.event_id not in events, f"alice was given what {bob.user_id} has not said"


@pytest.mark.requirement("FED-043")
async def test_no_server_speaks_for_users_of_a_third(
    alice: MatrixClient, fake: FakeServer, new_fake: Callable[[], FakeServer], evidence: Evidence
) -> None:
    """Carol and dave of two other servers are in alice's room; carol's sends a message of dave's in his place."""
    third, carol = new_fake(), fake.user("carol")
    dave = third.user("dave")
    room = await room_with(alice, (third, dave), (fake, carol))
    forged = await fake.draft(room, dave, "not dave's", keep=False)
    right = await fake.draft(room, carol, "carol's")
    events = await come_to(alice, fake, room, evidence, forged, right)
    assert forged.event_id not in events, f"alice was given what {dave} has not said"


@pytest.mark.requirement("FED-048")
@pytest.mark.parametrize(("pdus", "edus"), [(MOST_PDUS + 1, 0), (0, MOST_EDUS + 1)], ids=["PDUs", "EDUs"])
async def test_a_transaction_with_too_many_is_refused(
    alice: MatrixClient, fake: FakeServer, pdus: int, edus: int
) -> None:
    """One more than the specification allows: 4xx, and nothing of it arrives; the next transaction does."""
    bob = fake.user("bob")
    room = await room_with(alice, (fake, bob))
    drafts = [await fake.draft(room, bob, f"{number}", keep=False) for number in range(pdus)]
    typing: Json = {
        "edu_type": "m.typing",
        "content": {"room_id": room, "user_id": bob, "typing": False},
    }
    answer = await fake.send(server_of(alice), *drafts, edus=[typing] * edus)
    assert 400 <= answer["status"] < 500, f"{pdus} PDUs and {edus} EDUs in one transaction: {answer}"
    right = await fake.draft(room, bob, "right")
    await fake.send(server_of(alice), right)
    events = await timeline_with(alice, room, right.event_id)
    came = [draft.event_id for draft in drafts if draft.event_id in events]
    assert not came, f"{len(came)} events came of a transaction that was refused"


@pytest.mark.requirement("FED-049")
async def test_an_event_that_is_too_large_takes_no_other_with_it(
    alice: MatrixClient, fake: FakeServer, evidence: Evidence
) -> None:
    """One transaction brings an event beyond 64 KiB between two of ordinary size: these arrive, that one does not."""
    bob = fake.user("bob")
    room = await room_with(alice, (fake, bob))
    before = await fake.draft(room, bob, "before")
    large = await fake.draft(room, bob, TOO_LONG, keep=False)
    after = await fake.draft(room, bob, "after")
    answer = await fake.send(server_of(alice), before, large, after)
    evidence("answer", answer)
    events = await timeline_with(alice, room, after.event_id)
    assert before.event_id in events, f"the event before the large one is lost: {answer}"
    assert large.event_id not in events, "alice was given an event beyond 64 KiB"


@pytest.mark.requirement("FED-050")
async def test_events_that_were_missed_are_asked_for(
    alice: MatrixClient, fake: FakeServer, evidence: Evidence
) -> None:
    """Bob writes five messages; his server sends only the last one: alice's /sync brings all, in order."""
    bob = fake.user("bob")
    room = await room_with(alice, (fake, bob))
    await alice.sync()
    drafts = [await fake.draft(room, bob, f"message {number}") for number in range(5)]
    wanted = [draft.event_id for draft in drafts]
    evidence("answer", await fake.send(server_of(alice), drafts[-1]))
    answers = await answers_until(
        alice,
        lambda answer: wanted[-1] in [each["event_id"] for each in timeline(answer, room)] or None,
        label="the last message",
    )
    came = [each["event_id"] for answer in answers for each in timeline(answer, room)]
    assert [each for each in came if each in wanted] == wanted, (
        f"of {wanted}, of which the last was sent and the others were to be asked for, alice is given {came}"
    )


@pytest.mark.requirement("FED-051")
async def test_what_is_sent_again_is_there_once(alice: MatrixClient, fake: FakeServer) -> None:
    """The same transaction twice, and its event once more in another one: alice sees it once."""
    bob = fake.user("bob")
    room = await room_with(alice, (fake, bob))
    draft = await fake.draft(room, bob, "once")
    first = await fake.send(server_of(alice), draft, transaction=draft.event_id[1:])
    second = await fake.send(server_of(alice), draft, transaction=draft.event_id[1:])
    assert first == second, f"one transaction was answered {first}, then {second}"
    last = await fake.draft(room, bob, "last")
    await fake.send(server_of(alice), draft, last)
    await timeline_with(alice, room, last.event_id)
    texts = [event["content"].get("body") for event in await alice.messages(room)]
    assert texts.count("once") == 1, f"alice sees {texts}"
