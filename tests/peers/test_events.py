"""What the fake federation server makes of events, against what Synapse makes of them."""

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from signedjson.key import encode_signing_key_base64, generate_signing_key

from fixtures.peers.federation_server import events, keys
from fixtures.peers.federation_server.versions import VERSIONS, Json

PYTHON = Path(__file__).parents[2] / ".venv" / "programs" / "synapse" / "bin" / "python"
SERVER = "elsewhere.test:8448"

ORACLE = """
import json, sys
from signedjson.key import decode_signing_key_base64
from synapse.api.room_versions import KNOWN_ROOM_VERSIONS
from synapse.crypto.event_signing import add_hashes_and_signatures
from synapse.events import make_event_from_dict
from synapse.events.utils import prune_event

asked = json.load(sys.stdin)
key = decode_signing_key_base64("ed25519", asked["key name"], asked["key"])
said = []
for version, event in asked["events"]:
    rules = KNOWN_ROOM_VERSIONS[version]
    add_hashes_and_signatures(rules, event, asked["server"], key)
    whole = make_event_from_dict(event, rules)
    said.append({"event": event, "id": whole.event_id, "redacted": prune_event(whole).get_pdu_json(),
                 "room": whole.room_id})
json.dump(said, sys.stdout)
"""
"""Events come without hashes and signatures, and go with them."""


def event(kind: str, content: Json, **more: Any) -> Json:
    """An event with something in every place where something can be."""
    return {
        "type": kind,
        "room_id": "!room:elsewhere.test",
        "sender": "@ann:elsewhere.test:8448",
        "content": {**content, "not_kept": {"deep": [1, "ä", None]}},
        "prev_events": ["$before"],
        "auth_events": ["$create", "$levels"],
        "depth": 7,
        "origin": SERVER,
        "origin_server_ts": 1_700_000_000_000,
        "unsigned": {"age": 3},
        "unknown": True,
        **more,
    }


EVENTS = {
    "a message": event("m.room.message", {"body": "hello", "msgtype": "m.text"}),
    "a member": event(
        "m.room.member",
        {
            "membership": "join",
            "displayname": "Ann",
            "join_authorised_via_users_server": "@x:y",
            "third_party_invite": {"display_name": "A", "signed": {"token": "t", "mxid": "@a:b"}},
        },
        state_key="@ann:elsewhere.test:8448",
        membership="join",
    ),
    "power levels": event(
        "m.room.power_levels",
        {"users": {"@a:b": 100}, "invite": 50, "ban": 1, "notifications": {"room": 2}},
        state_key="",
        prev_state=[],
    ),
    "join rules": event("m.room.join_rules", {"join_rule": "restricted", "allow": []}, state_key=""),
    "visibility": event("m.room.history_visibility", {"history_visibility": "shared"}, state_key=""),
    "a redaction": event("m.room.redaction", {"redacts": "$gone", "reason": "r"}, redacts="$gone"),
    "a name": event("m.room.name", {"name": "n"}, state_key=""),
}


def creation(version: str) -> Json:
    """The first event of a room."""
    create = event(
        "m.room.create",
        {"room_version": version, "creator": "@ann:elsewhere.test:8448", "m.federate": True},
        state_key="",
        prev_events=[],
        auth_events=[],
        depth=1,
    )
    if VERSIONS[version].room_is_hash:
        del create["room_id"]
    return create


@pytest.fixture(scope="module")
def cases() -> list[tuple[str, Json]]:
    """Room version and event."""
    return [(version, each) for version in VERSIONS for each in (*EVENTS.values(), creation(version))]


@pytest.fixture(scope="module")
def signing_key() -> Any:
    """The key that both sign with."""
    return generate_signing_key("oracle")


@pytest.fixture(scope="module")
def said(cases: list[tuple[str, Json]], signing_key: Any) -> list[Json]:
    """What Synapse makes of them."""
    asked = {
        "key name": "oracle",
        "key": encode_signing_key_base64(signing_key),
        "server": SERVER,
        "events": cases,
    }
    done = subprocess.run(
        [PYTHON, "-c", ORACLE],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answer: list[Json] = json.loads(done.stdout)
    return answer


def test_hashes_signatures_and_names_are_synapse_s(
    cases: list[tuple[str, Json]], said: list[Json], signing_key: Any
) -> None:
    for (version, case), synapse in zip(cases, said, strict=True):
        rules = VERSIONS[version]
        ours = events.signed(events.hashed(case), rules, SERVER, signing_key)
        label = f"{case['type']} in version {version}"
        assert ours["hashes"] == synapse["event"]["hashes"], label
        assert ours["signatures"] == synapse["event"]["signatures"], label
        assert events.event_id(ours, rules) == synapse["id"], label


def test_redactions_are_synapse_s(cases: list[tuple[str, Json]], said: list[Json]) -> None:
    for (version, case), synapse in zip(cases, said, strict=True):
        theirs = {name: value for name, value in synapse["redacted"].items() if name != "unsigned"}
        assert events.redacted(synapse["event"], VERSIONS[version]) == theirs, (
            f"{case['type']} in version {version}"
        )


def test_a_room_of_version_12_is_named_by_its_first_event(
    cases: list[tuple[str, Json]], said: list[Json]
) -> None:
    named = [
        (events.room_id(synapse["event"], VERSIONS[version]), synapse["room"])
        for (version, case), synapse in zip(cases, said, strict=True)
        if case["type"] == "m.room.create"
    ]
    assert named[-1][0].startswith("!")
    assert all(ours == theirs for ours, theirs in named), named


@pytest.mark.parametrize("version", VERSIONS)
def test_a_signature_is_for_one_event_one_server_and_one_key(version: str) -> None:
    rules, key = VERSIONS[version], keys.new_key()
    name, public = keys.key_id(key), keys.public(key)
    one = events.signed(events.hashed(EVENTS["a message"]), rules, SERVER, key)
    assert events.is_signed(one, rules, SERVER, name, public)
    assert not events.is_signed(one, rules, "elsewhere.test", name, public)
    assert not events.is_signed(one, rules, SERVER, "ed25519:other", public)
    assert not events.is_signed(one, rules, SERVER, name, keys.public(keys.new_key()))
    assert not events.is_signed({**one, "depth": 8}, rules, SERVER, name, public)
    assert events.is_signed({**one, "content": {"body": "another"}}, rules, SERVER, name, public), (
        "a redaction keeps the signature good"
    )


def test_nothing_is_changed_that_was_given() -> None:
    given = EVENTS["a member"]
    before = copy.deepcopy(given)
    events.signed(events.hashed(given), VERSIONS["11"], SERVER, keys.new_key())
    events.redacted(given, VERSIONS["10"])
    assert given == before
