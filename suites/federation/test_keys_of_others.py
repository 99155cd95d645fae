"""Keys that other servers ask for: of devices, to encrypt to them, and of servers, to check what they sign."""

import secrets
from typing import Final
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients.device_keys import device_keys
from fixtures.clients.plain import Json, MatrixClient
from fixtures.clients.server_keys import is_signed, published
from fixtures.clients.servers import server_of
from fixtures.peers.fake import FakeServer
from fixtures.plugins.evidence import Evidence

V1: Final = "/_matrix/federation/v1"
NOTARY: Final = "/_matrix/key/v2/query"


@pytest.mark.requirement("FED-067")
async def test_keys_of_devices_are_told_and_their_names_are_not(
    alice: MatrixClient, fake: FakeServer, evidence: Evidence
) -> None:
    """Precondition: Alice's device has keys, and a name that says where she is. Another server asks for the keys, and
    for her devices: it is told the keys as she uploaded them, and no name."""
    keys, name = device_keys(alice), f"at home {secrets.token_hex(4)}"
    device = f"/_matrix/client/v3/devices/{quote(alice.device_id)}"
    await alice.call("PUT", device, json={"display_name": name})
    await alice.call("POST", "/_matrix/client/v3/keys/upload", json={"device_keys": keys})
    asked: Json = {"device_keys": {alice.user_id: []}}
    answers = {
        "keys": await fake.request(server_of(alice), "POST", f"{V1}/user/keys/query", content=asked),
        "devices": await fake.request(server_of(alice), "GET", f"{V1}/user/devices/{quote(alice.user_id)}"),
    }
    evidence("answers", answers)
    own = (await alice.call("GET", device))["display_name"]
    assert [answer["status"] for answer in answers.values()] == [200, 200], f"{answers}"
    told = answers["keys"]["body"]["device_keys"][alice.user_id][alice.device_id]
    assert told["keys"] == keys["keys"], f"{keys['keys']} were uploaded, and another server is told {told}"
    assert own == name, f"the device is called {own}: nothing is proved"
    assert name not in str(answers), f"another server is told what Alice calls her device: {answers}"


@pytest.mark.requirement("FED-067")
async def test_keys_of_others_are_to_be_asked_for_at_their_servers(
    carol: MatrixClient, alice: MatrixClient, fake: FakeServer
) -> None:
    """Another server asks ours for the keys of a user of a third one: refused, ours cannot answer for them."""
    asked: Json = {"device_keys": {carol.user_id: []}}
    answer = await fake.request(server_of(alice), "POST", f"{V1}/user/keys/query", content=asked)
    assert answer["status"] == 400, f"our server answers for {carol.user_id}: {answer}"


@pytest.mark.requirement("FED-068")
async def test_who_asks_for_another_servers_key_is_given_it_signed_by_both(
    http: httpx.AsyncClient, alice: MatrixClient, fake: FakeServer, evidence: Evidence
) -> None:
    """Anybody asks our server for the key of another, which is there and has never been asked: the answer is that
    server's, which has signed it, and ours has signed it, too."""
    other, ours = await fake.told("keys"), await published(http)
    asked = {fake.name: {other["key_id"]: {"minimum_valid_until_ts": 0}}}
    answer = await http.post(NOTARY, json={"server_keys": asked})
    assert answer.is_success, f"POST {NOTARY}: {answer.status_code} {answer.text:.200}"
    told = [each for each in answer.json()["server_keys"] if each["server_name"] == fake.name]
    evidence("answer", told)
    assert len(told) == 1, (
        f"the keys of {fake.name} are asked for, and come {len(told)} times: {answer.text:.200}"
    )
    document, (name, key) = told[0], next(iter(ours["verify_keys"].items()))
    assert document["verify_keys"][other["key_id"]]["key"] == other["key"]
    assert is_signed(document, fake.name, other["key_id"], other["key"]), (
        "the other server's signature is wrong"
    )
    assert is_signed(document, server_of(alice), name, key["key"]), "our server has not signed it"
