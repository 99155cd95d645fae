"""What is under way in a session."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field

from tests.mutations.killing import Finding


@dataclass(frozen=True)
class Runs:
    """Runs of mutants by id, and of unbroken manifests by overlay, or None for those with a deployment."""

    mutants: dict[str, Future[Finding]] = field(default_factory=dict)
    controls: dict[str, Future[Finding]] = field(default_factory=dict)
