"""Rules about Services: whom they take, and to which port they lead. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from fixtures.deployment.hosts import host_of
from fixtures.deployment.rules.addresses import calls, services_of
from fixtures.rendering.findings import Objects
from fixtures.rendering.objects import Manifest, Ref, containers, find, of_kind, pod_template_of
from fixtures.rendering.services import selected
from tests.mutations.by_rule.breaks import Break, Predicate, Rule, edited, put, removed


def selector_widened(objects: Objects) -> Iterator[Break]:
    """A selector loses one of its labels."""
    for service in of_kind(objects, "Service"):
        for label in service["spec"].get("selector") or ():
            yield edited(service, label, removed("spec", "selector", label))


def selector_misspelt(objects: Objects) -> Iterator[Break]:
    """A selector asks for another value of one of its labels."""
    for service in of_kind(objects, "Service"):
        for label in service["spec"].get("selector") or ():
            yield edited(service, label, put("mutant", "spec", "selector", label))


def target_unknown(objects: Objects) -> Iterator[Break]:
    """A port leads to a name that no container port has."""
    yield from _targets(objects, lambda _: ["mutant"])


def target_by_number(objects: Objects) -> Iterator[Break]:
    """A port leads to a number, which nobody changes when the container's port changes."""
    yield from _targets(objects, lambda _: [9])


def target_of_another(objects: Objects) -> Iterator[Break]:
    """A port leads to another port that its pods do have."""
    yield from _targets(objects, lambda names: names)


def _targets(objects: Objects, wrong: Callable[[list[str]], Sequence[str | int]]) -> Iterator[Break]:
    for service in of_kind(objects, "Service"):
        for index, port in enumerate(service["spec"].get("ports") or ()):
            names = [name for name in _port_names(service, objects) if name != port.get("targetPort")]
            for target in wrong(names):
                place = f"{port.get('name')} to {target}"
                yield edited(service, place, put(target, "spec", "ports", index, "targetPort"))


def _port_names(service: Manifest, objects: Objects) -> list[str]:
    return [
        port["name"]
        for workload in selected(service, objects)
        for _, container in containers(pod_template_of(workload)["spec"])
        for port in container.get("ports") or ()
        if "name" in port
    ]


RULES: Mapping[str, Rule] = {
    "selector-widened": selector_widened,
    "selector-misspelt": selector_misspelt,
    "target-port-unknown": target_unknown,
    "target-port-by-number": target_by_number,
    "target-port-of-another": target_of_another,
}


def _takes_the_same(broken: Break, before: Objects, after: Objects) -> bool:
    """The pods that the Service takes are the same as before."""

    def taken(objects: Objects) -> list[Ref]:
        service = find(objects, broken.object)
        return [] if service is None else [Ref.of(workload) for workload in selected(service, objects)]

    return taken(before) == taken(after)


def _nobody_needs_it(broken: Break, before: Objects, after: Objects) -> bool:
    """No configuration calls the Service, or only one that does without it: it is for others, or gives pods names."""
    services = services_of(before)
    needed = (host_of(call.host, call.namespace, services) for call in calls(before) if not call.dispensable)
    return broken.object.name not in {host.service for host in needed if host is not None}


def _gives_names(broken: Break, before: Objects, after: Objects) -> bool:
    """A StatefulSet is governed by it: its pods have their names below it."""
    governing = {each["spec"].get("serviceName") for each in of_kind(before, "StatefulSet")}
    return broken.object.name in governing


PREDICATES: Mapping[str, Predicate] = {
    "gives-names": _gives_names,
    "takes-the-same": _takes_the_same,
    "nobody-needs-it": _nobody_needs_it,
}
