"""Who the policies of the repository are about."""

import pytest

from fixtures.rendering.objects import Manifest
from fixtures.rendering.policies import Party, policies_of
from fixtures.rendering.reachability import bystanders, load_reachability, parties_of


@pytest.fixture(scope="session")
def networks(overlays: dict[str, tuple[Manifest, ...]]) -> dict[str, tuple[Manifest, ...]]:
    """Overlays with the same policies, workloads and ports are one network: sizes mostly differ in numbers."""
    alike: list[tuple[object, list[str]]] = []
    for name, objects in overlays.items():
        network = policies_of(objects), parties_of(objects)
        names = next((names for known, names in alike if known == network), None)
        if names is None:
            alike.append((network, [name]))
        else:
            names.append(name)
    return {", ".join(names): overlays[names[0]] for _, names in alike}


@pytest.fixture(scope="session")
def everybody(networks: dict[str, tuple[Manifest, ...]]) -> tuple[Party, ...]:
    """Every pod of any overlay, and those of others that the table knows."""
    found = {party.name: party for objects in networks.values() for party in parties_of(objects)}
    namespace = next(iter(found.values())).namespace or "default"
    return (*found.values(), *bystanders(namespace, load_reachability().private))
