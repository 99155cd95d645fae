"""That a password may hold anything."""

import pytest

from fixtures.deployment.rules.passwords import passwords_arrive
from fixtures.plugins.judging import Judge


@pytest.mark.requirement("STA-044")
def test_passwords_reach_redis_as_they_are(ours: None, judge: Judge) -> None:
    """Precondition: every overlay is rendered. The script is run with passwords full of what shells, sed and Redis
    treat as special; what it writes means the same bytes.
    """
    judge(passwords_arrive)
