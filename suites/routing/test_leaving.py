"""How processes leave: HAProxy has noticed before they stop."""

import pytest

from fixtures.deployment.rules.leaving import leaves_with_a_word
from fixtures.plugins.judging import Judge


@pytest.mark.requirement("ROU-019")
def test_a_process_answers_until_the_edge_has_noticed(judge: Judge) -> None:
    """Precondition: every overlay is rendered. What HAProxy sends requests to pauses before it stops."""
    judge(leaves_with_a_word)
