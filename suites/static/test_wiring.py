"""That everything which is named is there, and that nothing secret is."""

import pytest

from fixtures.deployment.addresses import dead_ends
from fixtures.deployment.disclosure import disclosures
from fixtures.rendering.objects import Manifest, Ref, RenderingError, of_kind
from fixtures.rendering.references import unresolved
from fixtures.rendering.secrets import Declarations
from fixtures.rendering.services import selected, target_port

Objects = tuple[Manifest, ...]


@pytest.mark.requirement("STA-004")
def test_services_select_exactly_one_workload(objects: Objects) -> None:
    """Precondition: the overlay is rendered. The selector of each Service takes the pods of one workload, no more."""
    faults = []
    for service in of_kind(objects, "Service"):
        workloads = [str(Ref.of(workload)) for workload in selected(service, objects)]
        if len(workloads) != 1:
            taken = ", ".join(workloads) or "nothing"
            faults.append(
                f"{Ref.of(service)} spec.selector: selects {taken}; select one workload by all its labels"
            )
    assert not faults, "\n".join(faults)


@pytest.mark.requirement("STA-004")
def test_services_lead_to_named_ports_of_their_pods(objects: Objects) -> None:
    """Precondition: the overlay is rendered. Every target port of a Service is the name of a port of its pods."""
    faults = []
    for service in of_kind(objects, "Service"):
        for port in service["spec"].get("ports") or ():
            where = f"{Ref.of(service)} port {port.get('name')!r}"
            if not isinstance(port.get("targetPort"), str):
                faults.append(
                    f"{where}: targetPort is {port.get('targetPort')!r}; write the name of a container port"
                )
                continue
            for workload in selected(service, objects):
                try:
                    target_port(service, port.get("name", ""), workload)
                except RenderingError as error:
                    faults.append(str(error))
    assert not faults, "\n".join(faults)


@pytest.mark.requirement("STA-005")
def test_every_reference_resolves(objects: Objects, declarations: Declarations) -> None:
    """Precondition: the overlay is rendered. What pods name is rendered, or declared, with the keys they ask for."""
    faults = unresolved(objects, declarations.keys())
    assert not faults, "\n".join(faults)


@pytest.mark.requirement("STA-009")
def test_no_secret_is_rendered(objects: Objects) -> None:
    """Precondition: the overlay is rendered. Neither Secrets nor secret settings nor key material are in it."""
    faults = list(disclosures(objects))
    assert not faults, "\n".join(faults)


@pytest.mark.requirement("STA-010")
def test_every_address_that_is_called_is_a_service(objects: Objects) -> None:
    """Precondition: the overlay is rendered. Hosts and ports in configuration and arguments are those of Services."""
    faults = list(dead_ends(objects))
    assert not faults, "\n".join(faults)
