"""The header by which a server says who it is."""

from typing import Any

import pytest

from fixtures.peers.federation_server import keys, xmatrix

REQUEST: dict[str, Any] = {
    "method": "PUT",
    "uri": "/_matrix/federation/v1/send/1?x=%20",
    "content": {"pdus": [], "text": "ä"},
}
KEY = keys.new_key()


def made(**changes: Any) -> xmatrix.Claim:
    """The header of the request, parsed again."""
    said = {"origin": "a:8448", "destination": "b", **REQUEST, **changes}
    return xmatrix.parsed(xmatrix.header(KEY, **said))


def is_true(claim: xmatrix.Claim, **changes: Any) -> bool:
    """Whether `b`, who was asked the request, believes it."""
    return xmatrix.is_true(claim, keys.public(KEY), **{"me": "b", **REQUEST, **changes})


def test_what_is_said_is_read_and_believed() -> None:
    claim = made()
    assert (claim.origin, claim.destination, claim.key_id) == ("a:8448", "b", keys.key_id(KEY))
    assert is_true(claim)
    assert is_true(made(content=None), content=None)
    assert is_true(made(destination=None)), "servers older than 1.3 do not name whom they ask"


@pytest.mark.parametrize(
    "changed",
    [{"method": "GET"}, {"uri": "/else"}, {"content": {"pdus": []}}, {"content": None}, {"me": "c"}],
    ids=str,
)
def test_it_is_good_for_one_request_to_one_server(changed: dict[str, Any]) -> None:
    assert not is_true(made(), **changed)


def test_somebody_else_s_key_is_not_believed() -> None:
    assert not xmatrix.is_true(made(), keys.public(keys.new_key()), me="b", **REQUEST)


@pytest.mark.parametrize(
    "text",
    [
        'X-Matrix origin="a",destination="b",key="ed25519:k",sig="s+/"',
        'x-matrix  origin=a , destination=b, key="ed25519:k" ,sig="s+/"',
        'X-Matrix sig="s+/",extra="1",key="ed25519:k",destination="b",origin="\\a"',
    ],
)
def test_it_may_be_written_in_several_ways(text: str) -> None:
    assert xmatrix.parsed(text) == xmatrix.Claim("a", "b", "ed25519:k", "s+/")


@pytest.mark.parametrize("text", [None, "", "Bearer x", 'X-Matrix origin="a"', 'X-Matrix origin="a" key'])
def test_what_is_no_claim_is_refused(text: str | None) -> None:
    with pytest.raises(xmatrix.MalformedError):
        xmatrix.parsed(text)
