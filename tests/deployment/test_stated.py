"""Which inner addresses a federation of a company's own may reach: its networks, never the machine itself."""

from __future__ import annotations

import pytest

from fixtures.deployment.patch import Patch
from fixtures.deployment.rules.stated import nobody_outside_is_asked
from fixtures.rendering.catalogue import MANIFESTS
from fixtures.rendering.kustomize import render

NAMED = "server_name: matrix.company.com\nip_range_blacklist: &inner {}\n"
ALL = "[127.0.0.0/8, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, '::1/128', 'fc00::/7', 'fe80::/10']"


@pytest.mark.parametrize(
    ("settings", "faults"),
    [
        ("", []),
        ("federation_custom_ca_list: null\n", ["lets through 10.0.0.1, 172.16.0.1, 192.168.1.1, fd00::1"]),
        ("federation_ip_range_blacklist: []\n", ["lets through 127.0.0.1, 169.254.169.254, ::1, fe80::1"]),
    ],
    ids=["the component as it is", "without an authority of its own", "nothing forbidden"],
)
def test_a_private_federation_reaches_the_company_only(settings: str, faults: list[str]) -> None:
    """The overlay with the component, under a name that is no test's."""
    file = {
        "configmap": "synapse-conf.d",
        "file": "80-company.yaml",
        "new": NAMED.format(ALL) + settings,
    }
    objects = Patch.model_validate({"edits": [file]}).apply(render(MANIFESTS / "overlays" / "local"))
    found = [each for each in nobody_outside_is_asked(objects) if "federation" in str(each)]
    assert [each.fault.partition(": ")[0] for each in found] == faults
