"""What is read out of the output of commands in containers."""

import pytest

from fixtures.deployment.containers import PlacedContainer
from fixtures.deployment.inside import Mode, mounts_of_secrets, writable_mounts
from fixtures.rendering.objects import Ref


@pytest.mark.parametrize(("mode", "expected"), [(0o440, False), (0o600, False), (0o444, True), (0o641, True)])
def test_who_is_everybody(mode: int, expected: bool) -> None:
    """Any bit for others counts."""
    assert Mode("/a", mode, 0, 999).for_everybody is expected


def test_mounts_are_told_apart() -> None:
    """Secrets, plain and projected; what may be written; and neither for a ConfigMap."""
    volumes = [
        {"name": "plain", "secret": {"secretName": "a"}},
        {"name": "projected", "projected": {"sources": [{"secret": {"name": "b"}}]}},
        {"name": "files", "configMap": {"name": "c"}},
        {"name": "run", "emptyDir": {}},
    ]
    mounts = [
        {"name": each["name"], "mountPath": f"/{each['name']}", "readOnly": each["name"] != "run"}
        for each in volumes
    ]
    container = PlacedContainer(
        Ref("Pod", "p"), "containers[0]", {"volumes": volumes}, {"name": "c", "volumeMounts": mounts}
    )
    assert mounts_of_secrets(container) == ("/plain", "/projected")
    assert writable_mounts(container) == ("/run",)
