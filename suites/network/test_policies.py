"""That each NetworkPolicy does something, for one workload, in both directions."""

import pytest

from fixtures.rendering.objects import Manifest
from fixtures.rendering.policies import Party
from fixtures.rendering.rules.policy_rules import unknown_ports, without_a_policy_of_its_own, without_effect

Networks = dict[str, tuple[Manifest, ...]]


@pytest.mark.requirement("NET-006")
def test_every_policy_is_about_somebody(networks: Networks, everybody: tuple[Party, ...]) -> None:
    """Precondition: all overlays are rendered. Each policy selects a pod of one of them, its peers too."""
    faults = {fault for objects in networks.values() for fault in without_effect(objects, everybody)}
    assert not faults, "\n".join(sorted(faults))


@pytest.mark.requirement("NET-007")
def test_every_workload_has_one_policy_for_both_directions(networks: Networks) -> None:
    """Precondition: all overlays are rendered. Policies for all pods (names, default-deny) come on top."""
    faults = {fault for objects in networks.values() for fault in without_a_policy_of_its_own(objects)}
    assert not faults, "\n".join(sorted(faults))


@pytest.mark.requirement("NET-008")
def test_policies_name_ports_that_pods_have(networks: Networks, everybody: tuple[Party, ...]) -> None:
    """Precondition: all overlays are rendered. A port by name is one of the pods that are reached."""
    faults = {fault for objects in networks.values() for fault in unknown_ports(objects, everybody)}
    assert not faults, "\n".join(sorted(faults))
