"""PostgreSQL, Redis and the object store: what their configuration promises about what they keep."""

import pytest

from fixtures.plugins.judging import Judge
from fixtures.rendering.findings import Rule
from fixtures.rendering.rules.postgresql_clusters import (
    acknowledged_is_kept,
    archives_stand_alone,
    backed_up_each_night,
    made_for_synapse,
    parameters_are_ours,
    slots_are_bounded,
)
from fixtures.rendering.rules.redis_and_objects import (
    nothing_told_to_the_vendor,
    objects_survive_a_node,
    one_process_is_not_waited_for,
    peers_find_each_other,
    proxy_lets_one_master_in,
    quorum_is_a_majority,
)


@pytest.mark.requirement("STA-039")
@pytest.mark.parametrize(
    "rule",
    [
        acknowledged_is_kept,
        made_for_synapse,
        parameters_are_ours,
        slots_are_bounded,
        backed_up_each_night,
        archives_stand_alone,
    ],
    ids=lambda rule: rule.__name__,
)
def test_postgresql_keeps_what_it_acknowledged(judge: Judge, rule: Rule) -> None:
    """Precondition: every overlay is rendered. No cluster of CloudNativePG breaks the rule."""
    judge(rule)


@pytest.mark.requirement("STA-040")
@pytest.mark.parametrize(
    "rule",
    [
        quorum_is_a_majority,
        peers_find_each_other,
        proxy_lets_one_master_in,
        objects_survive_a_node,
        one_process_is_not_waited_for,
        nothing_told_to_the_vendor,
    ],
    ids=lambda rule: rule.__name__,
)
def test_redis_and_objects_survive_a_node(judge: Judge, rule: Rule) -> None:
    """Precondition: every overlay is rendered. Nothing of Redis, its proxy or the object store breaks the rule."""
    judge(rule)
