"""That the NetworkPolicies say what the table of reachability says, by two judges that share no code."""

from collections import Counter

import pytest

from fixtures.plugins.evidence import Evidence
from fixtures.rendering.analyzer import analyzed
from fixtures.rendering.objects import Manifest
from fixtures.rendering.reachability import (
    bystanders,
    disagreements,
    load_reachability,
    parties_of,
    without_rows,
    without_workloads,
)
from fixtures.rendering.second_opinion import Comparison, Judgement

TABLE = load_reachability()

Networks = dict[str, tuple[Manifest, ...]]


@pytest.mark.requirement("NET-001")
def test_policies_and_table_say_the_same(networks: Networks) -> None:
    """Precondition: all overlays are rendered. For each pair of workloads, and the outside, both give one verdict."""
    faults = {fault for objects in networks.values() for fault in disagreements(objects, TABLE)}
    assert not faults, "\n".join(sorted(faults))


@pytest.mark.requirement("NET-005")
def test_an_independent_analyzer_and_the_table_say_the_same(networks: Networks, evidence: Evidence) -> None:
    """The same question to network-config-analyzer. All that it finds open is in the table, and the reverse.

    Ports that no container declares have no name; what is open at them is listed in the table, and counted here.
    """
    faults: set[str] = set()
    for name, objects in networks.items():
        namespace = parties_of(objects)[0].namespace or "default"
        remarks = list(
            Comparison.of(analyzed(objects, bystanders(namespace, TABLE.private)), objects, TABLE).remarks()
        )
        unjudged = sorted(each.text for each in remarks if each.judgement is Judgement.UNJUDGED)
        counts = Counter(str(each.judgement) for each in remarks)
        evidence(name, {"counts": dict(counts), "unjudged": unjudged})
        assert counts[Judgement.AGREED] > len(unjudged), f"{name}: hardly anything was judged: {dict(counts)}"
        faults |= {each.text for each in remarks if each.judgement is Judgement.DIFFERS}
    assert not faults, "\n".join(sorted(faults))


@pytest.mark.requirement("NET-009")
def test_every_workload_has_rows_and_every_row_a_workload(networks: Networks) -> None:
    """Precondition: all overlays are rendered. No workload of any of them is left to the last row alone."""
    names = {party.name for objects in networks.values() for party in parties_of(objects)}
    bare = [
        f"reachability.yaml: no row is about {name}; say whom it reaches, and who reaches it"
        for name in without_rows(TABLE.rows, names)
    ]
    left_over = [
        f"reachability.yaml: {name} is no workload of any overlay; correct the name, or remove it"
        for name in without_workloads(TABLE.rows, names)
    ]
    assert not bare + left_over, "\n".join(bare + left_over)
