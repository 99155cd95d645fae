"""Answers of the cluster DNS."""

from __future__ import annotations

import asyncio

import dnslib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.rendering.endpoints import Zone
from fixtures.targets.local.dns import Responder, answer

WEB, DB = "web.default.svc.cluster.local", "db.default.svc.cluster.local"
ZONE = Zone(
    a={
        WEB: ("198.18.0.9",),
        DB: ("198.18.0.1", "198.18.0.2"),
        f"db-0.{DB}": ("198.18.0.1",),
        f"db-1.{DB}": ("198.18.0.2",),
    },
    srv={f"_client._tcp.{DB}": ((5432, f"db-0.{DB}"), (5432, f"db-1.{DB}"))},
)


def ask(name: str, kind: str) -> dnslib.DNSRecord:
    """The parsed answer, which has the question's id."""
    question = dnslib.DNSRecord.question(name, kind)
    reply = dnslib.DNSRecord.parse(answer(question.pack(), ZONE))
    assert reply.header.id == question.header.id
    assert (reply.header.qr, reply.header.aa) == (1, 1)
    return reply


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        (WEB, {"198.18.0.9"}),
        (DB, {"198.18.0.1", "198.18.0.2"}),
        (f"{DB}.", {"198.18.0.1", "198.18.0.2"}),
        (WEB.upper(), {"198.18.0.9"}),
    ],
)
def test_a_gives_all_addresses(name: str, addresses: set[str]) -> None:
    """Whatever the case, with or without the final dot; soon to be asked again."""
    reply = ask(name, "A")
    assert {str(record.rdata) for record in reply.rr} == addresses
    assert {record.ttl for record in reply.rr} == {1}
    assert reply.header.rcode == dnslib.RCODE.NOERROR


def test_srv_gives_targets_with_their_addresses() -> None:
    """Weight 100 (HAProxy takes 0 for down), port and host, and the host's address beside it."""
    reply = ask(f"_client._tcp.{DB}", "SRV")
    assert {(r.rdata.weight, r.rdata.port, str(r.rdata.target)) for r in reply.rr} == {
        (100, 5432, f"db-0.{DB}."),
        (100, 5432, f"db-1.{DB}."),
    }
    assert {(str(r.rname), str(r.rdata)) for r in reply.ar} == {
        (f"db-0.{DB}.", "198.18.0.1"),
        (f"db-1.{DB}.", "198.18.0.2"),
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (WEB, "AAAA"),
        (WEB, "SRV"),
        (DB, "TXT"),
        ("default.svc.cluster.local", "A"),
        ("cluster.local", "AAAA"),
        (f"_tcp.{DB}", "A"),
    ],
)
def test_known_name_without_such_a_record_is_no_data(name: str, kind: str) -> None:
    """NOERROR without answer, with SOA: NXDOMAIN to AAAA would make resolvers forget the A record too."""
    reply = ask(name, kind)
    assert reply.header.rcode == dnslib.RCODE.NOERROR
    assert reply.rr == []
    assert [record.rtype for record in reply.auth] == [dnslib.QTYPE.SOA]


@pytest.mark.parametrize(
    "name", ["nobody.default.svc.cluster.local", "example.org", "b.default.svc.cluster.local", "eb." + WEB]
)
def test_unknown_name_does_not_exist(name: str) -> None:
    """NXDOMAIN with SOA; the end of a known name is not a known name."""
    reply = ask(name, "A")
    assert reply.header.rcode == dnslib.RCODE.NXDOMAIN
    assert [record.rtype for record in reply.auth] == [dnslib.QTYPE.SOA]


class Sent(asyncio.DatagramTransport):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    def sendto(self, data: bytes, addr: object = None) -> None:  # type: ignore[override]  # noqa: ARG002
        self.sent.append(data)


QUESTION: bytes = dnslib.DNSRecord.question(WEB, "A").pack()
broken = st.one_of(
    st.binary(max_size=80),
    st.integers(0, len(QUESTION)).map(lambda end: QUESTION[:end]),
    st.tuples(st.integers(0, len(QUESTION) - 1), st.binary(min_size=1, max_size=4)).map(
        lambda change: QUESTION[: change[0]] + change[1] + QUESTION[change[0] + 1 :]
    ),
)


@given(broken)
def test_no_datagram_breaks_the_responder(data: bytes) -> None:
    """Whatever comes is answered once (or not at all where it has no id), and the next question as well."""
    responder, transport = Responder(), Sent()
    responder.zone = ZONE
    responder.connection_made(transport)
    responder.datagram_received(data, ("198.18.0.7", 1))
    assert all(reply[:2] == data[:2] for reply in transport.sent)
    responder.datagram_received(QUESTION, ("198.18.0.7", 1))
    assert b"\xc6\x12\x00\x09" in transport.sent[-1]


def test_answer_to_an_answer_is_silence() -> None:
    """Two responders must not talk for ever."""
    responder, transport = Responder(), Sent()
    responder.connection_made(transport)
    responder.datagram_received(answer(QUESTION, ZONE), ("198.18.0.7", 53))
    assert transport.sent == []
