"""How Chromium is told where the front door is."""

from __future__ import annotations

from pathlib import Path

from fixtures.deployment.interface import FrontDoor
from fixtures.peers.browser.apart import FRONT_PORT
from fixtures.peers.browser.switches import resolver_rules, switches

FRONT = FrontDoor("matrix.test", "198.18.0.10", 443, 8448, Path("ca.pem"))


def test_the_name_leads_to_the_front_door() -> None:
    """The first rule is the server's name at 443: to the socket that leads on to the front door."""
    assert resolver_rules(FRONT).split(", ")[0] == f"MAP matrix.test:443 127.0.0.1:{FRONT_PORT}"


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
