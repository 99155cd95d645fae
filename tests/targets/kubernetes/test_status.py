"""When an object is as it was asked to be: tables of objects as API servers give them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from fixtures.rendering.objects import Manifest
from fixtures.targets.kubernetes.status import IMAGE_REMEDY, State, load_balancer_addresses, status

NOW = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)
CURRENT, IN_PROGRESS, FAILED, TERMINATING = State.CURRENT, State.IN_PROGRESS, State.FAILED, State.TERMINATING


def made(
    version: str,
    kind: str,
    spec: dict[str, Any] | None = None,
    told: dict[str, Any] | None = None,
    **metadata: Any,
) -> Manifest:
    """An object of generation 2."""
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "it", "generation": 2, **metadata},
        "spec": spec or {},
        "status": told or {},
    }


def condition(kind: str, value: str, reason: str = "", **more: str) -> dict[str, str]:
    """A condition of a status."""
    return {"type": kind, "status": value, "reason": reason, **more}


def replicas(**counts: int) -> dict[str, Any]:
    """A Deployment's status, looked at; what is not given is 2."""
    names = ("replicas", "updatedReplicas", "availableReplicas", "readyReplicas")
    return {"observedGeneration": 2} | {name: counts.get(name, 2) for name in names}


def waiting(reason: str, **more: Any) -> dict[str, Any]:
    """A pod whose container waits for that reason."""
    container = {"name": "server", "state": {"waiting": {"reason": reason, "message": "why"}}, **more}
    return {"phase": "Pending", "containerStatuses": [container]}


REVISIONS = {"currentRevision": "a", "updateRevision": "a"}
SET = {"observedGeneration": 2, "replicas": 2, "readyReplicas": 2, "updatedReplicas": 2, **REVISIONS}
DAEMONS = {
    "observedGeneration": 2,
    "desiredNumberScheduled": 3,
    "currentNumberScheduled": 3,
    "updatedNumberScheduled": 3,
    "numberAvailable": 3,
    "numberReady": 3,
}
HEALTHY = {
    "readyInstances": 3,
    "phase": "Cluster in healthy state",
    "currentPrimary": "postgresql-1",
    "targetPrimary": "postgresql-1",
}
POSTGRESQL = "postgresql.cnpg.io/v1"
TWO = {"replicas": 2}
CRD = "apiextensions.k8s.io/v1"
LATE, EARLY = "2026-11-26T11:59:50Z", "2026-11-26T11:59:30Z"

CASES: dict[str, tuple[Manifest, State, str]] = {
    "of any kind, being deleted": (
        made("v1", "ConfigMap", deletionTimestamp="2026-11-26T12:00:00Z"),
        TERMINATING,
        "deleted",
    ),
    "of any kind, nothing to say": (made("v1", "ConfigMap"), CURRENT, "as asked"),
    "of any kind, of the generation before": (
        made("apps/v1", "Deployment", TWO, replicas() | {"observedGeneration": 1}),
        IN_PROGRESS,
        "generation 2",
    ),
    "stalled": (
        made("example.org/v1", "Thing", told={"conditions": [condition("Stalled", "True", "NoQuota")]}),
        FAILED,
        "NoQuota",
    ),
    "reconciling": (
        made("example.org/v1", "Thing", told={"conditions": [condition("Reconciling", "True", "Rolling")]}),
        IN_PROGRESS,
        "Rolling",
    ),
    "a custom one that is not ready": (
        made("example.org/v1", "Thing", told={"conditions": [condition("Ready", "False", "NoDisk")]}),
        IN_PROGRESS,
        "NoDisk",
    ),
    "a Deployment": (made("apps/v1", "Deployment", TWO, replicas()), CURRENT, ""),
    "a Deployment without pods": (
        made("apps/v1", "Deployment", {"replicas": 0}, {"observedGeneration": 2}),
        CURRENT,
        "",
    ),
    "a Deployment of one, said by nobody": (
        made("apps/v1", "Deployment", {}, {"observedGeneration": 2}),
        IN_PROGRESS,
        "0 of 1",
    ),
    "a Deployment, partly updated": (
        made("apps/v1", "Deployment", TWO, replicas(updatedReplicas=1)),
        IN_PROGRESS,
        "1 of 2 pods are updated",
    ),
    "a Deployment with a pod of the old template": (
        made("apps/v1", "Deployment", TWO, replicas(replicas=3)),
        IN_PROGRESS,
        "3 pods are there, 2 are wanted",
    ),
    "a Deployment with a pod that is not ready": (
        made("apps/v1", "Deployment", TWO, replicas(readyReplicas=1)),
        IN_PROGRESS,
        "1 of 2 pods are ready",
    ),
    "a Deployment with a pod that is not available": (
        made("apps/v1", "Deployment", TWO, replicas(availableReplicas=0)),
        IN_PROGRESS,
        "0 of 2 pods are available",
    ),
    "a Deployment past its deadline": (
        made(
            "apps/v1",
            "Deployment",
            TWO,
            replicas(availableReplicas=1)
            | {"conditions": [condition("Progressing", "False", "ProgressDeadlineExceeded")]},
        ),
        FAILED,
        "ProgressDeadlineExceeded",
    ),
    "a StatefulSet": (made("apps/v1", "StatefulSet", TWO, SET), CURRENT, ""),
    "a StatefulSet with a pod too few": (
        made("apps/v1", "StatefulSet", TWO, SET | {"replicas": 1}),
        IN_PROGRESS,
        "1 of 2 pods are there",
    ),
    "a StatefulSet with one that is not ready": (
        made("apps/v1", "StatefulSet", TWO, SET | {"readyReplicas": 1}),
        IN_PROGRESS,
        "1 of 2 pods are ready",
    ),
    "a StatefulSet that rolls": (
        made("apps/v1", "StatefulSet", TWO, SET | {"updateRevision": "b", "updatedReplicas": 1}),
        IN_PROGRESS,
        "1 of 2 pods are updated",
    ),
    "a StatefulSet that rolls when somebody deletes": (
        made(
            "apps/v1",
            "StatefulSet",
            {"replicas": 2, "updateStrategy": {"type": "OnDelete"}},
            SET | {"updateRevision": "b", "updatedReplicas": 0},
        ),
        CURRENT,
        "",
    ),
    "a StatefulSet that has rolled down to its partition": (
        made(
            "apps/v1",
            "StatefulSet",
            {"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 1}}},
            SET | {"updateRevision": "b", "updatedReplicas": 1},
        ),
        CURRENT,
        "",
    ),
    "a StatefulSet above its partition": (
        made(
            "apps/v1",
            "StatefulSet",
            {"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 1}}},
            SET | {"updateRevision": "b", "updatedReplicas": 0},
        ),
        IN_PROGRESS,
        "0 of 1 pods are updated",
    ),
    "a DaemonSet": (made("apps/v1", "DaemonSet", told=DAEMONS), CURRENT, ""),
    "a DaemonSet that nobody has looked at": (made("apps/v1", "DaemonSet"), IN_PROGRESS, "no controller"),
    "a DaemonSet with a node left": (
        made("apps/v1", "DaemonSet", told=DAEMONS | {"numberReady": 2}),
        IN_PROGRESS,
        "2 of 3 pods are ready",
    ),
    "a ReplicaSet that may make no pod": (
        made(
            "apps/v1",
            "ReplicaSet",
            TWO,
            {"conditions": [condition("ReplicaFailure", "True", "FailedCreate")]},
        ),
        FAILED,
        "FailedCreate",
    ),
    "a Job": (made("batch/v1", "Job", told={"conditions": [condition("Complete", "True")]}), CURRENT, ""),
    "a Job under way": (
        made("batch/v1", "Job", {"completions": 1}, {"active": 1}),
        IN_PROGRESS,
        "0 of 1 pods are done",
    ),
    "a Job that failed": (
        made("batch/v1", "Job", told={"conditions": [condition("Failed", "True", "BackoffLimitExceeded")]}),
        FAILED,
        "BackoffLimitExceeded",
    ),
    "a Job that is to wait": (made("batch/v1", "Job", {"suspend": True}), CURRENT, ""),
    "a Pod": (
        made("v1", "Pod", told={"phase": "Running", "conditions": [condition("Ready", "True")]}),
        CURRENT,
        "",
    ),
    "a Pod that is done": (made("v1", "Pod", told={"phase": "Succeeded"}), CURRENT, ""),
    "a Pod that was evicted": (
        made("v1", "Pod", told={"phase": "Failed", "reason": "Evicted"}),
        FAILED,
        "Evicted",
    ),
    "a Pod of which a container is not ready": (
        made(
            "v1", "Pod", told={"phase": "Running", "containerStatuses": [{"name": "server", "ready": False}]}
        ),
        IN_PROGRESS,
        "not ready: server",
    ),
    "a Pod in a crash loop": (
        made(
            "v1",
            "Pod",
            told=waiting(
                "CrashLoopBackOff", lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
            ),
        ),
        FAILED,
        "exit code 137 (OOMKilled)",
    ),
    "a Pod whose image is not there": (
        made("v1", "Pod", told=waiting("ImagePullBackOff")),
        FAILED,
        "ImagePullBackOff: why",
    ),
    "a Pod that lacks a Secret": (
        made("v1", "Pod", told=waiting("CreateContainerConfigError")),
        FAILED,
        "CreateContainerConfigError: why",
    ),
    "a Pod whose container is being made": (
        made("v1", "Pod", told=waiting("ContainerCreating")),
        IN_PROGRESS,
        "not ready: server",
    ),
    "a Pod whose init container ends again and again": (
        made(
            "v1",
            "Pod",
            told={
                "initContainerStatuses": waiting("CrashLoopBackOff")["containerStatuses"],
                "phase": "Pending",
            },
        ),
        FAILED,
        "ends again and again",
    ),
    "a Pod that has found no node for long": (
        made(
            "v1",
            "Pod",
            told={
                "phase": "Pending",
                "conditions": [
                    condition(
                        "PodScheduled",
                        "False",
                        "Unschedulable",
                        message="0/1 nodes: Insufficient cpu",
                        lastTransitionTime=EARLY,
                    )
                ],
            },
        ),
        FAILED,
        "Insufficient cpu",
    ),
    "a Pod that has found no node yet": (
        made(
            "v1",
            "Pod",
            told={
                "phase": "Pending",
                "conditions": [condition("PodScheduled", "False", "Unschedulable", lastTransitionTime=LATE)],
            },
        ),
        IN_PROGRESS,
        "Unschedulable",
    ),
    "a claim": (made("v1", "PersistentVolumeClaim", told={"phase": "Bound"}), CURRENT, ""),
    "a claim without a volume": (
        made("v1", "PersistentVolumeClaim", told={"phase": "Pending"}),
        IN_PROGRESS,
        "Pending, not Bound",
    ),
    "a claim whose volume is gone": (
        made("v1", "PersistentVolumeClaim", told={"phase": "Lost"}),
        FAILED,
        "lost",
    ),
    "a Service": (made("v1", "Service", {"type": "ClusterIP"}), CURRENT, ""),
    "a Service that waits for a load balancer": (
        made("v1", "Service", {"type": "LoadBalancer"}, {"loadBalancer": {}}),
        IN_PROGRESS,
        "no load balancer",
    ),
    "a Service with an address": (
        made("v1", "Service", {"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}),
        CURRENT,
        "",
    ),
    "a definition": (
        made(
            CRD,
            "CustomResourceDefinition",
            told={"conditions": [condition("NamesAccepted", "True"), condition("Established", "True")]},
        ),
        CURRENT,
        "",
    ),
    "a definition that is not served yet": (
        made(CRD, "CustomResourceDefinition", told={"conditions": [condition("NamesAccepted", "True")]}),
        IN_PROGRESS,
        "not established",
    ),
    "a definition whose names somebody has": (
        made(
            CRD,
            "CustomResourceDefinition",
            told={"conditions": [condition("NamesAccepted", "False", "ListKindConflict")]},
        ),
        FAILED,
        "ListKindConflict",
    ),
    "a namespace": (made("v1", "Namespace", told={"phase": "Active"}), CURRENT, ""),
    "a PostgreSQL cluster": (made(POSTGRESQL, "Cluster", {"instances": 3}, HEALTHY), CURRENT, ""),
    "a PostgreSQL cluster with an instance left": (
        made(
            POSTGRESQL,
            "Cluster",
            {"instances": 3},
            HEALTHY | {"readyInstances": 2, "phase": "Creating a new replica"},
        ),
        IN_PROGRESS,
        "2 of 3 instances are ready (Creating a new replica)",
    ),
    "a PostgreSQL cluster that fails over": (
        made(POSTGRESQL, "Cluster", {"instances": 3}, HEALTHY | {"phase": "Failing over"}),
        IN_PROGRESS,
        "Failing over",
    ),
    "a PostgreSQL cluster that is to have another primary": (
        made(POSTGRESQL, "Cluster", {"instances": 3}, HEALTHY | {"targetPrimary": "postgresql-2"}),
        IN_PROGRESS,
        "to be postgresql-2",
    ),
    "a certificate": (
        made("cert-manager.io/v1", "Certificate", told={"conditions": [condition("Ready", "True")]}),
        CURRENT,
        "",
    ),
    "a certificate that nobody has looked at": (
        made("cert-manager.io/v1", "Certificate"),
        IN_PROGRESS,
        "no condition",
    ),
    "a certificate that is not issued": (
        made(
            "cert-manager.io/v1", "Certificate", told={"conditions": [condition("Ready", "False", "Issuing")]}
        ),
        IN_PROGRESS,
        "Issuing",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_status(case: str) -> None:
    """State and reason of an object as an API server gives it."""
    manifest, state, reason = CASES[case]
    found = status(manifest, NOW)
    assert found.state is state, f"{case}: {found}"
    assert reason in found.reason, f"{case}: {found}"


def test_a_load_balancer_gives_addresses_or_names() -> None:
    """Some clouds give an address, some a name."""
    told = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}, {"hostname": "lb.example.org"}, {}]}}
    service = made("v1", "Service", {"type": "LoadBalancer"}, told)
    assert load_balancer_addresses(service) == ("192.0.2.1", "lb.example.org")


def imageless(image: str, reason: str, message: str, kind: str = "containerStatuses") -> Manifest:
    """A pod as a kubelet of 1.35 with containerd 1.6 gives it while it lacks an image."""
    container = {
        "name": "redis",
        "image": image,
        "imageID": "",
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "started": False,
        "state": {"waiting": {"reason": reason, "message": message}},
    }
    conditions = [condition(kind, "False", "ContainersNotReady") for kind in ("Ready", "ContainersReady")]
    told = {"phase": "Pending", "conditions": [*conditions, condition("PodScheduled", "True")]}
    return made("v1", "Pod", told=told | {kind: [container]})


UNREACHED = (
    'failed to pull and unpack image "registry.invalid/redis:8": failed to resolve reference '
    '"registry.invalid/redis:8": failed to do request: Head "registry.invalid/v2/redis/manifests/8": '
    "dial tcp: lookup registry.invalid: no such host"
)
UNREADABLE = (
    'Failed to apply default image tag "registry.internal/Redis:8": couldn\'t parse image name '
    '"registry.internal/Redis:8": invalid reference format: repository name (Redis) must be lowercase'
)


@pytest.mark.parametrize(
    ("pod", "mends_within", "said"),
    [
        (imageless("registry.invalid/redis:8", "ErrImagePull", UNREACHED), 20.0, "no such host"),
        (
            imageless(
                "registry.invalid/redis:8",
                "ImagePullBackOff",
                f'Back-off pulling image "registry.invalid/redis:8": ErrImagePull: {UNREACHED}',
            ),
            20.0,
            "ImagePullBackOff: Back-off pulling image",
        ),
        (imageless("registry.internal/Redis:8", "InvalidImageName", UNREADABLE), 0.0, "must be lowercase"),
        (
            imageless(
                "redis:8",
                "ErrImageNeverPull",
                'Container image "redis:8" is not present with pull policy of Never',
                "initContainerStatuses",
            ),
            0.0,
            "pull policy of Never",
        ),
        (imageless("redis:8", "RegistryUnavailable", ""), 20.0, "image redis:8: RegistryUnavailable"),
    ],
    ids=["not reached", "backing off", "unreadable", "never pulled", "in silence"],
)
def test_an_image_that_cannot_be_had_is_named(pod: Manifest, mends_within: float, said: str) -> None:
    """Container, image, what the kubelet says, what to do, and how long it is worth to wait."""
    [container] = pod["status"].get("containerStatuses") or pod["status"]["initContainerStatuses"]
    found = status(pod, NOW)
    assert found.state is FAILED
    assert found.reason.startswith(f"redis cannot start without its image {container['image']}: ")
    assert container["state"]["waiting"]["reason"] in found.reason
    assert said in found.reason
    assert (found.mends_within, found.remedy) == (mends_within, IMAGE_REMEDY)
