"""Who is let into the database, Redis and the object store, and what for."""

import secrets
from collections.abc import Iterable, Mapping

import httpx
import pytest

from fixtures.clients.object_store import Keys, keys_of, request
from fixtures.clients.postgresql import ask
from fixtures.clients.redis import answer
from fixtures.deployment.interface import Absent, Deployment, Pod, SecretRef
from fixtures.deployment.roles import Role
from fixtures.plugins.evidence import Evidence

NAME, PASSWORD = (SecretRef("postgresql-synapse", key) for key in ("username", "password"))

PRIVILEGES = """
SELECT concat_ws(' ', 'superuser' , rolsuper), concat_ws(' ', 'createrole', rolcreaterole),
    concat_ws(' ', 'createdb', rolcreatedb), concat_ws(' ', 'replication', rolreplication),
    concat_ws(' ', 'bypassrls', rolbypassrls) FROM pg_roles WHERE rolname = current_user;
SELECT 'member of ' || rolname FROM pg_roles
    WHERE rolname NOT IN (current_user, 'pg_database_owner') AND pg_has_role(current_user, oid, 'MEMBER');
SELECT 'owns database ' || datname FROM pg_database WHERE pg_get_userbyid(datdba) = current_user;
"""
"""What the role that asks may do beyond its own tables, a line each."""

REFUSED = "-NOPERM"
FORBIDDEN_COMMANDS = (
    ("CONFIG", "GET", "maxmemory"),
    ("ACL", "LIST"),
    ("KEYS", "*"),
    ("EVAL", "return 1", "0"),
    ("CLIENT", "LIST"),
)
"""What Synapse has no use for, and what would tell an intruder something."""

DESTRUCTIVE_COMMANDS = (
    ("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"),
    ("REPLICAOF", "NO", "ONE"),
    ("CLIENT", "PAUSE", "1"),
    ("CLIENT", "KILL", "TYPE", "replica"),
    ("FLUSHALL",),
    ("SHUTDOWN", "NOSAVE"),
)
"""What an intruder would do; where one is not refused it happens."""

BUCKETS = {
    "media": "s3-media",
    "postgresql-backups": "s3-postgresql-backups",
    "postgresql-li-backups": "s3-postgresql-li-backups",
}
"""Whose keys may do something in a bucket: the Secret that holds them."""


async def text_of(deployment: Deployment, ref: SecretRef) -> str:
    """The value of a Secret's key as text."""
    value = await deployment.secret(ref)
    assert not isinstance(value, Absent), value
    return value.decode().strip()


async def database(deployment: Deployment) -> Pod:
    """A pod of PostgreSQL."""
    pods = await deployment.pods(Role.POSTGRESQL)
    assert pods, "no pod plays the role postgresql"
    return pods[0]


@pytest.mark.requirement("SEC-010")
async def test_the_database_wants_the_password(deployment: Deployment, evidence: Evidence) -> None:
    """Precondition: Synapse's role comes in by its password. A wrong one, none, and the superuser do not."""
    pod, user = await database(deployment), await text_of(deployment, NAME)
    right, wrong = await text_of(deployment, PASSWORD), secrets.token_urlsafe(32)
    control = await ask(deployment, pod, "SELECT 1;", user=user, password=right, database=user)
    assert control.stdout.strip() == b"1", f"the right password is refused: {control.stderr!r:.200}"
    attempts = {
        "a wrong password": (user, wrong),
        "no password": (user, ""),
        "the superuser without a password": ("postgres", ""),
        "the superuser with Synapse's password": ("postgres", right),
    }
    answers = {
        what: await ask(deployment, pod, "SELECT 1;", user=name, password=password, database="postgres")
        for what, (name, password) in attempts.items()
    }
    evidence("answers", {what: each.stderr.decode(errors="replace") for what, each in answers.items()})
    for what, each in answers.items():
        assert each.exit_code != 0, f"PostgreSQL lets in {what}; see pg_hba.conf"
        told = each.stderr.decode(errors="replace")
        assert any(
            word in told for word in ("authentication failed", "pg_hba.conf", "no password supplied")
        ), f"{what}: refused for another reason, so nothing is proved: {told:.200}"


@pytest.mark.requirement("SEC-010")
async def test_synapse_owns_its_database_and_nothing_else(deployment: Deployment, evidence: Evidence) -> None:
    """As Synapse's role: its attributes, memberships and databases, as PostgreSQL itself lists them."""
    user, password = await text_of(deployment, NAME), await text_of(deployment, PASSWORD)
    done = await ask(
        deployment, await database(deployment), PRIVILEGES, user=user, password=password, database=user
    )
    assert done.exit_code == 0, f"psql ended with {done.exit_code}: {done.stderr!r:.200}"
    said = done.stdout.decode().replace("|", "\n").splitlines()
    evidence("what the role may", said)
    assert f"owns database {user}" in said, f"{user} does not own its database; it says: {said}"
    too_much = [line for line in said if not line.endswith(" f") and line != f"owns database {user}"]
    assert not too_much, (
        f"PostgreSQL's role {user} is more than it has to be: {', '.join(too_much)}; revoke it"
    )


@pytest.mark.requirement("SEC-011")
@pytest.mark.parametrize("port", ["redis", "sentinel"])
async def test_redis_lets_nobody_in_without_a_password(
    port: str, deployment: Deployment, evidence: Evidence
) -> None:
    """Precondition: the user of health checks may PING. Without a name, or with a wrong password, nobody may."""
    right, wrong = (
        await deployment.secret(SecretRef("redis", "probe_password")),
        secrets.token_urlsafe().encode(),
    )
    assert not isinstance(right, Absent), right
    seen, remedy = {}, "is let in; see the users in secrets.yaml, and aclfile"
    for pod in await deployment.pods(Role.REDIS):
        control = await answer(deployment, pod, port, "PING", user="probe", password=right.strip())
        assert control == "+PONG", f"{pod.name}:{port} refuses the user probe ({control}): nothing is proved"
        anonymous = await answer(deployment, pod, port, "PING")
        guessed = await answer(deployment, pod, port, "PING", user="probe", password=wrong)
        by_default = await answer(deployment, pod, port, "PING", user="default", password=b"")
        seen[pod.name] = [anonymous, guessed, by_default]
        assert anonymous.startswith("-NOAUTH"), f"{pod.name}:{port}: who says no name {remedy}: {anonymous}"
        assert guessed.startswith("-WRONGPASS"), f"{pod.name}:{port}: a wrong password {remedy}: {guessed}"
        assert by_default.startswith("-WRONGPASS"), f"{pod.name}:{port}: `default` {remedy}: {by_default}"
    evidence("answers without a name, with a wrong password, as default", seen)
    assert seen, "no pod plays the role redis"


async def refused_to_synapse(
    deployment: Deployment, commands: Iterable[tuple[str, ...]], evidence: Evidence
) -> None:
    """Synapse's user may publish, and none of the commands."""
    password = await deployment.secret(SecretRef("redis", "password"))
    assert not isinstance(password, Absent), password
    (pod, *_) = await deployment.pods(Role.REDIS)

    async def told(*command: str) -> str:
        return await answer(deployment, pod, "redis", *command, user="synapse", password=password.strip())

    control = await told("PUBLISH", "conformance", "nobody listens")
    assert control == ":0", f"Synapse's user may not publish ({control}): nothing is proved"
    answers = {" ".join(command): await told(*command) for command in commands}
    evidence("answers", answers)
    allowed = [f"{command} ({each})" for command, each in answers.items() if not each.startswith(REFUSED)]
    assert not allowed, f"Redis lets Synapse's user do {', '.join(allowed)}; narrow its rules in secrets.yaml"


@pytest.mark.requirement("SEC-011")
async def test_synapse_may_do_in_redis_what_it_needs(deployment: Deployment, evidence: Evidence) -> None:
    """Precondition: Synapse's user may publish. What would read the others' or tell of them is refused."""
    await refused_to_synapse(deployment, FORBIDDEN_COMMANDS, evidence)


@pytest.mark.requirement("SEC-011")
@pytest.mark.disruptive(Role.REDIS)
async def test_synapse_cannot_take_redis_down(deployment: Deployment, evidence: Evidence) -> None:
    """Precondition: Synapse's user may publish. What would empty, detach, pause or end Redis is refused.

    Disruptive: where the promise is broken, the attempt succeeds.
    """
    await refused_to_synapse(deployment, DESTRUCTIVE_COMMANDS, evidence)


@pytest.mark.requirement("SEC-012")
async def test_an_identity_reaches_its_own_bucket_only(deployment: Deployment, evidence: Evidence) -> None:
    """Each identity of the object store lists and writes in each bucket: it succeeds in its own, and there alone.

    What was written has a name that was never there before, and is removed by the bucket's own keys.
    """
    keys = {bucket: await keys_of(deployment, secret) for bucket, secret in BUCKETS.items()}
    name = f"conformance-{secrets.token_hex(8)}"
    try:
        answers = {
            (owner, method, bucket): (await tried(deployment, keys[owner], method, bucket, name)).status_code
            for owner in BUCKETS
            for bucket in BUCKETS
            for method in ("GET", "PUT")
        }
    finally:
        removals = {
            bucket: (await request(deployment, "DELETE", f"/{bucket}/{name}", keys[bucket])).status_code
            for bucket in BUCKETS
        }
    evidence("answers", {" ".join(words): status for words, status in answers.items()})
    for (owner, method, bucket), status in answers.items():
        expected = httpx.codes.OK if owner == bucket else httpx.codes.FORBIDDEN
        assert status == expected, (
            f"the keys of {owner} and {method} in the bucket {bucket}: {status}, not {expected}; "
            "see s3-identities in secrets.yaml"
        )
    stays = {bucket: status for bucket, status in removals.items() if httpx.codes.is_error(status)}
    assert not stays, f"the object {name} could not be removed again: {stays}; remove it by hand"


@pytest.mark.requirement("SEC-012")
async def test_nobody_reaches_a_bucket_without_its_keys(deployment: Deployment, evidence: Evidence) -> None:
    """No signature, a right name with a wrong secret key, a name that nobody has: each is refused in every bucket."""
    strangers: Mapping[str, Keys | None] = {
        "no keys": None,
        "a wrong secret key": Keys((await keys_of(deployment, "s3-media")).identifier, "x" * 40),
        "an unknown name": Keys("AKIAIOSFODNN7EXAMPLE", "x" * 40),
    }
    answers = {
        (who, bucket): (await tried(deployment, keys, "GET", bucket)).status_code
        for who, keys in strangers.items()
        for bucket in BUCKETS
    }
    evidence("answers", {" in ".join(words): status for words, status in answers.items()})
    let_in = {" in ".join(words): each for words, each in answers.items() if each != httpx.codes.FORBIDDEN}
    assert not let_in, f"the object store does not refuse: {let_in}; is -s3.config given?"


async def tried(
    deployment: Deployment, keys: Keys | None, method: str, bucket: str, name: str = ""
) -> httpx.Response:
    """List a bucket (GET), or put a small object into it."""
    path = f"/{bucket}/{name}" if method == "PUT" else f"/{bucket}/"
    return await request(deployment, method, path, keys, b"" if method == "GET" else b"conformance")
