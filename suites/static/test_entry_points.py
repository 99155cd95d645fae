"""The scripts that start containers."""

import pytest

from fixtures.deployment.rules.entry_points import scripts_parse_and_stop, secrets_are_asked_for
from fixtures.deployment.rules.program_rules import Programs
from fixtures.plugins.judging import Judge


@pytest.mark.requirement("STA-034")
def test_scripts_parse_and_stop_at_an_error(ours: None, judge: Judge) -> None:
    """Precondition: every overlay is rendered. `sh -n` takes each shell script, and each says `set -eu`."""
    judge(scripts_parse_and_stop)


@pytest.mark.requirement("STA-034")
def test_scripts_name_the_secret_that_is_missing(judge: Judge, programs: Programs) -> None:
    """Precondition: every overlay is rendered. What starts Synapse, PostgreSQL, the filer and the proxy of Redis is run
    as its container would be, with empty Secrets: it ends, and names the path of one.
    """
    judge(secrets_are_asked_for(programs.verdicts))
