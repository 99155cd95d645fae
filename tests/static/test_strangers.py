"""`pytest suites/static --manifests` on deployments of other people: what is wrong is named, what is right is not.

The deployments under `strangers/` are small and their own; the faults are those that public ones of this shape have.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTHING_DEPLOYED = "nothing was deployed: --target none judges manifests only"
STRANGERS = Path(__file__).with_name("strangers")
CANNOT_JUDGE, USAGE = 10, 4

HARDENING = frozenset({"STA-001", "STA-002", "STA-003", "STA-007", "STA-008", "STA-026"})
"""What every container lacks that says nothing of it; the deployments here keep their YAML short instead."""

POD = "spec.template.spec"

FAULTY = {
    # A heredoc at column 0 ends the block scalar.
    ("antivirus/scan.yaml", "File/{}/antivirus/scan.yaml", "line 10", "STA-020"),
    # A key twice in one mapping: the last one would win.
    ("redis.yaml", "File/{}/redis.yaml", "line 13", "STA-020"),
    # One name twice: whichever is applied last wins.
    ("antivirus/policy.yaml", "NetworkPolicy/sync", "metadata.name", "STA-020"),
    # A Service of Redis over all of its servers, and over those of the other instance as well.
    ("redis.yaml", "Service/bus", "spec.selector", "STA-004"),
    ("redis.yaml", "Service/bus", "spec.ports[0].targetPort", "STA-004"),
    ("redis.yaml", "Service/bus", "spec.selector", "STA-029"),
    ("redis.yaml", "Service/bus", "spec.type", "STA-028"),
    ("redis.yaml", "PodDisruptionBudget/bus", "spec.minAvailable", "STA-021"),
    ("redis.yaml", "StatefulSet/bus", "spec.serviceName", "STA-024"),
    ("redis.yaml", "StatefulSet/bus", "spec.selector", "STA-027"),
    ("li/redis.yaml", "Service/bus-li", "spec.ports[0].targetPort", "STA-004"),
    ("li/redis.yaml", "StatefulSet/bus-li", f"{POD}.containers[0].image", "STA-006"),
    ("li/redis.yaml", "StatefulSet/bus-li", f"{POD}.containers[0].readinessProbe.tcpSocket.port", "STA-008"),
    ("li/redis.yaml", "StatefulSet/bus-li", f"{POD}.containers[0].image", "STA-016"),
    # Redis without a bound on its memory: the kernel ends it first.
    ("redis.yaml", "StatefulSet/bus", "redis", "STA-037"),
    ("li/redis.yaml", "StatefulSet/bus-li", "redis", "STA-037"),
    # An acknowledged message is gone after a failover.
    ("synapse.yaml", "Cluster/pg", "spec.postgresql.synchronous.number", "STA-039"),
    ("synapse.yaml", "Cluster/pg", "spec.postgresql.synchronous.failoverQuorum", "STA-039"),
    # No policy can mean the pods of a Job without labels.
    ("li/redis.yaml", "Job/setup", "spec.template.metadata.labels", "STA-027"),
    # Clients reach the copy for lawful intercept.
    ("synapse.yaml", "Service/synapse-client", "spec.selector", "STA-004"),
    # The port of another Service of the same object store.
    ("synapse.yaml", "ConfigMap/synapse", "homeserver.yaml media_storage_providers[0]", "STA-010"),
    # Workers look for the main process in their own pod.
    ("synapse.yaml", "ConfigMap/synapse", "homeserver.yaml instance_map.main", "STA-010"),
    ("synapse.yaml", "ConfigMap/synapse", "homeserver.yaml redis.password", "STA-009"),
    ("synapse.yaml", "StatefulSet/synapse", f"{POD}.volumes[2].configMap", "STA-005"),
    # A file into a read-only volume.
    ("synapse.yaml", "StatefulSet/synapse", f"{POD}.containers[0].volumeMounts[1].mountPath", "STA-023"),
    # A budget that keeps the only pod: no drain ends.
    ("synapse.yaml", "PodDisruptionBudget/synapse", "spec.minAvailable", "STA-021"),
    ("namespace.yaml", "Namespace/matrix", "metadata.labels.pod-security.kubernetes.io/enforce", "STA-027"),
}

REQUIRED = f"{POD}.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]"
WORKER, PROXY = "matrix/templates/worker.yaml", "matrix/charts/haproxy/templates"

HELM = {
    (WORKER, "Deployment/release-sync", REQUIRED, "STA-022"),
    (WORKER, "Deployment/release-sync", "spec.replicas", "STA-021"),
    ("matrix/templates/hpa.yaml", "HorizontalPodAutoscaler/release-sync", "spec.scaleTargetRef", "STA-025"),
    (f"{PROXY}/configmap.yaml", "ConfigMap/release-haproxy", "haproxy.cfg sync server", "STA-024"),
    (f"{PROXY}/configmap.yaml", "ConfigMap/release-haproxy", "haproxy.cfg media server", "STA-010"),
    (
        f"{PROXY}/deployment.yaml",
        "Deployment/release-haproxy",
        "spec.template.metadata.labels.version",
        "STA-020",
    ),
    (f"{PROXY}/deployment.yaml", "Deployment/release-haproxy", f"{POD}.volumes[1]", "STA-023"),
    ("matrix/templates/notes.yaml", "ConfigMap/release-notes", "metadata.name", "STA-023"),
    ("{}", "File/{}", "line 81", "STA-020"),
}

ELEMENT = "base/element.yaml"

KUSTOMIZED = {
    # Users get the client of the other instance on every second request.
    (ELEMENT, "Service/prod-element-web", "spec.selector", "STA-004"),
    (ELEMENT, "Service/prod-element-web", "spec.type", "STA-028"),
    (ELEMENT, "Deployment/prod-element-web", "spec.selector", "STA-027"),
    ("kustomization.yaml", "ConfigMap/prod-element", "metadata.name", "STA-023"),
}


@dataclass(frozen=True)
class Judged:
    """What the command said of somebody's manifests."""

    code: int
    output: str
    report: Path

    @property
    def tests(self) -> list[dict[str, Any]]:
        """The entries of report.json."""
        found: list[dict[str, Any]] = json.loads(self.report.read_text())["tests"]
        return found

    def evidence(self, name: str) -> list[Any]:
        """All that tests kept under a name."""
        return [
            entry["value"]
            for test in self.tests
            for entry in test.get("evidence", [])
            if entry["name"] == name
        ]

    @property
    def findings(self) -> set[tuple[str, str, str, str]]:
        """File, object, field and rule of each."""
        return {
            (found["file"], found["object"], found["field"], found["rule"])
            for each in self.evidence("findings")
            for found in each
        }


def judged(path: Path, reports: Path, *more: str) -> Judged:
    """The real command, to its end."""
    words = [sys.executable, "-m", "pytest", "suites/static", "-q", "-pno:cacheprovider"]
    asked = ["--manifests", str(path), "--report-dir", str(reports), *more]
    done = subprocess.run(
        [*words, *asked], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    return Judged(done.returncode, done.stdout + done.stderr, reports / "latest" / "report.json")


def placed(found: set[tuple[str, str, str, str]], shown: str) -> set[tuple[str, str, str, str]]:
    """Expected findings with the files where they are: below what was given, but for the templates of a chart."""
    return {
        (
            shown if file == "{}" else file if file.startswith("matrix/") else f"{shown}/{file}",
            named.format(shown),
            field,
            rule,
        )
        for file, named, field, rule in found
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [("faulty", FAULTY), ("helm.yaml", HELM), ("kustomized", KUSTOMIZED)],
    ids=["a folder of YAML", "the output of helm template", "a kustomization"],
)
def test_each_fault_is_named_and_nothing_else(
    tmp_path: Path, name: str, expected: set[tuple[str, str, str, str]]
) -> None:
    """File, object, field and rule of every fault; what is right is not called wrong; exit code of failed tests."""
    where = STRANGERS / name
    run = judged(where, tmp_path)
    assert run.code == 1, run.output
    assert "Traceback" not in run.output
    seen = run.findings
    wanted = placed(expected, str(where.relative_to(ROOT)))
    assert not wanted - seen, f"not found: {sorted(wanted - seen)}"
    extra = {found for found in seen - wanted if found[3] not in HARDENING}
    assert not extra, f"found as well: {sorted(extra)}"
    for file, named, field, _ in wanted:
        assert f"{file}: {named} {field}: " in run.output


def test_a_sound_deployment_has_no_finding(tmp_path: Path) -> None:
    """Other names, labels, namespaces, a List, custom resources: nothing is wrong; what is not judged says why."""
    run = judged(STRANGERS / "sound", tmp_path)
    assert run.code == 0, run.output
    assert run.findings == set()
    outcomes = {str(test["outcome"]) for test in run.tests if str(test["id"]).startswith("suites/static")}
    assert outcomes == {"passed", "not_run"}
    reasons = [test["reason"] for test in run.tests if test["outcome"] == "not_run"]
    absent = {reason["text"] for reason in reasons if reason["kind"] == "capability_absent"}
    assert absent == {NOTHING_DEPLOYED}, "an API server is asked where there is one"
    assert {reason["kind"] for reason in reasons} == {"not_judged", "capability_absent"}
    (passed_over,) = run.evidence("passed over")
    assert [
        "Service/landing-page of serving.knative.dev/v1 is not known" in each for each in passed_over
    ] == [True]
    assert run.evidence("secrets taken for granted") == [["front-certificate", "hs-keys"]]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--overlay", "manifests/overlays/local"), USAGE, "leave out --overlay and --mutant"),
        (("--mutant", "tests/mutations/static.yaml:uid-zero"), USAGE, "leave out --overlay and --mutant"),
        ((), CANNOT_JUDGE, "gone.yaml: there is no such file or folder; give rendered manifests"),
    ],
)
def test_a_wrong_call_is_one_line(tmp_path: Path, options: tuple[str, ...], code: int, said: str) -> None:
    """Exit code of wrong calls, or of manifests that cannot be had."""
    run = judged(tmp_path / "gone.yaml", tmp_path / "reports", *options)
    assert (run.code, run.output.count(said) > 0) == (code, True), run.output
    assert "Traceback" not in run.output
