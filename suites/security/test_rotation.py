"""Secrets are changed on a running deployment, all in one roll; each test looks at one of them.

What is rotated stays rotated: there is nothing to undo.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from fixtures.clients.accounts import SHARED_SECRET, ask_for_account, localpart
from fixtures.clients.journey import healthy, shared_room
from fixtures.clients.macaroons import UNSUBSCRIBE, unsubscription
from fixtures.clients.media import Media, download, forget_local_copies, upload
from fixtures.clients.object_store import Keys, keys_of, request
from fixtures.clients.plain import MatrixClient, http_client
from fixtures.clients.postgresql import ask
from fixtures.clients.redis import answer
from fixtures.clients.replication import stream_updates
from fixtures.clients.server_keys import is_signed, public_key, published
from fixtures.deployment.interface import Absent, Deployment, SecretRef
from fixtures.deployment.roles import Role
from fixtures.deployment.rotation import rotation
from fixtures.plugins.clients import logged_in
from fixtures.plugins.deployment import NewSecrets
from fixtures.plugins.evidence import Evidence

S3 = ("s3-media", "s3-postgresql-backups", "s3-postgresql-li-backups")
SECRETS = ("synapse", "synapse-signing-key", "postgresql-synapse", "redis", *S3, "s3-identities")

DATABASE = SecretRef("postgresql-synapse", "password")
MACAROONS = SecretRef("synapse", "macaroon_secret_key")
REPLICATION = SecretRef("synapse", "worker_replication_secret")
SIGNING = SecretRef("synapse-signing-key", "signing.key")
REDIS = {
    "synapse": SecretRef("redis", "password"),
    "probe": SecretRef("redis", "probe_password"),
    "replica": SecretRef("redis", "replica_password"),
    "sentinel": SecretRef("redis", "sentinel_password"),
}
WORDS = (DATABASE, MACAROONS, REPLICATION, SHARED_SECRET, SIGNING, *REDIS.values())

pytestmark = [pytest.mark.slow, pytest.mark.disruptive(*Role)]


@dataclass(frozen=True)
class Rotated:
    """The deployment after the change: what its secrets were and are, and who was there before."""

    old: dict[SecretRef, bytes] = field(repr=False)
    new: dict[SecretRef, bytes] = field(repr=False)
    old_keys: dict[str, Keys]
    verify_keys: dict[str, Any]
    at: datetime
    alice: MatrixClient
    bob: MatrixClient
    room: str
    event: str
    media: Media
    content: bytes = field(repr=False)


async def values(deployment: Deployment) -> dict[SecretRef, bytes]:
    """What the Secrets hold now."""
    found = {ref: await deployment.secret(ref) for ref in WORDS}
    assert not [ref for ref, value in found.items() if isinstance(value, Absent)]
    return {ref: value.strip() for ref, value in found.items() if not isinstance(value, Absent)}


@pytest.fixture(scope="module")
async def rotated(deployment: Deployment, new_secrets: NewSecrets) -> AsyncIterator[Rotated]:
    """Alice and Bob share a room, a message and a file. Then every Secret is minted anew, and its users restarted."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(http_client(deployment.front()))
        alice, bob = [await logged_in(deployment, http, name) for name in ("alice", "bob")]
        room = await shared_room(alice, bob)
        event, content = await alice.send(room, "before"), secrets.token_bytes(1000)
        media = await upload(alice, content, content_type="application/octet-stream")
        assert await forget_local_copies(deployment, media), "no media worker had a copy"
        old, old_keys = await values(deployment), {name: await keys_of(deployment, name) for name in S3}
        verify_keys = (await published(http))["verify_keys"]
        at = datetime.now(UTC)
        await deployment.change(rotation(new_secrets(*SECRETS), verify_keys, at))
        await healthy(deployment)
        new = await values(deployment)
        assert not [ref for ref in WORDS if old[ref] == new[ref]], "not everything was minted anew"
        yield Rotated(old, new, old_keys, verify_keys, at, alice, bob, room, event, media, content)


@pytest.mark.requirement("SEC-018")
async def test_nobody_is_logged_out_and_nothing_is_lost(rotated: Rotated, evidence: Evidence) -> None:
    """The access tokens of before are good, the message of before is there, and messages go on."""
    alice, bob = rotated.alice, rotated.bob
    assert (await alice.whoami())["user_id"] == alice.user_id
    after = await bob.send(rotated.room, "after")
    found = [event["event_id"] for event in await alice.messages(rotated.room)]
    evidence("events", {"before": rotated.event, "after": after, "found": found[:3]})
    assert rotated.event in found, "the message from before the rotation is not in the room any more"
    assert after in found, "a message from after the rotation is not in the room"


@pytest.mark.requirement("SEC-018")
async def test_the_database_knows_the_new_password_only(
    rotated: Rotated, deployment: Deployment, evidence: Evidence
) -> None:
    """psql with the old password is refused, with the new one it is let in."""
    (pod, *_) = await deployment.pods(Role.POSTGRESQL)
    codes = {}
    for which, words in (("old", rotated.old), ("new", rotated.new)):
        password = words[DATABASE].decode()
        done = await ask(deployment, pod, "SELECT 1;", user="synapse", password=password, database="synapse")
        codes[which] = done.exit_code
    evidence("exit codes of psql", codes)
    assert codes["new"] == 0, "the new password of the database is refused"
    assert codes["old"] != 0, "the old password of the database is still good; restart PostgreSQL"


@pytest.mark.requirement("SEC-018")
@pytest.mark.parametrize("user", REDIS)
async def test_redis_knows_the_new_passwords_only(
    user: str, rotated: Rotated, deployment: Deployment, evidence: Evidence
) -> None:
    """Every server of Redis, and every Sentinel where the user is one of its own: the new password, not the old one."""
    ports = ("redis", "sentinel") if user in ("sentinel", "probe") else ("redis",)
    seen = {}
    for pod in await deployment.pods(Role.REDIS):
        for port in ports:
            old, new = [
                await answer(deployment, pod, port, "PING", user=user, password=words[REDIS[user]])
                for words in (rotated.old, rotated.new)
            ]
            seen[f"{pod.name}:{port}"] = [old, new]
            assert new == "+PONG", f"{pod.name}:{port} refuses the new password of {user}: {new}"
            assert old.startswith("-WRONGPASS"), f"{pod.name}:{port} takes the old password of {user}: {old}"
    evidence("answers to the old, the new password", seen)
    assert seen, "no pod plays the role redis"


@pytest.mark.requirement("SEC-018")
@pytest.mark.parametrize("secret", S3)
async def test_the_object_store_knows_the_new_keys_only(
    secret: str, rotated: Rotated, deployment: Deployment, evidence: Evidence
) -> None:
    """The bucket of an identity is listed with its new keys, and not with the old ones."""
    path = f"/{secret.removeprefix('s3-')}/"
    old = await request(deployment, "GET", path, rotated.old_keys[secret])
    new = await request(deployment, "GET", path, await keys_of(deployment, secret))
    evidence("answers to the old, the new keys", [old.status_code, new.status_code])
    assert new.is_success, f"GET {path} with the new keys: {new.status_code} {new.text:.200}"
    assert old.status_code == httpx.codes.FORBIDDEN, f"GET {path} with the old keys: {old.status_code}"


@pytest.mark.requirement("SEC-018")
async def test_media_are_read_and_written_with_the_new_keys(rotated: Rotated, evidence: Evidence) -> None:
    """A file that is in the object store only comes back whole; another one is taken."""
    answer_ = await download(rotated.bob, rotated.media)
    evidence("download", answer_.status_code)
    assert answer_.content == rotated.content, f"GET {rotated.media.path}: {answer_.status_code}"
    await upload(rotated.bob, rotated.content, content_type="application/octet-stream")


@pytest.mark.requirement("SEC-018")
async def test_replication_knows_the_new_secret_only(
    rotated: Rotated, deployment: Deployment, evidence: Evidence
) -> None:
    """The replication of main and of a persister answers to the new secret, and not to the old one."""
    for role in (Role.SYNAPSE_MAIN, Role.EVENT_PERSISTER):
        (pod, *_) = await deployment.pods(role)
        old, new = [
            await stream_updates(deployment, pod, words[REPLICATION].decode())
            for words in (rotated.old, rotated.new)
        ]
        evidence(f"answers of {pod.name} to the old, the new secret", [old.status_code, new.status_code])
        assert new.is_success, f"{pod.name} refuses the new worker_replication_secret: {new.text:.200}"
        assert old.is_error, f"{pod.name} takes the old worker_replication_secret"


@pytest.mark.requirement("SEC-018")
async def test_registration_knows_the_new_secret_only(
    rotated: Rotated, deployment: Deployment, evidence: Evidence
) -> None:
    """An account is made by the new shared secret, and not by the old one."""
    old, new = [
        await ask_for_account(
            deployment,
            words[SHARED_SECRET],
            localpart(deployment, "late"),
            secrets.token_urlsafe(16),
        )
        for words in (rotated.old, rotated.new)
    ]
    evidence("answers to the old, the new secret", [old.status_code, new.status_code])
    assert new.is_success, f"the new registration_shared_secret makes no account: {new.text:.200}"
    assert old.status_code == httpx.codes.FORBIDDEN, f"the old one still makes accounts ({old.status_code})"


@pytest.mark.requirement("SEC-018")
async def test_links_in_mails_are_signed_with_the_new_secret(
    rotated: Rotated, deployment: Deployment, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """A link that ends notifications by mail, signed with macaroon_secret_key: the new one counts, the old one not."""
    name = deployment.front().server_name
    old, new = [
        await http.get(UNSUBSCRIBE, params=unsubscription(words[MACAROONS], name, rotated.alice.user_id))
        for words in (rotated.old, rotated.new)
    ]
    evidence("answers to the old, the new link", [old.status_code, new.status_code])
    assert new.is_success, f"a link signed with the new macaroon_secret_key: {new.status_code}"
    assert old.is_error, "a link signed with the old macaroon_secret_key is still good"


@pytest.mark.requirement("SEC-018")
async def test_the_new_signing_key_signs_and_the_old_one_is_remembered(
    rotated: Rotated, http: httpx.AsyncClient, deployment: Deployment, evidence: Evidence
) -> None:
    """GET /_matrix/key/v2/server: signed by the new key, which alone is current.

    The old one is among old_verify_keys, with the time of the rotation: what it signed before can still be verified.
    """
    (old_name, old_key), (name, key) = public_key(rotated.old[SIGNING]), public_key(rotated.new[SIGNING])
    now = await published(http)
    evidence("keys", now)
    assert rotated.verify_keys == {old_name: {"key": old_key}}, "another key was published before"
    assert now["verify_keys"] == {name: {"key": key}}, f"current are {sorted(now['verify_keys'])}, not {name}"
    assert is_signed(now, deployment.front().server_name, name, key), f"the keys are not signed by {name}"
    expected = {old_name: {"key": old_key, "expired_ts": round(rotated.at.timestamp() * 1000)}}
    assert now["old_verify_keys"] == expected, (
        f"old_verify_keys are {now['old_verify_keys']}, not {expected}: other servers cannot verify what it signed; "
        "set old_signing_keys"
    )
