"""That a real API server would take every object as it is written, field by field."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import pytest

from fixtures.plugins.evidence import Evidence
from fixtures.plugins.judging import Judge
from fixtures.rendering.findings import Finding, Objects, Rule
from fixtures.rendering.objects import Manifest, Ref, is_custom
from fixtures.rendering.reading import Reading
from fixtures.rendering.rules.cel import Evaluation, evaluations
from fixtures.rendering.rules.crds import ApiKind, CustomKind, api_kind, custom_kinds
from fixtures.rendering.rules.schemas import misfits, versions
from reports.model import NotRun, NotRunKind

CRDS = Path(__file__).parents[2] / ".venv" / "programs" / "crds"

OBJECT_STORE: ApiKind = ("barmancloud.cnpg.io/v1", "ObjectStore")
NOT_SERVED = {
    OBJECT_STORE: "the Barman Cloud plugin is not served as a Go module, nor is its CRD in another package"
}
"""Kinds whose CRD cannot be had without the network of its project."""

Kinds = Mapping[ApiKind, CustomKind]


@pytest.fixture(scope="module")
def kinds() -> Kinds:
    """The kinds of operators, from the CRDs that ./run sets up."""
    return custom_kinds(CRDS)


def once(misfits: Callable[[Manifest], Iterable[Finding]]) -> Rule:
    """A rule about each object by itself; what several overlays have alike is judged once."""
    judged: dict[str, tuple[Finding, ...]] = {}

    def rule(objects: Objects) -> Iterator[Finding]:
        for manifest in objects:
            text = json.dumps(manifest, sort_keys=True)
            if text not in judged:
                judged[text] = tuple(misfits(manifest))
            yield from judged[text]

    return rule


@pytest.mark.requirement("STA-011")
def test_objects_fit_every_version_of_kubernetes(
    judge_all: Judge, kinds: Kinds, evidence: Evidence, reading: Reading | None
) -> None:
    """Precondition: overlays are rendered. Each object fits the strict schema of its kind, from 1.28 to the newest.

    A kind that no schema is known of is a fault of ours. Somebody else may have operators that nobody here knows.
    """
    evidence("versions of Kubernetes", list(versions()))
    others = kinds.keys() | NOT_SERVED.keys()
    if reading is not None:
        foreign = {api_kind(each) for each in reading.objects if is_custom(each)} - others
        evidence("kinds that are not judged", sorted(f"{kind} of {version}" for version, kind in foreign))
        others |= foreign
    judge_all(once(lambda manifest: () if api_kind(manifest) in others else misfits(manifest)))


@pytest.mark.requirement("STA-012")
def test_custom_resources_fit_their_crd(judge_all: Judge, kinds: Kinds, evidence: Evidence) -> None:
    """Precondition: overlays are rendered, CRDs are set up. Each custom resource fits, without a field too many."""
    judged: set[ApiKind] = set()

    def misfits_of(manifest: Manifest) -> Iterable[Finding]:
        kind = kinds.get(api_kind(manifest))
        if kind is None:
            return ()
        judged.add(kind.api_kind)
        return kind.misfits(manifest)

    try:
        judge_all(once(misfits_of))
    finally:
        evidence("kinds", sorted(f"{kind} of {api_version}" for api_version, kind in judged))
    if not judged:
        raise NotRun(NotRunKind.NOT_JUDGED, "no object is of a kind whose CRD is known")


@pytest.mark.requirement("STA-013")
def test_custom_resources_keep_the_rules_of_their_crd(
    judge_all: Judge, kinds: Kinds, evidence: Evidence
) -> None:
    """Precondition: as before. Every rule (CEL) of a CRD about what an object holds is evaluated, and holds."""
    seen: list[Evaluation] = []

    def broken(manifest: Manifest) -> Iterator[Finding]:
        kind = kinds.get(api_kind(manifest))
        for evaluation in evaluations(kind, manifest) if kind is not None else ():
            seen.append(evaluation)
            if evaluation.holds is False:
                remedy = f"correct it: the API server refuses it by the rule {evaluation.rule}"
                yield Finding(Ref.of(manifest), evaluation.field or "object", evaluation.why, remedy)

    try:
        judge_all(once(broken))
    finally:
        left = [asdict(each) for each in seen if each.holds is None]
        evidence("rules", {"evaluated": len(seen) - len(left), "not evaluated": len(left)})
        evidence("rules that were not evaluated", left)
    if not [each for each in seen if each.holds]:
        raise NotRun(NotRunKind.NOT_JUDGED, "no rule of a known CRD is about these objects")


@pytest.mark.requirement("STA-019")
def test_the_object_store_fits_what_the_operator_says_of_it(judge_all: Judge, kinds: Kinds) -> None:
    """Precondition: as before. `spec.configuration` of an ObjectStore is the operator's own type: it fits that."""
    schema = kinds["postgresql.cnpg.io/v1", "Cluster"].schema
    for step in ("spec", "backup", "barmanObjectStore"):
        schema = schema["properties"][step]
    configuration = CustomKind(OBJECT_STORE, {"type": "object", "properties": {"configuration": schema}})

    def misfits_of(manifest: Manifest) -> Iterator[Finding]:
        if api_kind(manifest) != OBJECT_STORE:
            return
        written = {"configuration": (manifest.get("spec") or {}).get("configuration")}
        for finding in configuration.misfits({**manifest, **written}):
            if finding.field.startswith("configuration"):
                yield finding

    judge_all(once(misfits_of))


@pytest.mark.requirement("STA-019")
def test_the_object_store_fits_its_crd(overlays: Mapping[str, Objects]) -> None:
    """Precondition: overlays are rendered. Not run while the CRD cannot be had."""
    wanted = {api_kind(each) for objects in overlays.values() for each in objects} & NOT_SERVED.keys()
    for kind in sorted(wanted):
        raise NotRun(NotRunKind.UNAVAILABLE, f"{kind[1]} of {kind[0]}: {NOT_SERVED[kind]}")
    raise NotRun(NotRunKind.NOT_JUDGED, "no object is an ObjectStore")
