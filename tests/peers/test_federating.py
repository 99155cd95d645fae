"""Two fake federation servers federate with each other, over TLS on loopback, told by the control API."""

import json
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fixtures.peers.fake import placement
from fixtures.peers.federation_server import other_endpoints, room_endpoints
from fixtures.peers.federation_server.homeserver import Homeserver
from fixtures.peers.federation_server.listening import serve_control, serve_federation
from fixtures.peers.federation_server.outbound import Outbound
from fixtures.peers.federation_server.versions import VERSIONS, Json
from fixtures.rendering.certificates import issue

LOOPBACK = "127.0.0.1"
NAMES = ("one.test", "two.test")
PYTHON = Path(__file__).parents[2] / ".venv" / "programs" / "synapse" / "bin" / "python"


class Told:
    """The control API: `told(server, operation, …)`."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __call__(self, server: str, operation: str, **arguments: Any) -> Json:
        body = json.dumps({"server": server, **arguments}).encode()
        with urllib.request.urlopen(f"http://{LOOPBACK}:{self.port}/{operation}", body, timeout=10) as answer:
            said: Json = json.load(answer)
        return said


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[Told, str, str]]:
    """The control API, and two servers."""
    made = issue(NAMES, now=datetime.now(UTC))
    for name, text in (("crt", made.certificate), ("key", made.key), ("ca", made.authority)):
        (tmp_path / name).write_bytes(text)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    places: dict[str, tuple[str, int]] = {}
    outbound = Outbound(ssl.create_default_context(cafile=str(tmp_path / "ca")), places)
    routes = (*room_endpoints.ROUTES, *other_endpoints.ROUTES)
    both = {name: Homeserver(name, outbound, routes) for name in NAMES}
    with ExitStack() as stack:
        listener = stack.enter_context(serve_federation(both, (LOOPBACK, 0), tls))
        stack.callback(listener.shutdown)
        places |= dict.fromkeys(NAMES, (LOOPBACK, listener.server_address[1]))
        control = stack.enter_context(serve_control(both, (LOOPBACK, 0)))
        stack.callback(control.shutdown)
        yield Told(control.server_address[1]), *NAMES


def message(sender: str, body: str) -> Json:
    """An event of a test."""
    return {"type": "m.room.message", "sender": sender, "content": {"body": body, "msgtype": "m.text"}}


@pytest.mark.parametrize("version", VERSIONS)
def test_one_joins_the_other_s_room_and_they_talk(servers: tuple[Told, str, str], version: str) -> None:
    told, a, b = servers
    room = told(a, "create_room", version=version, creator=f"@ann:{a}")["room"]
    joined = told(b, "join_room", via=a, room=room, user=f"@bob:{b}")
    assert joined["status"] == 200, joined
    draft = told(b, "draft", room=room, event=message(f"@bob:{b}", "hello"))
    sent = told(b, "transaction", to=a, pdus=[draft["event"]])
    assert sent == {"status": 200, "body": {"pdus": {draft["event_id"]: {}}}}
    seen = {name: told(name, "room", room=room) for name in (a, b)}
    assert seen[a]["log"][-2:] == seen[b]["log"] == [joined["event_id"], draft["event_id"]]
    assert seen[a]["extremities"] == seen[b]["extremities"] == [draft["event_id"]]
    assert seen[a]["servers"] == seen[b]["servers"] == sorted([a, b])
    entries = told(a, "arrived")["entries"]
    assert [entry["authentic"] for entry in told(a, "arrived", kind="pdu")["entries"]] == [True, True]
    assert {entry["origin"] for entry in entries if entry["kind"] == "request" and entry["content"]} == {b}
    assert told(b, "leave_room", via=a, room=room, user=f"@bob:{b}")["status"] == 200
    assert told(a, "room", room=room)["servers"] == [a]


def test_an_invite_comes_back_signed_by_both(servers: tuple[Told, str, str]) -> None:
    told, a, b = servers
    room = told(a, "create_room", version="11", creator=f"@ann:{a}", join_rule="invite")["room"]
    invited = told(a, "invite_user", room=room, sender=f"@ann:{a}", user=f"@bob:{b}")
    assert set(invited["body"]["event"]["signatures"]) == {a, b}
    (entry,) = (each for each in told(b, "arrived")["entries"] if each["kind"] == "invite")
    assert (entry["event_id"], entry["named"], entry["authentic"]) == (
        invited["event_id"],
        invited["event_id"],
        True,
    )


@pytest.mark.parametrize("flaw", ["unsigned", "wrong-signature", "wrong-hash"])
def test_a_flaw_is_seen(servers: tuple[Told, str, str], flaw: str) -> None:
    told, a, b = servers
    room = told(a, "create_room", version="10", creator=f"@ann:{a}")["room"]
    told(b, "join_room", via=a, room=room, user=f"@bob:{b}")
    draft = told(b, "draft", room=room, event=message(f"@bob:{b}", "x"), flaws=[flaw], keep=False)
    told(b, "transaction", to=a, pdus=[draft["event"]])
    assert told(a, "arrived")["entries"][-2]["authentic"] is False
    assert told(b, "room", room=room)["extremities"] != [draft["event_id"]], "it was not to be kept"


@pytest.mark.parametrize(
    "wrongly",
    [
        {"unsigned": True},
        {"forged": True},
        {"claim": {"uri": "/another"}},
        {"claim": {"destination": "another"}},
    ],
    ids=str,
)
def test_who_does_not_prove_his_name_is_refused(servers: tuple[Told, str, str], wrongly: Json) -> None:
    told, a, b = servers
    uri = "/_matrix/federation/v1/publicRooms"
    assert told(b, "request", method="GET", to=a, uri=uri)["status"] == 200
    assert told(b, "request", method="GET", to=a, uri=uri, **wrongly)["status"] == 401


def test_a_new_key_is_taken_and_the_old_one_known_as_old(servers: tuple[Told, str, str]) -> None:
    told, a, b = servers
    uri, before = "/_matrix/federation/v1/publicRooms", told(b, "keys")["key_id"]
    after = told(b, "rotate_key")["key_id"]
    assert told(b, "request", method="GET", to=a, uri=uri)["status"] == 200
    document = told(a, "request", method="GET", to=b, uri="/_matrix/key/v2/server", unsigned=True)["body"]
    assert (set(document["verify_keys"]), set(document["old_verify_keys"])) == ({after}, {before})
    assert document["old_verify_keys"][before]["expired_ts"] <= time.time() * 1000


def test_what_was_laid_down_is_answered_as_often_as_it_was(servers: tuple[Told, str, str]) -> None:
    told, a, b = servers
    asked: dict[str, Any] = {"method": "GET", "to": a, "uri": "/_matrix/federation/v1/version"}
    told(a, "instead", pattern="GET .*/version", status=503, body={"errcode": "X"}, times=1)
    assert told(b, "request", **asked) == {"status": 503, "body": {"errcode": "X"}}
    assert told(b, "request", **asked)["status"] == 200
    told(a, "instead", pattern=".", closes=True)
    with pytest.raises(urllib.error.HTTPError, match="502"):
        told(b, "request", **asked)
    told(a, "no_rules")
    assert told(b, "request", **asked)["status"] == 200
    assert [entry["status"] for entry in told(a, "arrived")["entries"]][-4:] == [503, 200, None, 200]


def test_requests_that_are_to_wait_for_each_other_are_answered_together(
    servers: tuple[Told, str, str],
) -> None:
    told, a, b = servers
    uri = "/_matrix/federation/v1/version"
    told(a, "together", pattern="/version", number=2)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(told, b, "request", method="GET", to=a, uri=uri)
        assert told(b, "request", method="GET", to=b, uri=uri)["status"] == 200, "no other server waits"
        assert not first.done(), "it did not wait"
        assert told(b, "request", method="GET", to=a, uri=uri)["status"] == 200
        assert first.result()["status"] == 200


def test_history_that_was_missed_can_be_asked_for(servers: tuple[Told, str, str]) -> None:
    told, a, b = servers
    room = told(a, "create_room", version="12", creator=f"@ann:{a}", members=3)["room"]
    drafts = [told(a, "draft", room=room, event=message(f"@ann:{a}", f"{n}")) for n in range(4)]
    names = [draft["event_id"] for draft in drafts]
    content = {"earliest_events": names[:1], "latest_events": names[-1:], "limit": 10}
    uri = f"/_matrix/federation/v1/get_missing_events/{room}"
    between = told(b, "request", method="POST", to=a, uri=uri, content=content)["body"]["events"]
    assert between == [draft["event"] for draft in drafts[1:3]]
    uri = f"/_matrix/federation/v1/backfill/{room}?v={names[1]}&limit=2"
    assert told(b, "request", method="GET", to=a, uri=uri)["body"]["pdus"] == [
        drafts[1]["event"],
        drafts[0]["event"],
    ]
    uri = f"/_matrix/federation/v1/state_ids/{room}?event_id={names[0]}"
    state = told(b, "request", method="GET", to=a, uri=uri)["body"]
    assert len(state["pdu_ids"]) == len(told(a, "room", room=room)["state"])
    assert told(b, "request", method="GET", to=a, uri="/_matrix/federation/v1/nothing")["status"] == 404


def test_what_was_published_is_told(servers: tuple[Told, str, str]) -> None:
    told, a, b = servers
    user, alias = f"@ann:{a}", f"#all:{a}"
    told(
        a,
        "publish",
        profiles={user: {"displayname": "Ann"}},
        aliases={alias: "!r:a"},
        media={"m1": ["text/plain", "aGVsbG8="]},
    )
    for path, wanted in {
        f"query/profile?user_id={user}&field=displayname": {"displayname": "Ann"},
        f"query/directory?room_alias=%23all:{a}": {"room_id": "!r:a", "servers": [a]},
    }.items():
        said = told(b, "request", method="GET", to=a, uri=f"/_matrix/federation/v1/{path}")
        assert said == {"status": 200, "body": wanted}
    file = told(b, "request", method="GET", to=a, uri="/_matrix/federation/v1/media/download/m1")
    assert "Content-Type: text/plain\r\n\r\nhello\r\n" in file["body"]


def test_it_runs_where_synapse_does(tmp_path: Path) -> None:
    """As in its pod: files in a folder, the Python of Synapse, nothing of this project."""
    folder = tmp_path / "peer"
    folder.mkdir()
    for name, text in placement("fake").files.items():
        folder.joinpath(name).write_bytes(text)
    done = subprocess.run(
        [PYTHON, str(folder / "start.py"), "--help"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
