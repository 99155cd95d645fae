"""What programs of this machine say of themselves."""

import re

import pytest

from fixtures.rendering import programs
from fixtures.rendering.catalogue import catalogue

HAPROXY = next(image.name for image in catalogue().images if image.repository.endswith("/haproxy"))


def test_a_program_says_its_version() -> None:
    assert re.fullmatch(r"\d+(\.\d+)+", programs.real_version(HAPROXY) or "")


def test_a_machine_that_is_too_busy_to_say_it_keeps_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "VERSION_S", 0.0)
    assert programs.real_version(HAPROXY) is None
