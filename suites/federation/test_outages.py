"""What was not delivered because somebody was away is delivered later: no message is lost between servers."""

import time
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import pytest

from fixtures.clients import rooms
from fixtures.clients.destinations import claims_a_key, given_up, reset
from fixtures.clients.plain import Json, MatrixClient, inside_client
from fixtures.clients.servers import Parties, meeting
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.peers.homeserver import Homeserver
from fixtures.peers.placement import CONTROL
from fixtures.peers.placing import away
from fixtures.plugins.evidence import Evidence, Plot

MISSED: Final = tuple(f"missed {number}" for number in range(5))
KIND: Final = "test.conformance.to-device"


@asynccontextmanager
async def back_again(
    deployment: Deployment, second: Homeserver, user: MatrixClient
) -> AsyncIterator[MatrixClient]:
    """The user's device after the other server was away: connections of before are gone."""
    async with inside_client(deployment, second.peer.service, CONTROL) as http:
        yield replace(user, http=http)


async def reads(reader: MatrixClient, room: str, wanted: Sequence[str], *, label: str) -> list[float]:
    """The room comes to have these messages, in their order, each once; for each the seconds until it was there."""
    begin, seconds = time.monotonic(), dict[str, float]()

    async def found() -> bool:
        bodies = rooms.bodies(reversed(await reader.messages(room)))
        for body in bodies:
            seconds.setdefault(body, time.monotonic() - begin)
        if [body for body in bodies if body in wanted] != list(wanted):
            raise NotYet(f"the room has {bodies}")
        return True

    await eventually(found, within=Budget.CATCH_UP, label=label)
    return [seconds[body] for body in wanted]


def drawn(plot: Plot, end: str, seconds: Iterable[float]) -> None:
    """When what had waited arrived: one picture of all the ways in which an outage ends.

    The reader asks at least twice a second, so a number may be that much too large.
    """
    plot(
        "What waited for the end of an outage",
        end,
        x="number of the message, in the order of sending",
        y="seconds after that until the reader has it",
        points=enumerate(seconds, 1),
    )


async def left_alone(deployment: Deployment, second: Homeserver, parties: Parties) -> Json:
    """What our server keeps of one that is away, once the host has asked it for a key of the guest's."""
    known = await claims_a_key(parties.host, parties.guest.user_id, parties.guest.device_id)
    assert known, f"{second.name} is away, and /keys/claim says nothing of it"
    return await given_up(deployment, second.name, within=Budget.CATCH_UP)


@pytest.mark.requirement("FED-025")
@pytest.mark.disruptive(Role.FEDERATION_SENDER)
async def test_what_a_server_missed_reaches_it_when_it_shows_itself(
    deployment: Deployment, second: Homeserver, our_room: Parties, evidence: Evidence, plot: Plot
) -> None:
    """A room of ours with the guest, whose server goes away. The host writes. The server comes back, and the guest
    writes, which is the first that ours hears of it: the guest has what was missed, each message once, in order."""
    room = await meeting(our_room)
    async with away(deployment, second.peer):
        for body in MISSED:
            await our_room.host.send(room, body)
        evidence("what we know of it meanwhile", await left_alone(deployment, second, our_room))
    async with back_again(deployment, second, our_room.guest) as guest:
        await guest.send(room, "here again")
        seconds = await reads(guest, room, MISSED, label="the guest reads all")
    drawn(plot, "messages, after a sign of life", seconds)


@pytest.mark.requirement("FED-026")
@pytest.mark.disruptive(Role.FEDERATION_SENDER)
async def test_messages_to_devices_wait_for_a_server_that_is_away(
    deployment: Deployment, second: Homeserver, our_room: Parties, evidence: Evidence, plot: Plot
) -> None:
    """A room of ours with the guest, whose server goes away. The host sends to the guest's device. The server comes
    back, the guest writes: /sync brings every message to the device, in order."""
    room = await meeting(our_room)
    async with away(deployment, second.peer):
        for word in MISSED:
            messages = {our_room.guest.user_id: {our_room.guest.device_id: {"word": word}}}
            path = f"/_matrix/client/v3/sendToDevice/{KIND}/{uuid.uuid4().hex}"
            await our_room.host.call("PUT", path, json={"messages": messages})
        evidence("what we know of it meanwhile", await left_alone(deployment, second, our_room))
    async with back_again(deployment, second, our_room.guest) as guest:
        await guest.send(room, "here again")
        words, seconds, begin = list[str](), list[float](), time.monotonic()

        async def all_of_them() -> bool:
            events = (await guest.sync()).get("to_device", {}).get("events", [])
            words.extend(event["content"]["word"] for event in events if event["type"] == KIND)
            seconds.extend([time.monotonic() - begin] * (len(words) - len(seconds)))
            if len(words) < len(MISSED):
                raise NotYet(f"/sync brought {words}")
            return True

        await eventually(all_of_them, within=Budget.CATCH_UP, label="the messages to the device")
    assert words == list(MISSED), f"sent were {list(MISSED)}, and /sync brought {words}"
    drawn(plot, "messages to a device, after a sign of life", seconds)


@pytest.mark.requirement("FED-027")
@pytest.mark.disruptive(Role.FEDERATION_SENDER)
async def test_an_operator_ends_the_wait_for_a_server(
    deployment: Deployment, second: Homeserver, our_room: Parties, evidence: Evidence, plot: Plot
) -> None:
    """A room of ours with the guest, whose server goes away while the host writes; ours gives it up for a while. It
    comes back without a word. An administrator resets the connection: the guest has what was missed."""
    room = await meeting(our_room)
    async with away(deployment, second.peer):
        for body in MISSED:
            await our_room.host.send(room, body)
        evidence("what we know of it meanwhile", await left_alone(deployment, second, our_room))
    await reset(deployment, second.name)
    async with back_again(deployment, second, our_room.guest) as guest:
        seconds = await reads(guest, room, MISSED, label="the guest reads what was missed")
    drawn(plot, "messages, after an operator's reset", seconds)


@pytest.mark.requirement("FED-028")
@pytest.mark.disruptive(Role.FEDERATION_SENDER)
async def test_what_was_written_while_nobody_sent_is_sent(
    deployment: Deployment, our_room: Parties, plot: Plot
) -> None:
    """A room of ours with the guest. All our federation senders are away while the host writes. They come back, and the
    host writes once more: a sender looks what there is to send when something is new. The guest has every message
    once, in order."""
    room = await meeting(our_room)
    async with deployment.scaled(Role.FEDERATION_SENDER, 0):
        for body in MISSED:
            await our_room.host.send(room, body)
    await our_room.host.send(room, "as ever")
    wanted = (*MISSED, "as ever")
    seconds = await reads(our_room.guest, room, wanted, label="the guest reads all")
    drawn(plot, "messages, after our senders were away", seconds)
