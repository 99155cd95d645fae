"""What the front door agrees to in TLS."""

import ssl

import pytest

from fixtures.clients.tls import agree, in_the_clear, is_known
from fixtures.deployment.interface import Deployment
from fixtures.plugins.evidence import Evidence

DOORS = ("port", "federation_port")

WEAK = {
    "no forward secrecy": "kRSA",
    "CBC with SHA-1": "ECDHE+SHA1",
    "no certificate": "aNULL",
    "no encryption": "eNULL",
    "a block of 64 bits": "3DES",
}
"""Ciphers up to TLS 1.2 that nobody may be given, by what is wrong with them; in OpenSSL's words."""


@pytest.mark.requirement("SEC-004")
@pytest.mark.parametrize("door", DOORS)
async def test_old_versions_of_tls_are_refused(door: str, deployment: Deployment, evidence: Evidence) -> None:
    """Handshakes of clients of one version each, with every cipher: 1.2 and 1.3 succeed, 1.0 and 1.1 do not."""
    front, port = deployment.front(), getattr(deployment.front(), door)
    versions = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    agreed = {version.name: await agree(front, port, version) for version in versions}
    evidence("agreed", {version: found and found.cipher for version, found in agreed.items()})
    for version in ("TLSv1_2", "TLSv1_3"):
        assert agreed[version], f"port {port} refuses {version}, so clients stay outside; see 10-global.cfg"
    for version in ("TLSv1", "TLSv1_1"):
        assert agreed[version] is None, (
            f"port {port} agrees to {version} with {agreed[version]}; raise ssl-min-ver in 10-global.cfg"
        )


@pytest.mark.requirement("SEC-004")
@pytest.mark.parametrize("door", DOORS)
async def test_weak_ciphers_are_refused(door: str, deployment: Deployment, evidence: Evidence) -> None:
    """Clients of TLS 1.2 that offer nothing but weak ciphers, one kind after the other: no handshake succeeds."""
    front, port = deployment.front(), getattr(deployment.front(), door)
    offers = {fault: f"{ciphers}:@SECLEVEL=0" for fault, ciphers in WEAK.items()}
    known = {fault: ciphers for fault, ciphers in offers.items() if is_known(ciphers)}
    assert len(known) > 1, f"OpenSSL here knows no weak ciphers but {known}: nothing is proved"
    agreed = {
        fault: await agree(front, port, ssl.TLSVersion.TLSv1_2, ciphers) for fault, ciphers in known.items()
    }
    evidence("agreed", {fault: found and found.cipher for fault, found in agreed.items()})
    weak = {fault: found.cipher for fault, found in agreed.items() if found}
    assert not weak, (
        f"port {port} agrees to {weak}; take them out of ssl-default-bind-ciphers in 10-global.cfg"
    )


@pytest.mark.requirement("SEC-004")
@pytest.mark.parametrize("door", DOORS)
async def test_nothing_is_answered_in_the_clear(
    door: str, deployment: Deployment, evidence: Evidence
) -> None:
    """A plain HTTP request at a TLS port gets no HTTP answer."""
    front, port = deployment.front(), getattr(deployment.front(), door)
    request = (
        f"GET /_matrix/client/versions HTTP/1.1\r\nHost: {front.server_name}\r\nConnection: close\r\n\r\n"
    )
    answer = await in_the_clear(front, port, request.encode())
    evidence("answer", answer.decode(errors="replace"))
    assert b"HTTP/" not in answer, (
        f"port {port} answers without TLS: {answer!r:.80}; `ssl` is missing in its bind"
    )
