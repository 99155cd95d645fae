"""The certificate of the front door, where cert-manager makes it, through its life."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fixtures.clients.journey import healthy
from fixtures.clients.tls import presented
from fixtures.deployment.interface import Absent, Deployment, SecretRef
from fixtures.deployment.patch import ObjectEdit, Patch
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.faults.pods import replaced
from fixtures.plugins.evidence import Evidence

SECRET = SecretRef("front-tls", "tls.crt")

ALMOST_EXPIRED = Patch(
    edits=(
        ObjectEdit(
            object="Certificate/front",
            operations=(
                {"op": "test", "path": "/spec/duration", "value": "2160h"},
                {"op": "replace", "path": "/spec/renewBefore", "value": "2159h59m"},
            ),
        ),
    )
)
"""A certificate that is a minute old is due."""


@pytest.mark.requirement("SEC-019")
@pytest.mark.disruptive(Role.HAPROXY)
@pytest.mark.slow
async def test_a_certificate_that_is_due_is_renewed_and_served(
    deployment: Deployment, evidence: Evidence
) -> None:
    """Precondition: the front door presents the certificate of the Secret. It comes due, and HAProxy is restarted.

    Expected: the Secret gets a new one, with a new key, of the same authority; both ports present a new one, which
    clients believe that trust that authority, and people go on.
    """
    front, before = deployment.front(), await _in_secret(deployment)
    assert await presented(front, front.port) == before, (
        "the front door presents another one than its Secret holds"
    )
    async with deployment.variant(ALMOST_EXPIRED):

        async def renewed() -> x509.Certificate:
            if (now := await _in_secret(deployment)) == before:
                raise NotYet("the Secret holds the old certificate")
            return now

        after = await eventually(renewed, within=Budget.RENEWAL, label="the certificate is renewed")
        await replaced(deployment, Role.HAPROXY)
        doors = [await presented(front, port) for port in (front.port, front.federation_port)]
        await healthy(deployment)
    evidence("valid from", [str(each.not_valid_before_utc) for each in (before, after, *doors)])
    assert before not in doors, "HAProxy was restarted and presents the old certificate"
    assert _key(after) != _key(before), "the certificate was renewed with the old key"
    assert after.issuer == before.issuer


async def _in_secret(deployment: Deployment) -> x509.Certificate:
    """The certificate that cert-manager has made last."""
    content = await deployment.secret(SECRET)
    assert not isinstance(content, Absent), content
    return x509.load_pem_x509_certificate(content)


def _key(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
