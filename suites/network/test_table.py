"""That the NetworkPolicies say what the table of reachability says."""

import pytest

from fixtures.rendering.objects import Manifest
from fixtures.rendering.reachability import disagreements, load_reachability, parties_of, without_rows


@pytest.mark.requirement("NET-001")
def test_policies_and_table_say_the_same(objects: tuple[Manifest, ...]) -> None:
    """Precondition: the overlay is rendered. For each pair of workloads, and the outside, both give one verdict."""
    table = load_reachability()
    bare = without_rows(table.rows, [party.name for party in parties_of(objects)])
    assert not bare, (
        f"reachability.yaml has no row about {', '.join(bare)}; say whom they reach, and who reaches them"
    )
    faults = list(disagreements(objects, table))
    assert not faults, "\n".join(faults)
