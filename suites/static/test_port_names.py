"""That one name of a port means one thing, from the caller to the container."""

from collections.abc import Iterator

import pytest

from fixtures.plugins.judging import Judge
from fixtures.rendering.findings import Finding, Objects
from fixtures.rendering.objects import Ref, of_kind


@pytest.mark.requirement("STA-004")
def test_ports_of_services_are_called_like_those_of_their_pods(ours: None, judge: Judge) -> None:
    """Precondition: our overlays are rendered. A port of a Service leads to the container port of the same name."""

    def mixed_up(objects: Objects) -> Iterator[Finding]:
        for service in of_kind(objects, "Service"):
            for index, port in enumerate(service["spec"].get("ports") or ()):
                name, target = port.get("name"), port.get("targetPort")
                if isinstance(target, str) and target != name:
                    field = f"spec.ports[{index}].targetPort"
                    fault = f"port {name!r} leads to {target!r}"
                    remedy = f"write {name!r}, or call the port {target!r}"
                    yield Finding(Ref.of(service), field, fault, remedy)

    judge(mixed_up)
