"""Which Secrets are brought to objects, and that an authority that is brought can sign."""

from datetime import UTC, datetime

from cryptography import x509

from fixtures.rendering.catalogue import MANIFESTS
from fixtures.rendering.certificates import authority
from fixtures.rendering.kustomize import render
from fixtures.rendering.objects import Ref
from fixtures.rendering.provision import authorities, made_by_operators, secrets_for
from fixtures.rendering.secrets import load_declarations, values

CERTIFICATE = {
    "apiVersion": "cert-manager.io/v1",
    "kind": "Certificate",
    "metadata": {"name": "front"},
    "spec": {"secretName": "front-tls"},
}
DECLARED = {each.name for each in load_declarations().secrets}


def test_without_operators_every_declared_secret_is_minted() -> None:
    """The overlay local has no Certificate and no Issuer."""
    brought = secrets_for(load_declarations(), render(MANIFESTS / "overlays" / "local"))
    assert {Ref.of(each).name for each in brought} == DECLARED


def test_what_cert_manager_makes_is_not_minted_and_its_authority_is_brought() -> None:
    """The overlay staging has both: its front door's Secret is left out, and the Issuer's is there."""
    brought = secrets_for(load_declarations(), render(MANIFESTS / "overlays" / "staging"))
    assert {Ref.of(each).name for each in brought} == (DECLARED - {"front-tls"}) | {"front-authority"}
    (given,) = (each for each in brought if Ref.of(each).name == "front-authority")
    assert given["metadata"]["namespace"] == "matrix"
    held = values(given)
    assert x509.load_pem_x509_certificate(held["tls.crt"]) == x509.load_pem_x509_certificate(held["ca.crt"])


def test_an_issuer_of_another_kind_has_no_secret_of_ours() -> None:
    """An ACME issuer's account key is its own business."""
    acme = {
        "kind": "Issuer",
        "metadata": {"name": "front"},
        "spec": {"acme": {"server": "https://acme.test"}},
    }
    assert authorities([acme]) == ()
    assert made_by_operators([CERTIFICATE, acme]) == {"front-tls"}


def test_an_authority_may_sign_certificates_and_no_other_authority() -> None:
    """cert-manager refuses to sign with what may not."""
    made = x509.load_pem_x509_certificate(authority(now=datetime.now(UTC)).certificate)
    constraints = made.extensions.get_extension_for_class(x509.BasicConstraints).value
    usage = made.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (constraints.ca, constraints.path_length, usage.key_cert_sign) == (True, 0, True)
