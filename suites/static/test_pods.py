"""What every container says about itself, and what it must not be able to do."""

from collections.abc import Iterator

import pytest

from fixtures.deployment.containers import PlacedContainer
from fixtures.plugins.judging import EachContainer, Judge
from fixtures.rendering.catalogue import lookup
from fixtures.rendering.contents import quantity
from fixtures.rendering.findings import Finding
from fixtures.rendering.objects import RenderingError

FIRST_FREE_PORT = 1024
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


@pytest.mark.requirement("STA-001")
def test_containers_run_as_a_named_user_that_is_not_root(
    judge: Judge, of_each_container: EachContainer
) -> None:
    """Precondition: the overlays are rendered. Every container, or its pod, says runAsNonRoot and a uid above 0."""

    def roots(each: PlacedContainer) -> Iterator[Finding]:
        not_root, user = each.security("runAsNonRoot"), each.security("runAsUser")
        if not_root is not True or not user:
            fault = f"runAsNonRoot is {not_root!r} and runAsUser is {user!r}"
            yield each.finding("securityContext", fault, "write true, and the uid that the image is made for")

    judge(of_each_container(roots))


@pytest.mark.requirement("STA-002")
def test_containers_can_gain_no_privilege(judge: Judge, of_each_container: EachContainer) -> None:
    """Precondition: the overlays are rendered. No container keeps a capability, may escalate, or sees the node."""

    def privileges(each: PlacedContainer) -> Iterator[Finding]:
        capabilities = each.security("capabilities") or {}
        profile = each.security("seccompProfile") or {}
        of_container = {
            "capabilities.drop": (capabilities.get("drop"), ["ALL"]),
            "capabilities.add": (capabilities.get("add") or None, None),
            "allowPrivilegeEscalation": (each.security("allowPrivilegeEscalation"), False),
            "privileged": (each.security("privileged") or None, None),
            "seccompProfile.type": (profile.get("type"), "RuntimeDefault"),
        }
        for field, (seen, wanted) in of_container.items():
            if seen != wanted:
                remedy = "remove it" if wanted is None else f"write {wanted}"
                yield each.finding(f"securityContext.{field}", f"is {seen!r}", remedy)
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            if each.pod_spec.get(field):
                yield each.pod_finding(field, f"is {each.pod_spec[field]!r}", "remove it")
        for index, volume in enumerate(each.pod_spec.get("volumes") or ()):
            if "hostPath" in volume:
                fault = "mounts the file system of the node"
                yield each.pod_finding(f"volumes[{index}].hostPath", fault, "remove it")

    judge(of_each_container(privileges))


@pytest.mark.requirement("STA-003")
def test_containers_cannot_write_to_their_root(judge: Judge, of_each_container: EachContainer) -> None:
    """Precondition: the overlays are rendered. Every container has a read-only root; it writes to volumes."""

    def writable(each: PlacedContainer) -> Iterator[Finding]:
        seen = each.security("readOnlyRootFilesystem")
        if seen is not True:
            remedy = "write true, and mount a volume where it writes"
            yield each.finding("securityContext.readOnlyRootFilesystem", f"is {seen!r}", remedy)

    judge(of_each_container(writable))


@pytest.mark.requirement("STA-006")
def test_containers_name_a_bare_program_of_a_catalogued_image(
    ours: None, judge: Judge, of_each_container: EachContainer
) -> None:
    """Precondition: our overlays are rendered. Each command is a bare name, each image is listed with that tag."""

    def strange(each: PlacedContainer) -> Iterator[Finding]:
        command = each.spec.get("command") or [""]
        if not command[0] or "/" in command[0]:
            fault = f"is {command[0]!r}"
            yield each.finding("command", fault, "write the bare name of a program on the image's PATH")
        try:
            lookup(each.spec.get("image", ""))
        except RenderingError as error:
            fault, _, remedy = str(error).partition("; ")
            yield each.finding("image", fault, remedy)

    judge(of_each_container(strange))


@pytest.mark.requirement("STA-006")
def test_images_are_pinned(judge: Judge, of_each_container: EachContainer) -> None:
    """Precondition: the overlays are rendered. Each image has a tag other than latest, or a digest."""

    def floating(each: PlacedContainer) -> Iterator[Finding]:
        image: str = each.spec.get("image") or ""
        name, _, digest = image.partition("@")
        _, _, tag = name.rpartition("/")[2].partition(":")
        if not digest and tag in {"", "latest"}:
            fault = f"is {image!r}: what runs changes by itself"
            yield each.finding("image", fault, "write the tag of a version, or a digest")

    judge(of_each_container(floating))


@pytest.mark.requirement("STA-007")
def test_containers_state_what_they_need(judge: Judge, of_each_container: EachContainer) -> None:
    """Precondition: the overlays are rendered. Each requests CPU and memory; its memory limit is no less than that."""

    def unstated(each: PlacedContainer) -> Iterator[Finding]:
        resources = each.spec.get("resources") or {}
        requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
        missing = [f"requests.{name}" for name in ("cpu", "memory") if name not in requests]
        missing += ["limits.memory"] if "memory" not in limits else []
        for name in missing:
            yield each.finding(f"resources.{name}", "is missing", "state it")
        if "memory" not in limits or "memory" not in requests:
            return
        try:
            too_little = quantity(limits["memory"]) < quantity(requests["memory"])
        except ValueError as error:
            yield each.finding("resources", str(error), "write a quantity such as 64Mi")
            return
        if too_little:
            fault = f"{limits['memory']} is less than the {requests['memory']} that it requests"
            yield each.finding("resources.limits.memory", fault, "raise it")

    judge(of_each_container(unstated))


@pytest.mark.requirement("STA-008")
def test_what_serves_is_probed_at_a_port_of_its_own(judge: Judge, of_each_container: EachContainer) -> None:
    """Precondition: the overlays are rendered. A readiness probe for each; probes name a port of the container.

    What has a port serves. What has none is called by nobody, so it cannot be unready; it is watched all the same.
    """

    def unwatched(each: PlacedContainer) -> Iterator[Finding]:
        needed = "readinessProbe" if each.spec.get("ports") else "livenessProbe"
        if each.long_running and needed not in each.spec:
            yield each.finding(needed, "is missing", "ask a named port, or run a command")
        ports = {port.get("name") for port in each.spec.get("ports") or ()}
        for field, port in probed_ports(each):
            if isinstance(port, str) and port not in ports:
                names = ", ".join(sorted(str(name) for name in ports if name)) or "none"
                fault = f"{port!r} is no port name of it; there are: {names}"
                yield each.finding(field, fault, "name one of them")

    judge(of_each_container(unwatched))


@pytest.mark.requirement("STA-008")
def test_probes_ask_ports_by_name(ours: None, judge: Judge, of_each_container: EachContainer) -> None:
    """Precondition: our overlays are rendered. A probe says its port by name, so that a number is in one place."""

    def numbered(each: PlacedContainer) -> Iterator[Finding]:
        for field, port in probed_ports(each):
            if not isinstance(port, str):
                yield each.finding(field, f"is {port!r}", "write the name of the port")

    judge(of_each_container(numbered))


def probed_ports(each: PlacedContainer) -> Iterator[tuple[str, object]]:
    """Field and port of every probe that asks one."""
    for kind in PROBES:
        probe = each.spec.get(kind) or {}
        for action in ("httpGet", "tcpSocket", "grpc"):
            if action in probe:
                yield f"{kind}.{action}.port", (probe[action] or {}).get("port")


@pytest.mark.requirement("STA-042")
def test_containers_listen_where_they_may(judge: Judge, of_each_container: EachContainer) -> None:
    """Precondition: the overlays are rendered. No container has a port below 1024: it may not listen there."""

    def reserved(each: PlacedContainer) -> Iterator[Finding]:
        for index, port in enumerate(each.spec.get("ports") or ()):
            if isinstance(number := port.get("containerPort"), int) and number < FIRST_FREE_PORT:
                fault = f"is {number}, where only a privileged process may listen"
                yield each.finding(
                    f"ports[{index}].containerPort", fault, "listen at 1024 or above; the Service translates"
                )

    judge(of_each_container(reserved))
