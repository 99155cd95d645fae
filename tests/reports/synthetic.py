"""Made-up reports of any size, in which everything that a report can say is said."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from reports.catalogue import AREAS
from reports.comparison import compare
from reports.model import (
    DeploymentEntry,
    Difference,
    Event,
    Evidence,
    ImageVersion,
    LeftOut,
    Memory,
    Mutant,
    MutantOutcome,
    NotRunKind,
    Reason,
    Report,
    RequirementEntry,
    Run,
    Series,
    TestEntry,
    Verdict,
)

START = datetime(2026, 6, 15, 2, tzinfo=UTC)
_FAULTS = (
    "Deployment/synchrotron containers[synapse].livenessProbe: not set; add a liveness probe on the port health",
    """AssertionError: the answer came from generic-worker-0, not from synchrotron
  GET /_matrix/client/v3/sync -> 200 by generic-worker-0 (X-Request-ID 1f0c)
  haproxy/routes.map line 14: ^/_matrix/client/v3/sync$ generic-worker; send it to synchrotron""",
)
PLOTS = 5
"""Pictures of two lines each."""

_VERDICTS = (Verdict.PASSED,) * 20 + (
    Verdict.FAILED,
    Verdict.NOT_RUN,
    Verdict.WAIVED,
    Verdict.KNOWN_DEVIATION,
)


def synthetic(night: int, requirements: int, mutants: int, seed: int = 0) -> Report:
    """The report of one night; the same arguments give the same report."""
    random = Random(f"{seed} {night}")
    names = [
        (f"{prefix}-{number:03}", area)
        for number in range(1, requirements // len(AREAS) + 2)
        for area, prefix in AREAS.items()
    ][:requirements]
    pairs = [_requirement(name, area, random) for name, area in names]
    measuring = [tests[0].id for _, tests in pairs[: 2 * PLOTS]]
    started = START + timedelta(days=night)
    return Report.of(
        Run(
            id=f"{started:%Y%m%dT%H%M%SZ}-{night:06x}",
            started=started,
            duration_s=420.5,
            target="local",
            overlay="local",
            seed=night,
            versions={"Python": "3.11", "pytest": "9.0"},
            differences=tuple(_differences()),
            command=("pytest", "suites/"),
            exit_code=1,
        ),
        [requirement for requirement, _ in pairs],
        [test for _, tests in pairs for test in tests],
        _deployment(random),
        mutants=[_mutant(number, names, random) for number in range(mutants)] or None,
        outside_packets=0,
        series=[_series(number, test, random) for number, test in enumerate(measuring)],
    )


def nights(count: int, requirements: int, mutants: int) -> Report:
    """The report of the last of some nights, each compared with the one before."""
    last = synthetic(0, requirements, mutants)
    for night in range(1, count):
        now = synthetic(night, requirements + night, mutants)
        last = now.model_copy(update={"comparison": compare(now, last)})
    return last


def _requirement(name: str, area: str, random: Random) -> tuple[RequirementEntry, list[TestEntry]]:
    verdict = random.choice(_VERDICTS)
    reason = _reason(verdict, name, random)
    fault = {
        "object": "Deployment/synchrotron",
        "file": "manifests/main-instance/02-workers/synchrotron.yaml",
        "field": "spec.template.spec.containers[0].livenessProbe",
        "rule": "probes",
        "fault": "not set",
        "remedy": "add a liveness probe on the port health",
    }
    evidence: list[Evidence] = [Evidence(name="answered by", value={"synchrotron-0": 12, "synchrotron-1": 9})]
    if verdict is Verdict.FAILED:
        evidence += [
            Evidence(name="findings", value=[fault] * random.randint(1, 5)),
            Evidence(name="traceback", value=f"{_FAULTS[1]}\n" * 100),
        ]
    tests = [
        TestEntry(
            id=f"suites/{area}/test_{area}.py::test_{name.lower().replace('-', '_')}[{number}]",
            outcome=verdict if number == 0 else Verdict.PASSED,
            duration_s=round(random.expovariate(1) + 0.3, 3),
            setup_s=0.2,
            requirements=(name,),
            reason=reason if number == 0 else None,
            evidence=tuple(evidence) if number == 0 else (),
        )
        for number in range(random.randint(1, 3))
    ]
    requirement = RequirementEntry(
        id=name,
        area=area,
        text=f"Every {area.replace('_', ' ')} request MUST reach a process that is meant for it, whatever restarts.",
        source="manifests/README.md, section Routing; Synapse documentation, workers",
        requires=("signals",) if random.random() < 0.1 else (),
        covers=("Deployment/synchrotron", "ConfigMap/haproxy-maps", "manifests/config/synapse/routes.yaml"),
        verdict=verdict,
        tests=tuple(test.id for test in tests),
        reason=reason,
    )
    return requirement, tests


def _reason(verdict: Verdict, name: str, random: Random) -> Reason | None:
    match verdict:
        case Verdict.FAILED:
            return Reason(text=random.choice(_FAULTS))
        case Verdict.NOT_RUN:
            return Reason(kind=NotRunKind.CAPABILITY_ABSENT, text="the local target has no scheduler")
        case Verdict.WAIVED:
            return Reason(
                text=f"{name} waived until 2026-09-01 by Ada: mended with the next release\nSeen: no"
            )
        case Verdict.KNOWN_DEVIATION:
            return Reason(text="known deviation: upstream\nSeen: no", link="https://example.org/issues/1")
        case _:
            return None


def _mutant(number: int, names: list[tuple[str, str]], random: Random) -> Mutant:
    expected = tuple(name for name, _ in random.sample(names, random.choice((1, 1, 2))))
    outcome = random.choices(list(MutantOutcome), weights=(1, 2, 2, 95))[0]
    others = tuple(name for name, _ in random.sample(names, random.choice((0, 0, 1, 3, 9))))
    killed = outcome is MutantOutcome.KILLED
    return Mutant(
        id=f"something-is-broken-on-purpose-{number}",
        requirements=expected,
        level=random.choice(("static", "routing", "live")),
        red=(*expected, *others) if killed else others if outcome is MutantOutcome.WRONG_DIAGNOSIS else (),
        outcome=outcome,
        duration_s=round(random.uniform(1, 30), 1),
        reason=None if killed else f"{', '.join(expected)} had to turn red, and nothing did",
    )


def _series(number: int, test: str, random: Random) -> Series:
    return Series(
        plot=f"Delivery to the other server, kind {number // 2}",
        name=("there", "and back")[number % 2],
        x="number of the message",
        y="seconds until the other has it",
        points=tuple((at, round(random.expovariate(5), 3)) for at in range(1, 16)),
        test=test,
    )


def _differences() -> Iterator[Difference]:
    for kind, name in (
        ("PodMonitor", "postgresql"),
        ("Service", "element-web"),
        ("Deployment", "element-web"),
    ):
        yield Difference(object=f"{kind}/{name}", field="", production="there")
    yield Difference(object="StatefulSet/postgresql", field="", here="there, 1 replica")
    for worker in ("synchrotron", "generic-worker", "haproxy"):
        yield Difference(object=f"Deployment/{worker}", field="spec.replicas", production="2", here="1")
        field = "spec.template.spec.containers[synapse].resources.limits.memory"
        yield Difference(object=f"Deployment/{worker}", field=field, production="2Gi", here="1Gi")
    lines = "\n".join(f"setting_{number}: {number}" for number in range(30))
    yield Difference(object="ConfigMap/synapse-conf.d", field="70-local.yaml", here=lines)


def _deployment(random: Random) -> DeploymentEntry:
    pods = ("postgresql-0", "redis-0", "synapse-main-0", "synchrotron-0", "haproxy-0")
    events: list[dict[str, Any]] = []
    for number, pod in enumerate(pods):
        begin = number * 1.3 + random.random()
        events += [
            {"at_s": begin, "event": "starts"},
            {"at_s": begin + random.uniform(2, 5), "event": "ready"},
        ]
        for event in events[-2:]:
            event["object"] = pod
    return DeploymentEntry(
        timeline=tuple(Event(**event) for event in events),
        memory=tuple(Memory(object=pod, used_bytes=random.randrange(2**24, 2**28)) for pod in pods),
        versions=(
            ImageVersion(name="haproxy", claimed="3.4", real="HAProxy version 2.6.12"),
            ImageVersion(name="matrixdotorg/synapse", claimed="v1.150.0", real="1.150.0"),
        ),
        left_out=(LeftOut(what="PodDisruptionBudget", why="one machine: nothing is drained"),),
    )
