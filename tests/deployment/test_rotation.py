"""A rotation is the patch that secrets.yaml describes."""

import base64
from datetime import UTC, datetime

import yaml

from fixtures.deployment.rotation import OLD_KEYS, rotation

CONFIGURATION = {"kind": "ConfigMap", "metadata": {"name": "synapse-conf.d"}, "data": {"10-keys.yaml": "{}"}}


def secret(value: str) -> dict[str, object]:
    """A Secret `redis` with one key."""
    data = {"password": base64.b64encode(value.encode()).decode()}
    return {"kind": "Secret", "metadata": {"name": "redis"}, "data": data}


def test_a_secret_gets_its_new_content_and_the_old_key_its_expiry() -> None:
    """The Secret is what was minted; the drop-in holds key and time in milliseconds; the given objects stay."""
    before = (secret("old"), CONFIGURATION)
    patch = rotation([secret("new")], {"ed25519:a_1": {"key": "AAAA"}}, datetime(2026, 1, 1, tzinfo=UTC))
    changed, configuration = patch.apply(before)
    assert changed == secret("new")
    assert before[0] == secret("old")
    expected = {"ed25519:a_1": {"key": "AAAA", "expired_ts": 1767225600000}}
    assert yaml.safe_load(configuration["data"][OLD_KEYS]) == {"old_signing_keys": expected}
