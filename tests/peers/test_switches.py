"""How Chromium is told where the front door is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.deployment.interface import FrontDoor
from fixtures.peers.browser.switches import resolver_rules, switches

FRONT = FrontDoor("matrix.test", "198.18.0.10", 443, 8448, Path("ca.pem"))


@pytest.mark.parametrize(
    ("front", "leads_to"),
    [
        (FRONT, "198.18.0.10:443"),
        (replace(FRONT, address="127.0.0.1", port=30443), "127.0.0.1:30443"),
        (replace(FRONT, address="fd00::10"), "[fd00::10]:443"),
    ],
    ids=["address", "forwarded port", "IPv6"],
)
def test_the_name_leads_to_the_front_door(front: FrontDoor, leads_to: str) -> None:
    """The first rule is the server's name at 443, whatever address and port the front door has."""
    assert resolver_rules(front).split(", ")[0] == f"MAP matrix.test:443 {leads_to}"


def test_no_other_name_is_known() -> None:
    """All others are not found; the server's own rule comes before, so it is not among them."""
    rules = resolver_rules(FRONT).split(", ")
    assert rules.index("MAP * ~NOTFOUND") > 0
    assert "EXCLUDE 127.0.0.1" in rules


def test_nobody_may_come_in_and_nothing_is_switched_off() -> None:
    """No port for remote control, and no certificate that is taken unseen."""
    given = " ".join(switches(FRONT))
    assert "remote-debugging" not in given
    assert "ignore-certificate" not in given
    assert "disable-web-security" not in given
