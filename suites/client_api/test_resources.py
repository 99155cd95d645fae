"""Nothing that Synapse offers goes unseen: each of its resources is asked for by some test, or listed with a reason."""

import pytest

from fixtures.deployment.resource_table import TABLE, proofs
from fixtures.deployment.resources import Resource
from fixtures.deployment.unexercised import load_groups, unproved
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence
from fixtures.plugins.resources import Exercised


@pytest.mark.requirement("CLI-090")
def test_what_is_registered_is_in_the_table(
    synapse_resources: tuple[Resource, ...], evidence: Evidence
) -> None:
    """What every kind of process registers under the rendered configuration, without a deployment. docs/resources.md
    has a row for each, and no other."""
    registered = {str(each): each.servlets for each in synapse_resources}
    told = proofs(TABLE.read_text(encoding="utf-8"))
    evidence("registered", len(registered))
    unknown = sorted(f"{name} ({', '.join(registered[name])})" for name in registered.keys() - told.keys())
    assert not unknown, (
        "Synapse registers these, and nobody has decided whether a test asks for them; write tests or reasons "
        "(suites/resources.yaml), then run everything and python -m fixtures.cli.resources:\n"
        + "\n".join(unknown)
    )
    gone = sorted(told.keys() - registered.keys())
    assert not gone, (
        "docs/resources.md has these, and Synapse does not register them; is something switched off, or gone? Run "
        "everything and python -m fixtures.cli.resources:\n" + "\n".join(gone)
    )


@pytest.mark.requirement("CLI-090")
async def test_everything_is_asked_for_or_listed(
    whole_run: None,
    synapse_resources: tuple[Resource, ...],
    exercised_so_far: Exercised,
    evidence: Evidence,
) -> None:
    """After every other test of the suites: the request lines that all processes of Synapse have logged. Each resource
    was answered without a refusal at least once, or is in suites/resources.yaml; none is both."""
    groups, registered = load_groups(), {str(each) for each in synapse_resources}

    async def agree() -> set[str]:
        exercised = {str(resource) for resource, seen in exercised_so_far().items() if seen.done}
        if faults := list(unproved(groups, registered, exercised)):
            raise NotYet(f"{len(faults)} resources:\n" + "\n".join(faults))
        return exercised

    label = "every resource is asked for or listed"
    exercised = await eventually(agree, within=Budget.LOG_LINE, label=label)
    evidence("asked for", len(exercised))
    evidence("listed", len(registered) - len(exercised))
