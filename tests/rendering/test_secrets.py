"""Declared Secrets: what is minted is what is declared, and nothing more."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.verification import PolicyBuilder, Store
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fixtures.rendering.certificates import LIFETIME, Authority, authority, issue, signed
from fixtures.rendering.objects import Manifest, RenderingError
from fixtures.rendering.secrets import (
    Declaration,
    Declarations,
    RedisUsers,
    load_declarations,
    mint,
    redis_users,
    shortcomings,
    values,
)

SHIPPED = load_declarations()
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def declaration(keys: dict[str, Any], *, name: str = "s", kind: str = "Opaque") -> Declaration:
    return Declaration.model_validate(
        {
            "name": name,
            "type": kind,
            "purpose": "p",
            "consumers": ["Deployment/d"],
            "keys": keys,
            "rotation": "r",
        }
    )


generators = st.one_of(
    st.builds(lambda size: {"generate": "token", "bytes": size}, st.integers(16, 256)),
    st.builds(lambda text: {"generate": "text", "value": text}, st.text(min_size=1)),
    st.sampled_from(
        [
            {"generate": each}
            for each in (
                "ed25519-signing-key",
                "access-key",
                "secret-key",
                "certificate",
                "certificate-key",
                "authority",
            )
        ]
    ),
)
key_maps = st.dictionaries(
    st.from_regex(r"[a-z][a-z._-]{0,10}", fullmatch=True), generators, min_size=1, max_size=4
)


@given(key_maps)
def test_a_minted_secret_satisfies_its_declaration(keys: dict[str, Any]) -> None:
    declared = declaration(keys)
    (secret,) = mint(Declarations(secrets=(declared,)), hosts=["a.test"])
    assert shortcomings(declared, secret) == ()
    assert values(secret).keys() == keys.keys()


def test_every_shipped_secret_satisfies_its_declaration() -> None:
    minted = mint(SHIPPED, hosts=["matrix.test"], namespace="n")
    assert [secret["metadata"]["name"] for secret in minted] == [each.name for each in SHIPPED.secrets]
    assert {secret["metadata"]["namespace"] for secret in minted} == {"n"}
    for declared, secret in zip(SHIPPED.secrets, minted, strict=True):
        assert shortcomings(declared, secret) == ()


def test_two_mints_share_nothing_that_is_secret() -> None:
    first, second = (mint(SHIPPED, hosts=["matrix.test"]) for _ in range(2))
    for declared, one, other in zip(SHIPPED.secrets, first, second, strict=True):
        for key, generator in declared.keys.items():
            same = one["data"][key] == other["data"][key]
            assert same == (generator.generate == "text"), f"{declared.name} {key}"


def test_the_users_of_redis_are_known_by_hash_only() -> None:
    (secret,) = mint(SHIPPED.only(["redis"]), hosts=["a.test"])
    content = values(secret)
    passwords = [value for key, value in content.items() if key.endswith("password")]
    assert len(set(passwords)) == 4
    assert hashlib.sha256(content["password"]).hexdigest().encode() in content["users.acl"]
    for acl in (content["users.acl"], content["sentinel.acl"]):
        assert acl.startswith(b"user default off\n")
        assert not [password for password in passwords if password in acl]


@given(st.binary(min_size=1))
def test_any_password_gives_one_line_of_acl(password: bytes) -> None:
    users = RedisUsers.model_validate(
        {"generate": "redis-users", "users": [{"name": "u", "password": "p", "rules": "+ping"}]}
    )
    assert redis_users(users, {"p": password}).decode("ascii").count("\n") == 2


def test_nobody_on_the_bus_may_do_everything() -> None:
    (declared,) = SHIPPED.only(["redis"]).secrets
    rules = {
        (key, user.name): user.rules.split()
        for key, users in declared.keys.items()
        if isinstance(users, RedisUsers)
        for user in users.users
    }
    assert len(rules) == 6
    for (key, name), words in rules.items():
        assert "-@all" in words, f"{key} {name}"
        assert not {"+@all", "allcommands", "+@dangerous", "+@admin", "+config"} & set(words), f"{key} {name}"


def test_identities_hold_the_keys_of_the_secrets_that_they_are_made_of() -> None:
    made = {each["metadata"]["name"]: values(each) for each in mint(SHIPPED, hosts=["a.test"])}
    users = {
        each["name"]: each for each in json.loads(made["s3-identities"]["identities.json"])["identities"]
    }
    assert users.keys() == {"media", "postgresql-backups", "postgresql-li-backups"}
    for name, user in users.items():
        (pair,) = user["credentials"]
        assert pair["accessKey"].encode() == made[f"s3-{name}"]["access_key_id"]
        assert pair["secretKey"].encode() == made[f"s3-{name}"]["secret_access_key"]
        assert {action.partition(":")[2] for action in user["actions"]} == {name}
        assert not [action for action in user["actions"] if action.startswith("Admin")]


@pytest.mark.parametrize("names", [["s3-media"], ["s3-identities"]])
def test_what_is_made_of_each_other_is_minted_together(names: list[str]) -> None:
    with pytest.raises(RenderingError, match="made together"):
        SHIPPED.only(names)
    with pytest.raises(RenderingError, match="made together"):
        SHIPPED.without(names)
    assert SHIPPED.without([name for name in SHIPPED.keys() if "s3-" in name]).secrets  # noqa: SIM118


def test_an_identity_without_a_pair_of_keys_is_refused() -> None:
    identities = {
        "generate": "s3-identities",
        "identities": [{"name": "a", "secret": "b", "actions": ["Read:a"]}],
    }
    with pytest.raises(ValidationError, match="made of 'b', which is not declared"):
        Declarations(secrets=(declaration({"i": identities}),))


def test_the_signing_key_is_one_line_of_three_words() -> None:
    (secret,) = mint(SHIPPED.only(["synapse-signing-key"]), hosts=["a.test"])
    algorithm, version, seed = values(secret)["signing.key"].decode().split()
    assert algorithm == "ed25519"
    assert version.startswith("a_")
    assert len(base64.b64decode(seed + "=")) == 32


def test_the_certificate_is_trusted_by_its_authority_for_every_host() -> None:
    (secret,) = mint(SHIPPED.only(["front-tls"]), hosts=["a.test", "192.0.2.1"], now=NOW)
    content = values(secret)
    leaf, intermediate = x509.load_pem_x509_certificates(content["tls.crt"])
    authority = x509.load_pem_x509_certificate(content["ca.crt"])
    assert intermediate == authority
    verifier = PolicyBuilder().store(Store([authority])).time(NOW.replace(tzinfo=None))
    verifier.build_server_verifier(x509.DNSName("a.test")).verify(leaf, [])
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1"]
    assert load_pem_private_key(content["tls.key"], None).public_key() == leaf.public_key()
    assert leaf.not_valid_after_utc == NOW + LIFETIME


def test_the_key_of_the_authority_is_nowhere() -> None:
    minted = mint(SHIPPED, hosts=["a.test"])
    held = [
        (secret["metadata"]["name"], key)
        for secret in minted
        for key, value in values(secret).items()
        if b"PRIVATE KEY" in value
    ]
    assert held == [("front-tls", "tls.key"), ("federation-authority", "authority.key")]
    (front,) = (secret for secret in minted if secret["metadata"]["name"] == "front-tls")
    authority = x509.load_pem_x509_certificate(values(front)["ca.crt"])
    key = values(front)["tls.key"]
    assert key.count(b"BEGIN") == 1
    assert load_pem_private_key(key, None).public_key() != authority.public_key()


def test_an_authority_that_is_kept_signs_for_servers() -> None:
    (secret,) = mint(SHIPPED.only(["federation-authority"]), hosts=["a.test"])
    content = values(secret)
    one = signed(Authority(content["authority.crt"], content["authority.key"]), ["other"], now=NOW)
    trusted = x509.load_pem_x509_certificate(content["authority.crt"])
    leaf = x509.load_pem_x509_certificate(one.certificate)
    leaf.verify_directly_issued_by(trusted)
    assert one.authority == content["authority.crt"]
    assert "PRIVATE KEY" not in repr(one)


def test_an_authority_with_another_kind_of_key_is_told() -> None:
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(RenderingError, match="elliptic curve"):
        signed(Authority(authority(now=NOW).certificate, key), ["other"], now=NOW)


def test_a_private_key_does_not_show_in_a_representation() -> None:
    assert "PRIVATE KEY" not in repr(issue(["a.test"], now=NOW))


@pytest.mark.parametrize("hosts", [[], ["ümlaut.test"]])
def test_hosts_that_no_certificate_can_name_are_refused(hosts: list[str]) -> None:
    with pytest.raises(RenderingError):
        issue(hosts, now=NOW)


def changed(secret: Manifest, **data: str | None) -> Manifest:
    merged = {**secret["data"], **data}
    return {**secret, "data": {key: value for key, value in merged.items() if value is not None}}


@pytest.mark.parametrize(
    ("name", "data", "fault"),
    [
        ("redis", {"password": None}, "key 'password' is missing"),
        ("redis", {"more": "eA=="}, "key 'more' is not declared"),
        ("redis", {"password": base64.b64encode(b"x" * 40).decode()}, "users.acl: does not hold the hash"),
        ("redis", {"password": "eA=="}, "has 1 bytes"),
        ("postgresql-synapse", {"username": "eA=="}, "not the declared text"),
        ("synapse-signing-key", {"signing.key": "eA=="}, "is not `ed25519 VERSION SEED`"),
        ("front-tls", {"tls.key": "eA=="}, "tls.key: is not the PEM text"),
        ("front-tls", {"tls.crt": "eA=="}, "tls.crt: is not the PEM text"),
    ],
)
def test_a_shortcoming_names_the_key(name: str, data: dict[str, str | None], fault: str) -> None:
    chosen = SHIPPED.only([name])
    (secret,) = mint(chosen, hosts=["a.test"])
    assert any(fault in line for line in shortcomings(chosen.secrets[0], changed(secret, **data)))


def test_a_secret_of_another_type_falls_short() -> None:
    chosen = SHIPPED.only(["front-tls"])
    (secret,) = mint(chosen, hosts=["a.test"])
    assert shortcomings(chosen.secrets[0], {**secret, "type": "Opaque"}) == (
        "Secret/front-tls type: is Opaque, kubernetes.io/tls is declared",
    )


def test_what_is_not_base64_is_named() -> None:
    with pytest.raises(RenderingError, match=r"Secret/s data\.k: not base64"):
        values({"metadata": {"name": "s"}, "data": {"k": "?"}})


def test_an_undeclared_name_is_refused() -> None:
    with pytest.raises(RenderingError, match="Secret 'nothing' is not declared"):
        SHIPPED.only(["nothing"])
    with pytest.raises(RenderingError, match="Secret 'nothing' is not declared"):
        SHIPPED.without(["nothing"])


@pytest.mark.parametrize(
    ("keys", "kind", "fault"),
    [
        (
            {"a": {"generate": "redis-users", "users": [{"name": "u", "password": "b", "rules": "+ping"}]}},
            "Opaque",
            "made of 'b', which is no token",
        ),
        ({"tls.crt": {"generate": "certificate"}}, "kubernetes.io/tls", r"lacks the keys tls\.key"),
        ({"username": {"generate": "token"}}, "kubernetes.io/basic-auth", "lacks the keys password"),
        ({"a": {"generate": "dice"}}, "Opaque", "dice"),
        ({"a": {"generate": "token", "bytes": 8}}, "Opaque", "16"),
        ({}, "Opaque", "at least 1"),
    ],
)
def test_a_declaration_that_cannot_be_minted_is_refused(keys: dict[str, Any], kind: str, fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        declaration(keys, kind=kind)


def test_two_declarations_of_one_name_are_refused() -> None:
    one = declaration({"a": {"generate": "token"}})
    with pytest.raises(ValidationError, match="declared more than once: s"):
        Declarations(secrets=(one, one))
