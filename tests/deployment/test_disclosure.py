"""Secrets in rendered objects are found, and nothing else is taken for one."""

import base64

import pytest

from fixtures.deployment.rules.disclosure import disclosures, rendered_secrets
from fixtures.rendering.objects import Manifest


def config_map(name: str, text: str) -> Manifest:
    return {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {name: text}}


def pod(**container: object) -> Manifest:
    return {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", **container}]}}


PEM = "-----BEGIN EC " + "PRIVATE KEY-----"


@pytest.mark.parametrize(
    "manifest",
    [
        config_map("a.yaml", "registration_shared_secret: x"),
        config_map("a.yaml", "{{ if .x }}\nregistration_shared_secret: x"),
        config_map("a.yaml", "macaroon_secret_key: x"),
        config_map("a.yaml", "turn_shared_secret: x"),
        config_map("a.yaml", "worker_replication_secret: x"),
        config_map("a.yaml", "email: {smtp_pass: x}"),
        config_map("a.yaml", "database: {args: {password: x}}"),
        config_map("a.yaml", "oidc_providers: [{client_secret: x}]"),
        config_map("a.yaml", "recaptcha_private_key: x"),
        config_map("a.yaml", f"k: |\n  {PEM}"),
        config_map("signing.key", f"ed25519 a_b {'A' * 43}"),
        config_map("a.conf", "requirepass x"),
        config_map("a.conf", "user default on >x ~*"),
        config_map("a.cfg", "  stats auth admin:x"),
        config_map("a.conf", "primary_conninfo = 'host=a password=x'"),
        config_map("a.sql", "CREATE ROLE a PASSWORD 'x'"),
        {
            "kind": "ConfigMap",
            "metadata": {"name": "c"},
            "binaryData": {"k": base64.b64encode(PEM.encode()).decode()},
        },
        pod(env=[{"name": "POSTGRES_PASSWORD", "value": "x"}]),
        pod(env=[{"name": "DATABASE", "value": "postgresql://a:x@host/b"}]),
        pod(args=["--url", "redis://:x@redis:6379"]),
    ],
)
def test_a_secret_is_found(manifest: Manifest) -> None:
    assert len(list(disclosures([manifest]))) == 1


@pytest.mark.parametrize(
    "manifest",
    [
        config_map("a.yaml", "registration_shared_secret_path: /run/secrets/a"),
        config_map("a.yaml", "password_config: {enabled: true, policy: {minimum_length: 12}}"),
        config_map("a.yaml", "registration_requires_token: true"),
        config_map("a.yaml", "form_secret: null"),
        config_map("a.conf", "password_encryption = scram-sha-256"),
        config_map("a.conf", "user default on #0123 ~*"),
        config_map("a.sh", "ALTER ROLE a PASSWORD :'password';"),
        config_map("a.cfg", "bind :8443 ssl crt /run/secrets/tls.crt"),
        pod(env=[{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]),
        pod(args=["http://synapse-main:8008/health"]),
        config_map("a.yaml", "database: {args: {password: '${DB_PASSWORD}'}}"),
        config_map("a.conf", "requirepass ${REDIS_PASSWORD}"),
        pod(env=[{"name": "DATABASE", "value": "postgresql://a:$(PASSWORD)@host/b"}]),
    ],
)
def test_what_only_looks_like_one_is_not(manifest: Manifest) -> None:
    assert list(disclosures([manifest])) == []


def test_the_value_is_never_said() -> None:
    (line,) = disclosures([config_map("a.yaml", "redis: {password: hunter2}")])
    assert str(line).startswith("ConfigMap/c a.yaml redis.password: the setting holds a secret")
    assert "hunter2" not in str(line)


def test_a_rendered_secret_is_one() -> None:
    assert len(list(rendered_secrets([{"kind": "Secret", "metadata": {"name": "s"}}]))) == 1
