"""What a person sees while a deployment comes up."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from fixtures.deployment.interface import Event
from fixtures.deployment.progress import Progress


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize(
    "said", ["[/bin/sh] cannot", "[secret redis/password] refused", "[bold]loud", "ready after 1 s"]
)
def test_event_is_shown_word_for_word(said: str, *, terminal: bool) -> None:
    """Brackets are what programs write, not markup."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=terminal, no_color=True, width=200, highlight=False)
    with Progress(console, "deploying") as progress:
        progress(Event(0.1, "web/main", "starts"))
        progress(Event(1.25, "web/main", said))
    shown = screen.getvalue()
    assert said in shown
    assert "1.25 s  web/main: " in shown
