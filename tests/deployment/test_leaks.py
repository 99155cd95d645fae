"""A secret is found however it is written, and nothing else is taken for one."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.deployment.interface import SecretRef
from fixtures.deployment.leaks import confidential, confidential_refs, leaks
from fixtures.rendering.secrets import load_declarations

REF = SecretRef("redis", "password")
WORD = b"s3cret/w0rd+of~24=bytes!"


@pytest.mark.parametrize(
    "text",
    [
        b"a=" + WORD,
        WORD.hex().encode(),
        quote(WORD, safe="").encode(),
        base64.b64encode(WORD),
        b"seen as [secret redis/password] here",
    ],
)
def test_every_form_is_found(text: bytes) -> None:
    """As it is, in hexadecimal, percent-encoded, in base64, and where a censor was before us."""
    assert list(leaks(text, [confidential(REF, WORD)])) == [REF]


@given(before=st.binary(max_size=9), after=st.binary(max_size=9))
def test_it_is_found_inside_of_what_was_encoded(before: bytes, after: bytes) -> None:
    """Wherever in a text that became base64 it stood."""
    text = base64.b64encode(before + WORD + after)
    assert list(leaks(text, [confidential(REF, WORD)])) == [REF]


def test_other_words_are_none() -> None:
    """Neither the name of the Secret nor a part of the word counts."""
    assert not list(leaks(b"redis password " + WORD[:-1], [confidential(REF, WORD)]))


def test_of_a_key_file_the_key_counts() -> None:
    """What stands around the key in its file is no secret."""
    found = confidential(SecretRef("synapse-signing-key", "signing.key"), b"ed25519 a_abcd " + b"k" * 43)
    assert found.word == b"k" * 43
    assert "kkk" not in repr(found)


def test_what_is_public_is_no_secret() -> None:
    """Of the declared Secrets: passwords and private keys, not names, certificates, or files made of the others."""
    refs = confidential_refs(load_declarations())
    assert SecretRef("front-tls", "tls.key") in refs
    assert SecretRef("redis", "replica_password") in refs
    for name, key in (("front-tls", "tls.crt"), ("postgresql-synapse", "username"), ("redis", "users.acl")):
        assert SecretRef(name, key) not in refs
