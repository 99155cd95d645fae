"""The plain client, and what it makes of answers in another shape than the specification says."""

import json
from typing import Any

import httpx
import pytest

from fixtures.clients.plain import MatrixClient, MatrixError, ShapeError, log_in
from fixtures.clients.shapes.deviations import DEVIATIONS, unknown
from fixtures.clients.shapes.judging import faults
from fixtures.clients.shapes.table import TABLE

WHOAMI = "/_matrix/client/v3/account/whoami"
JOINED = "/_matrix/client/v3/rooms/!a:b/joined_members"
NULL = {"joined": {"@a:b": {"avatar_url": None, "display_name": None}}}


def user(status: int, body: Any) -> MatrixClient:
    """A user of a server that has one answer to everything."""
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=body))
    return MatrixClient(httpx.AsyncClient(transport=transport, base_url="https://b"), "@a:b", "D", "token")


async def test_a_wrong_shape_fails_whoever_asked() -> None:
    with pytest.raises(
        ShapeError, match=r"(?s)GET .*whoami: 1 .*\$\.user_id is the integer 7, expected a string"
    ):
        await user(200, {"user_id": 7}).request("GET", WHOAMI)


async def test_the_query_is_no_part_of_it() -> None:
    with pytest.raises(ShapeError):
        await user(200, {}).request("GET", WHOAMI, params={"a": "b/c"})


async def test_a_log_in_is_judged_too() -> None:
    with pytest.raises(ShapeError, match=r"\$\.device_id is missing"):
        await log_in(user(200, {"user_id": "@a:b", "access_token": "syt"}).http, "a", "password")


async def test_an_answer_may_be_taken_as_it_comes() -> None:
    assert (await user(200, {}).answer("GET", WHOAMI)).json() == {}


async def test_an_error_is_one_of_matrix() -> None:
    with pytest.raises(MatrixError, match="M_FORBIDDEN"):
        await user(403, {"errcode": "M_FORBIDDEN"}).call("GET", WHOAMI)


async def test_what_is_known_of_synapse_is_no_fault() -> None:
    assert (await user(200, NULL).call("GET", JOINED)) == NULL


@pytest.mark.parametrize("value", [7, [], {}, True])
async def test_a_known_deviation_is_that_one_only(value: Any) -> None:
    body = {"joined": {"@a:b": {"avatar_url": value}}}
    found = faults("GET", JOINED, 200, json.dumps(body).encode())
    assert unknown(found) == found != ()


def test_known_deviations_are_of_resources_that_there_are() -> None:
    for name, deviation in DEVIATIONS.items():
        assert set(deviation.templates) <= set(TABLE), name
        assert deviation.link.startswith("https://github.com/"), name
