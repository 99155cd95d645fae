"""What is answered has the shape that the specification says, at the front door and at every process that answers."""

import json
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients import rooms
from fixtures.clients.accounts import Account, localpart, register
from fixtures.clients.device_keys import backed_up, device_keys, key_to_write_with
from fixtures.clients.journey import shared_room
from fixtures.clients.lively import KIND, Lively, People, furnish, lively_room, put_own, surround
from fixtures.clients.media import CONFIG, CREATE, UPLOAD
from fixtures.clients.plain import Json, MatrixClient, accepted, log_in
from fixtures.clients.questions import Answers, Question, ask, get, post, who_is
from fixtures.clients.shapes.table import SLIDING, V3
from fixtures.deployment.correlation import synapse_pods
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.plugins.clients import NewUser
from fixtures.plugins.evidence import Evidence

EVERYTHING: Final = json.dumps(
    {"room": {"include_leave": True, "timeline": {"unread_thread_notifications": True}}}
)
"""A filter of /sync: also the rooms that one has left, and what is unread in each thread."""

ONE_TIME_KEYS: Final = 20
"""More than there are places that take one."""

LAZY: Final = json.dumps({"lazy_load_members": True})

WINDOW: Final[Json] = {
    "lists": {"all": {"ranges": [[0, 19]], "required_state": [["*", "*"]], "timeline_limit": 20}},
    "extensions": {
        each: {"enabled": True} for each in ("to_device", "e2ee", "account_data", "receipts", "typing")
    },
}
"""Twenty rooms with all that is known of them."""

OF_ROOMS: Final = """
    m.room.create m.room.member m.room.topic m.reaction redacted_because prev_content transaction_id m.relations
    m.replace m.thread m.reference children_state groups highlights profile_info events_before events_after joined
    aliases servers
    """
OF_SYNC: Final = """
    join invite knock leave timeline state ephemeral account_data summary m.heroes unread_notifications limited
    unread_thread_notifications m.typing m.receipt m.tag m.fully_read m.push_rules m.presence to_device device_lists
    device_one_time_keys_count invite_state knock_state redacted_because m.relations lists extensions
    e2ee receipts typing
    """
OF_ACCOUNTS: Final = """
    unstable_features m.homeserver m.server m.room_versions flows refresh_token expires_in_ms displayname avatar_url
    presence pushers notifications conditions set_tweak pattern tags order filter_id
    """
OF_KEYS: Final = """
    one_time_key_counts device_keys one_time_keys failures auth_data sessions m.upload.size content_uri
    unused_expires_at
    """
"""What comes in the answers of a scene: keys, and types of events."""


@pytest.fixture
async def people(alice: MatrixClient, bob: MatrixClient, new_user: NewUser) -> People:
    """Three users."""
    return People(alice, bob, await new_user("carol"))


@pytest.fixture
async def lively(deployment: Deployment, people: People) -> Lively:
    """A room in which everything has happened."""
    return await lively_room(people, localpart(deployment, "lively"))


def none_wrong(answers: Answers, parts: str, evidence: Evidence) -> None:
    """AssertionError with all that is wrong, or when one of the parts, for which the scene was made, did not come."""
    evidence("answers", answers.given)
    wrong = [
        *answers.wrong,
        *(f"no answer has {part}" for part in parts.split() if part not in answers.names),
    ]
    assert not wrong, (
        f"{len(wrong)} faults in {sum(answers.given.values())} answers; is there something between that answers by "
        "itself?\n" + "\n".join(wrong)
    )


@pytest.mark.requirement("CLI-062")
async def test_what_is_read_of_a_room_has_its_shape(
    deployment: Deployment, lively: Lively, evidence: Evidence
) -> None:
    """Precondition: a room with messages, an edit, a reaction, a thread, a redaction, members and one who went, in a
    space. Everything that a member reads of it, and by which it is found, is as specified wherever it is read."""
    pods, alice = await synapse_pods(deployment), lively.people.alice
    none_wrong(await ask(deployment, pods, alice, of_room(lively)), OF_ROOMS, evidence)


def of_room(lively: Lively) -> Iterable[Question]:
    """All that a member may ask about a room."""
    room, of = lively.room, lively.events
    everybody = (lively.people.bob.user_id, lively.people.carol.user_id)
    yield get(f"{V3}/joined_rooms")
    for resource in ("state", "members", "joined_members", "aliases"):
        yield get(rooms.path(room, resource))
    yield get(rooms.path(room, "state", "m.room.name", ""))
    for member in everybody:
        yield get(rooms.path(room, "state", "m.room.member", member))
    for event in of.values():
        yield get(rooms.path(room, "event", event))
    for direction in ("b", "f"):
        yield get(rooms.path(room, "messages"), dir=direction, limit=100)
    yield get(rooms.path(room, "messages"), dir="b", limit=2, filter=LAZY)
    yield get(rooms.path(room, "context", of["root"]), limit=100)
    yield get(rooms.path(room, "relations", of["first"], version="v1"))
    yield get(rooms.path(room, "relations", of["first"], "m.annotation", version="v1"), limit=1)
    yield get(rooms.path(room, "relations", of["root"], "m.thread", "m.room.message", version="v1"))
    yield get(rooms.path(room, "threads", version="v1"))
    yield get(rooms.path(room, "timestamp_to_event", version="v1"), ts=1, dir="f")
    yield get(rooms.path(lively.space, "hierarchy", version="v1"))
    yield get(f"{V3}/directory/room/{quote(lively.alias)}")
    yield get(f"{V3}/publicRooms", limit=1)
    yield post(f"{V3}/publicRooms", {"limit": 1})
    yield post(f"{V3}/search", searched(lively.word))
    yield who_is(lively.people.bob)


def searched(word: str) -> Json:
    """What a search asks for that wants everything: what is around, the state, by room."""
    wanted = {
        "search_term": word,
        "event_context": {"before_limit": 1, "after_limit": 1, "include_profile": True},
        "include_state": True,
        "groupings": {"group_by": [{"key": "room_id"}, {"key": "sender"}]},
    }
    return {"search_categories": {"room_events": wanted}}


@pytest.mark.requirement("CLI-063")
async def test_what_sync_brings_has_its_shape(
    deployment: Deployment, lively: Lively, evidence: Evidence
) -> None:
    """Precondition: the lively room; receipts, somebody who types, tags, account data, presence, a message to the
    device; rooms that Alice is invited to, knocks at and has left. /sync from nothing and from before all that, and
    sliding sync, are as specified wherever they are asked."""
    alice = lively.people.alice
    await alice.call("POST", f"{V3}/keys/upload", json={"device_keys": device_keys(alice)})
    before = (await alice.sync())["next_batch"]
    await surround(lively)
    pods = await synapse_pods(deployment)
    none_wrong(await ask(deployment, pods, alice, of_sync(before)), OF_SYNC, evidence)


def of_sync(before: str) -> Iterable[Question]:
    """All kinds of /sync."""
    sync = f"{V3}/sync"
    yield get(sync, filter=EVERYTHING)
    yield get(sync, filter=EVERYTHING, since=before)
    yield get(sync, full_state="true", since=before)
    yield get(sync, filter=json.dumps({"room": {"state": json.loads(LAZY), "timeline": {"limit": 1}}}))
    yield post(SLIDING, WINDOW)


@pytest.mark.requirement("CLI-064")
async def test_what_is_said_of_server_and_account_has_its_shape(
    deployment: Deployment, http: httpx.AsyncClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: an account with a profile, a pusher, push rules, account data and a room with tags. What the server
    says of itself and of the account is as specified wherever it is asked, and so are log-in and renewed tokens."""
    account = await register(deployment, "alice")
    alice = await log_in(http, account.user_id, account.password)
    await furnish(alice, bob)
    renewable = accepted("POST /login", await http.post(f"{V3}/login", json=log_in_of(account)))
    questions = [*of_server(), *of_account(alice, account, renewable["refresh_token"])]
    room = await shared_room(alice, bob)
    await bob.send(room, "cake for all")
    await put_own(alice, f"rooms/{quote(room)}/tags/m.favourite", {"order": 0.5})
    questions.append(get(f"{V3}/user/{quote(alice.user_id)}/rooms/{quote(room)}/tags"))
    none_wrong(await ask(deployment, await synapse_pods(deployment), alice, questions), OF_ACCOUNTS, evidence)


def log_in_of(account: Account) -> Json:
    """A log-in that asks for tokens that can be renewed."""
    identifier = {"type": "m.id.user", "user": account.user_id}
    wanted = {"type": "m.login.password", "identifier": identifier, "password": account.password}
    return {**wanted, "refresh_token": True}


def of_server() -> Iterable[Question]:
    """What a server says of itself."""
    yield get("/_matrix/client/versions")
    yield get("/.well-known/matrix/client")
    yield get("/.well-known/matrix/server")
    yield get(f"{V3}/capabilities")
    yield get(f"{V3}/login")


def of_account(alice: MatrixClient, account: Account, renewal: str) -> Iterable[Question]:
    """What a user may ask about an account. A refresh token is taken once, and by one process."""
    user = quote(alice.user_id)
    yield post(f"{V3}/login", log_in_of(account))
    yield post(f"{V3}/refresh", {"refresh_token": renewal}, everywhere=False)
    yield get(f"{V3}/account/whoami")
    yield get(f"{V3}/account/3pid")
    yield get(f"{V3}/devices")
    yield get(f"{V3}/devices/{quote(alice.device_id)}")
    for path in ("", "/displayname", "/avatar_url"):
        yield get(f"{V3}/profile/{user}{path}")
    # Every process but its writer answers 500 to the question how somebody else is; the edge knows.
    yield get(f"{V3}/presence/{user}/status", everywhere=False)
    yield post(f"{V3}/user/{user}/filter", json.loads(EVERYTHING))
    yield get(f"{V3}/user/{user}/account_data/{KIND}")
    yield get(f"{V3}/pushers")
    yield get(f"{V3}/notifications")
    yield get(f"{V3}/pushrules/")
    yield get(f"{V3}/pushrules/global/")
    yield get(f"{V3}/pushrules/global/content/cake")
    yield get(f"{V3}/pushrules/global/content/cake/enabled")
    yield get(f"{V3}/pushrules/global/content/cake/actions")


@pytest.mark.requirement("CLI-065")
async def test_what_is_said_of_keys_and_media_has_its_shape(
    deployment: Deployment, alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Precondition: Alice and Bob uploaded keys of their devices, and Alice backed up the key of a session. Counts,
    keys of others, changes and the backup are as specified wherever they are asked; and what media workers say is."""
    before = (await alice.sync())["next_batch"]
    for user in (alice, bob):
        await with_keys(user)
    version = await with_backup(alice, await alice.create_room())
    answers = await ask(
        deployment, await synapse_pods(deployment), alice, of_keys(alice, bob, before, version)
    )
    # A user may have a few media announced and not sent yet, over all workers (max_pending_media_uploads).
    announced = post(CREATE, {}, everywhere=False)
    media = [get(CONFIG), announced, Question("POST", UPLOAD, {"content": b"text"})]
    media_workers = await deployment.pods(Role.MEDIA_REPOSITORY)
    none_wrong(await ask(deployment, media_workers, alice, media, beside=answers), OF_KEYS, evidence)


async def with_keys(user: MatrixClient) -> None:
    """Keys of a device: its own, some for one message each, and one for when there is none left."""
    keys = {
        "device_keys": device_keys(user),
        "one_time_keys": {
            name: key for _ in range(ONE_TIME_KEYS) for name, key in key_to_write_with(user).items()
        },
        "fallback_keys": key_to_write_with(user, fallback=True),
    }
    await user.call("POST", f"{V3}/keys/upload", json=keys)


async def with_backup(user: MatrixClient, room: str) -> str:
    """A backup with a session of a room; its version."""
    backup = {
        "algorithm": "m.megolm_backup.v1.curve25519-aes-sha2",
        "auth_data": {"public_key": "k", "signatures": {}},
    }
    version: str = (await user.call("POST", f"{V3}/room_keys/version", json=backup))["version"]
    path = f"{V3}/room_keys/keys/{quote(room)}"
    await user.call("PUT", path, params={"version": version}, json=backed_up())
    return version


def of_keys(alice: MatrixClient, bob: MatrixClient, before: str, version: str) -> Iterable[Question]:
    """What who encrypts asks."""
    yield post(f"{V3}/keys/upload", {})
    yield post(f"{V3}/keys/query", {"device_keys": {alice.user_id: [], bob.user_id: []}})
    yield post(f"{V3}/keys/claim", {"one_time_keys": {bob.user_id: {bob.device_id: "signed_curve25519"}}})
    yield Question("GET", f"{V3}/keys/changes", {"params": {"from": before, "to": before}})
    yield get(f"{V3}/room_keys/version")
    yield get(f"{V3}/room_keys/version/{version}")
    yield get(f"{V3}/room_keys/keys", version=version)
