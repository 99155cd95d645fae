"""A real API server takes what is shipped; it is asked, and nothing is made."""

from collections.abc import Iterator, Mapping

import pytest

from fixtures.plugins.evidence import Evidence
from fixtures.plugins.judging import Judge
from fixtures.rendering.findings import Finding, Objects
from fixtures.rendering.objects import Manifest, Ref, workloads
from fixtures.targets.kubernetes.admission import identity, pod_of, refusals, weakened
from fixtures.targets.kubernetes.client import Client


@pytest.mark.requirement("STA-045")
async def test_an_api_server_takes_every_object(
    api_server: Client,
    overlays: Mapping[str, Objects],
    components: Mapping[str, Objects],
    judge_all: Judge,
    evidence: Evidence,
) -> None:
    """Precondition: CRDs are known. A dry run of each object, fields strict, and of a pod of each workload."""
    evidence("Kubernetes", await api_server.version())
    refused = await refusals(api_server, (*overlays.values(), *components.values()))

    def is_taken(objects: Objects) -> Iterator[Finding]:
        for manifest in objects:
            if (why := refused.get(identity(manifest))) is not None:
                yield Finding(Ref.of(manifest), "object", why, "correct it: no cluster takes it")

    judge_all(is_taken)


@pytest.mark.requirement("STA-046")
async def test_the_namespace_refuses_what_is_not_restricted(
    api_server: Client, objects: tuple[Manifest, ...], evidence: Evidence
) -> None:
    """Precondition: its namespace is there. A shipped pod is taken; with less security each time it is refused."""
    await refusals(api_server, [objects])
    pod = pod_of(next(iter(workloads(objects))))
    assert await api_server.refusal(pod) is None, "a shipped pod is refused, so refusals prove nothing"
    said = {what: await api_server.refusal(weaker) for what, weaker in weakened(pod)}
    evidence("what the API server says to pods that are not restricted", said)
    let_in = [what for what, why in said.items() if why is None or "PodSecurity" not in why]
    assert not let_in, (
        f"Namespace/{Ref.of(pod).namespace} lets pods in that are {', '.join(let_in)}: "
        "its label pod-security.kubernetes.io/enforce must be restricted"
    )
