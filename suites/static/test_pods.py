"""What every container says about itself, and what it must not be able to do."""

import pytest

from fixtures.deployment.containers import PlacedContainer
from fixtures.rendering.catalogue import lookup
from fixtures.rendering.contents import quantity
from fixtures.rendering.objects import RenderingError

Containers = tuple[PlacedContainer, ...]

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


@pytest.mark.requirement("STA-001")
def test_containers_run_as_a_named_user_that_is_not_root(every_container: Containers) -> None:
    """Precondition: the overlay is rendered. Every container, or its pod, says runAsNonRoot and a uid above 0."""
    faults = [
        f"{each} securityContext: runAsNonRoot is {each.security('runAsNonRoot')!r} and runAsUser is "
        f"{each.security('runAsUser')!r}; write true, and the uid that the image is made for"
        for each in every_container
        if each.security("runAsNonRoot") is not True or not each.security("runAsUser")
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.requirement("STA-002")
def test_containers_can_gain_no_privilege(every_container: Containers) -> None:
    """Precondition: the overlay is rendered. No container keeps a capability, may escalate, or sees the node."""
    faults = []
    for each in every_container:
        capabilities = each.security("capabilities") or {}
        profile = each.security("seccompProfile") or {}
        wrong = {
            "capabilities.drop: write [ALL]": capabilities.get("drop") != ["ALL"],
            "capabilities.add: remove it": bool(capabilities.get("add")),
            "allowPrivilegeEscalation: write false": each.security("allowPrivilegeEscalation") is not False,
            "privileged: remove it": bool(each.security("privileged")),
            "seccompProfile.type: write RuntimeDefault": profile.get("type") != "RuntimeDefault",
        } | {
            f"{field}: remove it": bool(each.pod_spec.get(field))
            for field in ("hostNetwork", "hostPID", "hostIPC")
        }
        wrong["volumes: remove hostPath"] = any(
            "hostPath" in volume for volume in each.pod_spec.get("volumes") or ()
        )
        faults += [f"{each} {what}" for what, is_wrong in wrong.items() if is_wrong]
    assert not faults, "\n".join(faults)


@pytest.mark.requirement("STA-003")
def test_containers_cannot_write_to_their_root(every_container: Containers) -> None:
    """Precondition: the overlay is rendered. Every container has a read-only root; what it writes goes to volumes."""
    faults = [
        f"{each} securityContext.readOnlyRootFilesystem: write true, and mount a volume where it writes"
        for each in every_container
        if each.security("readOnlyRootFilesystem") is not True
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.requirement("STA-006")
def test_containers_name_a_bare_program_of_a_catalogued_image(every_container: Containers) -> None:
    """Precondition: the overlay is rendered. Each command is a bare name, each image is listed with that very tag."""
    faults = []
    for each in every_container:
        command = each.spec.get("command") or [""]
        if not command[0] or "/" in command[0]:
            faults.append(
                f"{each} command: is {command[0]!r}; write the bare name of a program on the image's PATH"
            )
        try:
            lookup(each.spec.get("image", ""))
        except RenderingError as error:
            faults.append(f"{each} image: {error}")
    assert not faults, "\n".join(faults)


@pytest.mark.requirement("STA-007")
def test_containers_state_what_they_need(every_container: Containers) -> None:
    """Precondition: the overlay is rendered. Each requests CPU and memory; its memory limit is no less than that."""
    faults = []
    for each in every_container:
        resources = each.spec.get("resources") or {}
        requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
        missing = [f"requests.{name}" for name in ("cpu", "memory") if name not in requests]
        missing += ["limits.memory"] if "memory" not in limits else []
        faults += [f"{each} resources.{name}: is missing; state it" for name in missing]
        if not missing and quantity(limits["memory"]) < quantity(requests["memory"]):
            faults.append(
                f"{each} resources.limits.memory: {limits['memory']} is less than the {requests['memory']} "
                "that it requests; raise it"
            )
    assert not faults, "\n".join(faults)


@pytest.mark.requirement("STA-008")
def test_what_serves_is_probed_at_a_port_of_its_own(every_container: Containers) -> None:
    """Precondition: the overlay is rendered. A readiness probe for each; probes name a port of the container.

    What has a port serves. What has none is called by nobody, so it cannot be unready; it is watched all the same.
    """
    faults = []
    for each in every_container:
        needed = "readinessProbe" if each.spec.get("ports") else "livenessProbe"
        if each.long_running and needed not in each.spec:
            faults.append(f"{each} {needed}: is missing; ask a named port, or run a command")
        ports = {port.get("name") for port in each.spec.get("ports") or ()}
        for kind in PROBES:
            probe = each.spec.get(kind) or {}
            for action in ("httpGet", "tcpSocket", "grpc"):
                port = (probe.get(action) or {}).get("port")
                if action in probe and port not in ports:
                    names = ", ".join(sorted(str(name) for name in ports)) or "none"
                    faults.append(
                        f"{each} {kind}.{action}.port: {port!r} is no port name of it; there are: {names}"
                    )
    assert not faults, "\n".join(faults)
