"""That everything which is named is there, and that nothing secret is."""

from collections.abc import Iterator

import pytest

from fixtures.deployment.operators import selects_operated_pods
from fixtures.deployment.rules.addresses import dead_ends
from fixtures.deployment.rules.disclosure import disclosures, rendered_secrets
from fixtures.plugins.evidence import Evidence
from fixtures.plugins.judging import Judge
from fixtures.rendering.findings import Finding, Objects
from fixtures.rendering.objects import Ref, RenderingError, of_kind
from fixtures.rendering.reading import Reading
from fixtures.rendering.references import references, unresolved
from fixtures.rendering.secrets import Declarations
from fixtures.rendering.services import selected, target_port_of


@pytest.mark.requirement("STA-004")
def test_services_select_exactly_one_workload(judge: Judge) -> None:
    """Precondition: the overlays are rendered. The selector of each Service takes the pods of one workload, no more.

    Pods that an operator makes are seen by nobody here; a Service without a selector is somebody's who fills it in.
    """

    def ambiguous(objects: Objects) -> Iterator[Finding]:
        for service in of_kind(objects, "Service"):
            workloads = [str(Ref.of(workload)) for workload in selected(service, objects)]
            absent = not service["spec"].get("selector") or selects_operated_pods(service)
            if len(workloads) > 1 or not (workloads or absent):
                taken = ", ".join(workloads) or "nothing"
                remedy = "select one workload by all its labels"
                yield Finding(Ref.of(service), "spec.selector", f"selects {taken}", remedy)

    judge(ambiguous)


@pytest.mark.requirement("STA-004")
def test_services_lead_to_ports_of_their_pods(judge: Judge) -> None:
    """Precondition: the overlays are rendered. Every target port of a Service is a port that its pods say they have."""

    def astray(objects: Objects) -> Iterator[Finding]:
        for service in of_kind(objects, "Service"):
            for index, port in enumerate(service["spec"].get("ports") or ()):
                for workload in selected(service, objects):
                    try:
                        target_port_of(port, service, workload)
                    except RenderingError as error:
                        fault, _, remedy = str(error).partition(": ")[2].partition("; ")
                        field = f"spec.ports[{index}].targetPort"
                        yield Finding(Ref.of(service), field, fault, remedy)

    judge(astray)


@pytest.mark.requirement("STA-004")
def test_services_name_the_ports_of_their_pods(ours: None, judge: Judge) -> None:
    """Precondition: our overlays are rendered. Target ports go by name, so that a number is in one place."""

    def numbered(objects: Objects) -> Iterator[Finding]:
        for service in of_kind(objects, "Service"):
            for index, port in enumerate(service["spec"].get("ports") or ()):
                if not isinstance(port.get("targetPort"), str):
                    fault = f"of port {port.get('name')!r} is {port.get('targetPort')!r}"
                    field = f"spec.ports[{index}].targetPort"
                    yield Finding(Ref.of(service), field, fault, "write the name of a container port")

    judge(numbered)


@pytest.mark.requirement("STA-005")
def test_every_reference_resolves(
    judge: Judge, reading: Reading | None, request: pytest.FixtureRequest, evidence: Evidence
) -> None:
    """Precondition: the overlays are rendered. What pods name is rendered, or declared, with the keys they ask for.

    Whether a Secret that is not among somebody's manifests will be there nobody can say; the evidence names them.
    """
    if reading is None:
        declarations: Declarations = request.getfixturevalue("declarations")
        judge(lambda objects: unresolved(objects, declarations.keys()))
        return
    rendered = {Ref.of(each) for each in of_kind(reading.objects, "Secret")}
    wanted = {each.target for each in references(reading.objects) if each.target.kind == "Secret"}
    evidence("secrets taken for granted", sorted(each.name for each in wanted - rendered))
    judge(lambda objects: unresolved(objects, None))


@pytest.mark.requirement("STA-009")
def test_no_secret_object_is_rendered(ours: None, judge: Judge) -> None:
    """Precondition: our overlays are rendered. Secrets are not among the objects: they are declared and minted."""
    judge(rendered_secrets)


@pytest.mark.requirement("STA-009")
def test_no_secret_is_in_configuration(judge: Judge) -> None:
    """Precondition: the overlays are rendered. No file, variable or argument holds a secret or key material."""
    judge(disclosures)


@pytest.mark.requirement("STA-010")
def test_every_address_that_is_called_is_a_service(judge: Judge) -> None:
    """Precondition: the overlays are rendered. Hosts and ports in configuration and arguments are those of Services."""
    judge(dead_ends)
