"""What Element Web tells the browsers of its users."""

import pytest

from fixtures.plugins.judging import Judge
from fixtures.rendering.rules.nginx import answers_are_confined


@pytest.mark.requirement("STA-043")
def test_every_answer_of_element_web_is_confined(ours: None, judge: Judge) -> None:
    """Precondition: every overlay is rendered. nginx' server adds each header, with `always`; no location adds any."""
    judge(answers_are_confined)
