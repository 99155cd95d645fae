"""Who does what among Synapse's processes, and what all of them are told."""

import pytest

from fixtures.deployment.rules.duties import (
    duties_given,
    media_in_one_place,
    replication_reached,
    sent_once,
    single_writers,
)
from fixtures.deployment.rules.stated import (
    no_log_file,
    nobody_outside_is_asked,
    nothing_is_forgotten,
    secrets_are_files,
)
from fixtures.deployment.rules.synapse_rules import SynapseRules
from fixtures.plugins.judging import Judge
from fixtures.rendering.findings import Rule


@pytest.mark.requirement("STA-035")
def test_whoever_has_a_duty_is_there_and_whoever_is_there_has_one(judge: Judge) -> None:
    """Precondition: every overlay is rendered. Writers, senders and others that are named are pods of StatefulSets;
    no persister, sender or stream writer is without a share.
    """
    judge(duties_given)


@pytest.mark.requirement("STA-035")
def test_what_cannot_be_divided_has_one_writer(judge: Judge) -> None:
    """Precondition: every overlay is rendered. typing, to_device, account_data, presence, push_rules: one writer."""
    judge(single_writers)


@pytest.mark.requirement("STA-035")
def test_replication_is_served_where_the_map_leads(judge: Judge) -> None:
    """Precondition: every overlay is rendered. The map has main and each writer; each listens there, to others."""
    judge(replication_reached)


@pytest.mark.requirement("STA-035")
def test_media_is_in_one_place(judge: Judge) -> None:
    """Precondition: every overlay is rendered. Only media workers have a repository, and one of them does its jobs."""
    judge(media_in_one_place)


@pytest.mark.requirement("STA-035")
def test_nothing_is_sent_twice_or_by_nobody(judge: Judge) -> None:
    """Precondition: every overlay is rendered. Switches of single processes do not contradict the lists."""
    judge(sent_once)


@pytest.mark.requirement("STA-041")
@pytest.mark.parametrize(
    "rule",
    [nothing_is_forgotten, secrets_are_files, no_log_file, nobody_outside_is_asked],
    ids=lambda rule: rule.__name__,
)
def test_no_default_of_synapse_decides(ours: None, judge: Judge, rule: Rule) -> None:
    """Precondition: every overlay is rendered. No configuration of Synapse breaks the rule."""
    judge(rule)


@pytest.mark.requirement("STA-041")
def test_every_limit_that_synapse_reads_is_stated(judge: Judge, synapse: SynapseRules) -> None:
    """Precondition: every overlay is rendered, Synapse's parser has read it. What it looked for as a limit is there."""
    judge(synapse.limited)
