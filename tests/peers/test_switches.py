"""How Chromium is told where the front door is."""

from __future__ import annotations

from fixtures.peers.browser.apart import FRONT_PORT
from fixtures.peers.browser.switches import resolver_rules, switches

URLS = ("https://matrix.test", "https://chat.matrix.test:444/", "https://matrix.test/")


def test_the_names_lead_to_the_front_door() -> None:
    """Each once, at its own port or 443, to the socket that leads on to the front door. They come before all others."""
    assert resolver_rules(URLS).split(", ")[:3] == [
        f"MAP matrix.test:443 127.0.0.1:{FRONT_PORT}",
        f"MAP chat.matrix.test:444 127.0.0.1:{FRONT_PORT}",
        "MAP * ~NOTFOUND",
    ]


def test_no_other_name_is_known() -> None:
    """All others are not found, but the address where the page is."""
    assert resolver_rules(()).split(", ") == ["MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"]


def test_nobody_may_come_in_and_nothing_is_switched_off() -> None:
    """No port for remote control, and no certificate that is taken unseen."""
    given = " ".join(switches(URLS))
    assert "remote-debugging" not in given
    assert "ignore-certificate" not in given
    assert "disable-web-security" not in given
