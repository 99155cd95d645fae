"""What becomes of messages while the database cannot be reached."""

import asyncio
import uuid
from functools import partial

import pytest

from fixtures.clients.journey import acknowledged, healthy, received, shared_room
from fixtures.clients.plain import MatrixClient
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence


@pytest.mark.requirement("RES-003")
@pytest.mark.disruptive(Role.EVENT_PERSISTER, Role.POSTGRESQL)
async def test_nothing_is_acknowledged_that_is_not_stored(
    deployment: Deployment, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice and Bob share a room. No packet passes between event persisters and PostgreSQL.

    Expected: Alice's message is not acknowledged meanwhile. Afterwards she sends it again with the same transaction
    id: Bob gets it, and the room holds it once.
    """
    room, body, transaction = await shared_room(alice, bob), uuid.uuid4().hex, uuid.uuid4().hex
    sent = partial(acknowledged, alice, room, body, transaction)
    async with deployment.partitioned(Role.EVENT_PERSISTER, Role.POSTGRESQL):
        try:
            async with asyncio.timeout(Budget.CUT.seconds()):
                outcome = f"acknowledged as {await sent()}"
        except (TimeoutError, NotYet) as error:
            outcome = f"not acknowledged: {error!r}"
    evidence("the message while the database was cut off", outcome)
    assert outcome.startswith("not"), f"the message was {outcome}, and no persister could store it"
    event = await eventually(sent, within=Budget.HEALTH, label="the message is acknowledged after the cut")
    await eventually(
        partial(received, bob, room, event), within=Budget.DELIVERY, label="the message in Bob's /sync"
    )
    found = [each["event_id"] for each in await alice.messages(room) if each["content"].get("body") == body]
    assert found == [event], f"{event} was acknowledged, the room holds {found}"
    await healthy(deployment)
