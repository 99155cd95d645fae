"""What may be asked of a deployment that is attached to, and what its accounts are called."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.deployment.interface import Deployment, DeploymentError
from fixtures.deployment.untouched import Untouched, prefix_of
from fixtures.targets.kubernetes.attaching import AttachedKubernetes
from fixtures.targets.local.target import AttachedLocal

READING = {
    *("dial", "exec", "front", "get", "incarnation", "logs", "observed", "outside_packets", "pods", "prefix"),
    *("probe", "provides", "secret", "settled", "usage"),
}
"""What leaves a deployment as it is; `exec` as far as the command does."""

CHANGING = {name for name in vars(Untouched) if not name.startswith("_")} - {"provides"}


def test_every_call_of_the_interface_is_known_to_read_or_to_change() -> None:
    """Whoever adds one has to say which."""
    calls = {name for name in vars(Deployment) if not name.startswith("_")}
    assert calls == READING | (CHANGING - {"become"})
    assert READING.isdisjoint(CHANGING)


@pytest.mark.parametrize("target", [AttachedLocal, AttachedKubernetes])
@pytest.mark.parametrize("call", sorted(CHANGING))
def test_what_changes_something_is_refused(call: str, target: type) -> None:
    """On both targets, before anything happens: the object is not even made."""
    with pytest.raises(DeploymentError, match=rf"^{call}: .* lacks its marker: disruptive\(role, \.\.\.\)"):
        getattr(target, call)(object.__new__(target), "anything", within=1)


def test_the_prefix_is_the_run_s_id_in_letters_that_a_localpart_may_have() -> None:
    assert prefix_of("20261126T153209Z-c71724") == "conformance-20261126t153209z-c71724-"


@given(st.text())
def test_any_run_has_a_prefix_that_a_localpart_may_have(run: str) -> None:
    assert re.fullmatch(r"conformance-([a-z0-9]+-)*-?", prefix_of(run))
