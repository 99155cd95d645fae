"""No secret survives the censor, and nothing else is lost."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.deployment.censor import SHORTEST_SECRET, Censor

PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\n9w0BAQEFAASCBKcwggSj\n-----END PRIVATE KEY-----\n"


def censor(**values: str) -> Censor:
    """Of one Secret `door`; two underscores in a key stand for a dot."""
    data = {
        key.replace("__", "."): base64.b64encode(value.encode()).decode() for key, value in values.items()
    }
    return Censor([{"kind": "Secret", "metadata": {"name": "door"}, "data": data}])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("password=hunter2hunter2;", "password=[secret door/password];"),
        ("hunter2hunter2hunter2hunter2", "[secret door/password][secret door/password]"),
        ("HUNTER2HUNTER2", "HUNTER2HUNTER2"),
        ("hunter2", "hunter2"),
        ("", ""),
    ],
)
def test_value_is_replaced_by_its_name(text: str, left: str) -> None:
    """Wherever it stands."""
    assert censor(password="hunter2hunter2")(text.encode()) == left.encode()


def test_lines_and_words_of_a_value_are_secrets_too() -> None:
    """A log has them one by one, indented, or as JSON."""
    masked = censor(key=PEM, phrase="one two three four\nfive six seven")
    for text in (
        "  MIIEvQIBADANBgkqhkiG",
        PEM.replace("\n", "\\n"),
        "say five six seven",
        "one two three four",
    ):
        said = masked(text.encode()).decode()
        assert "[secret door/" in said
        for part in ("MIIEvQ", "9w0BAQ", "six", "three"):
            assert part not in said


def test_longer_secrets_go_first() -> None:
    """One that holds another leaves no rest."""
    assert censor(a="abcdefgh", b="abcdefgh-and-more")(b"abcdefgh-and-more") == b"[secret door/b]"


@pytest.mark.parametrize("key", ["tls__crt", "id__pub"])
def test_public_halves_are_no_secrets(key: str) -> None:
    """Certificates and public keys are needed in reports."""
    assert censor(**{key: "certificate"})(b"certificate") == b"certificate"


def test_short_words_are_left_alone() -> None:
    """`synapse` as a user's name must not black out the program."""
    assert censor(username="synapse")(b"synapse") == b"synapse"


def test_other_objects_hold_no_secrets() -> None:
    """ConfigMaps are public."""
    assert (
        Censor([{"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "hunter2hunter2"}}])(
            b"hunter2hunter2"
        )
        == b"hunter2hunter2"
    )


@given(
    st.text("ABCDEFGH", min_size=SHORTEST_SECRET, max_size=12),
    st.lists(st.text("ABCDEFGHxyz \n", max_size=9)),
)
def test_nothing_survives(value: str, around: list[str]) -> None:
    """Whatever stands around it."""
    text = value.join(["", *around, ""])
    assert value.encode() not in censor(password=value)(text.encode())
