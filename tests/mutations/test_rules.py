"""What rules make of manifests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fixtures.rendering.findings import Objects
from reports.documents import DocumentError
from tests.mutations.by_rule.breeding import (
    PREDICATES,
    RULES,
    Bred,
    RuleEntry,
    breed,
    load_rules,
)

LABELS = {"name": "web", "instance": "main"}


def workload(name: str, labels: dict[str, str], **fields: Any) -> dict[str, Any]:
    """A Deployment of one container `c`."""
    container = {"name": "c", "image": "registry/a:1", "command": ["serve"], **fields}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {"kind": "Deployment", "metadata": {"name": name}, "spec": {"template": template}}


def service(**selector: str) -> dict[str, Any]:
    """A Service `web` with one port."""
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    return {"kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": selector, "ports": ports}}


def policy(pods: dict[str, str], *peers: dict[str, str]) -> dict[str, Any]:
    """A NetworkPolicy `p` that lets these peers in."""
    rule = {"from": [{"podSelector": {"matchLabels": labels}} for labels in peers]}
    spec = {"podSelector": {"matchLabels": pods}, "policyTypes": ["Ingress"], "ingress": [rule]}
    return {"kind": "NetworkPolicy", "metadata": {"name": "p"}, "spec": spec}


PORTS = {"ports": [{"name": "http", "containerPort": 80}, {"name": "metrics", "containerPort": 90}]}
WEB = workload(
    "web", LABELS, readinessProbe={"httpGet": {"port": "http"}}, livenessProbe={"exec": {}}, **PORTS
)


def entry(rule: str, **fields: Any) -> RuleEntry:
    """A rule that STA-001 has to notice, or what is given instead."""
    expectation = (
        fields if {"unguarded", "equivalent"} & set(fields) else {"requirements": ("STA-001",), **fields}
    )
    return RuleEntry.model_validate({"rule": rule, "story": "s", **expectation})


def bred(rule: RuleEntry, *objects: dict[str, Any], **later: Objects) -> list[Bred]:
    """What the rule makes of an overlay `local`, and of later ones."""
    return list(breed([rule], {"local": objects, **later}))


def broken(one: Bred, *objects: dict[str, Any]) -> Objects:
    """The objects as this mutant leaves them."""
    return one.patch.apply(objects)


def test_a_probe_is_removed_from_the_container_that_has_it() -> None:
    [one] = bred(entry("readiness-probe-removed"), WEB)
    [deployment] = broken(one, WEB)
    assert "readinessProbe" not in deployment["spec"]["template"]["spec"]["containers"][0]
    assert one.id == "readiness-probe-removed-deployment-web-c"
    assert one.mutant.requirements == ("STA-001",)
    assert one.mutant.rule == "readiness-probe-removed"


def test_a_missing_security_context_is_made() -> None:
    [one] = bred(entry("uid-zero"), WEB)
    [deployment] = broken(one, WEB)
    assert deployment["spec"]["template"]["spec"]["containers"][0]["securityContext"] == {"runAsUser": 0}


def test_a_selector_loses_each_of_its_labels() -> None:
    svc = service(**LABELS)
    selectors = [
        broken(one, WEB, svc)[1]["spec"]["selector"] for one in bred(entry("selector-widened"), WEB, svc)
    ]
    assert selectors == [{"instance": "main"}, {"name": "web"}]


def test_a_port_is_sent_to_each_other_port_of_its_pods() -> None:
    svc = service(**LABELS)
    [one] = bred(entry("target-port-of-another"), WEB, svc)
    assert broken(one, WEB, svc)[1]["spec"]["ports"][0]["targetPort"] == "metrics"


def test_the_last_peer_goes_with_its_rule() -> None:
    """A rule without peers is about everybody: dropping only the peer would allow more, not less."""
    alone, two = policy(LABELS, {"name": "a"}), policy(LABELS, {"name": "a"}, {"name": "b"})
    [one] = bred(entry("ingress-peer-dropped"), alone)
    assert broken(one, alone)[0]["spec"]["ingress"] == []
    first, second = bred(entry("ingress-peer-dropped"), two)
    assert broken(first, two)[0]["spec"]["ingress"][0]["from"] == two["spec"]["ingress"][0]["from"][1:]
    assert broken(second, two)[0]["spec"]["ingress"][0]["from"] == two["spec"]["ingress"][0]["from"][:1]


def test_routes_are_lost_and_sent_elsewhere_one_by_one() -> None:
    text = "# made\n^([A-Z]+):/_matrix/a/ generic-worker\n^([A-Z]+):/_matrix/b/ main\n"
    maps = {
        "kind": "ConfigMap",
        "metadata": {"name": "haproxy-maps-22222b2222"},
        "data": {"routes.map": text},
    }

    def texts(rule: str) -> list[str]:
        return [broken(one, maps)[0]["data"]["routes.map"] for one in bred(entry(rule), maps)]

    header, a, b = text.splitlines(keepends=True)
    assert texts("route-removed") == [header + b, header + a]
    assert texts("route-elsewhere") == [
        text.replace("generic-worker", "main"),
        text.replace(" main", " generic-worker"),
    ]


def test_synapse_settings_are_changed_where_they_have_the_last_word() -> None:
    files = {
        "10-a.yaml": "stream_writers: {events: [x]}\n",
        "50-b.yaml": "stream_writers: {events: [p-0]}\nk: 1\n",
    }
    conf = {"kind": "ConfigMap", "metadata": {"name": "synapse-conf.d"}, "data": files}
    [one] = bred(entry("stream-writer-doubled"), conf)
    changed = broken(one, conf)[0]["data"]
    assert changed["10-a.yaml"] == files["10-a.yaml"]
    assert "- p-0\n  - mutant-0\nk: 1\n" in changed["50-b.yaml"]


class TestExceptions:
    UNGUARDED = ({"when": "serves", "unguarded": "readiness is enough"},)
    SAME = ({"when": "takes-the-same", "equivalent": "the same pods"},)

    def test_single_out_places(self) -> None:
        """Of two containers one has a port."""
        idle = workload("idle", {"name": "idle"}, livenessProbe={"exec": {}})
        served, other = bred(entry("liveness-probe-removed", exceptions=self.UNGUARDED), WEB, idle)
        assert (served.expectation.unguarded, other.expectation.requirements) == (
            "readiness is enough",
            ("STA-001",),
        )

    def test_an_equivalent_place_is_one_where_the_pods_stay_the_same(self) -> None:
        """`instance` alone takes the other workload, too; `name` alone does not."""
        other = workload("other", {"name": "other", "instance": "main"})
        without_name, without_instance = bred(
            entry("selector-widened", exceptions=self.SAME), WEB, other, service(**LABELS)
        )
        assert without_name.expectation.requirements
        assert without_instance.expectation.equivalent == "the same pods"

    def test_a_policy_about_no_pod_of_one_overlay_is_broken_in_the_next(self) -> None:
        """What breaks nothing in the first overlay may do so in the second one."""
        exceptions = ({"when": "no-connection-changes", "equivalent": "no pod"},)
        rule, about_web = entry("policy-dropped", exceptions=exceptions), policy(LABELS, {"name": "a"})
        [only] = bred(rule, about_web)
        assert only.expectation.equivalent == "no pod"
        [one] = bred(rule, about_web, production=(WEB, about_web))
        assert one.overlay == one.mutant.overlay == "production"
        [again] = bred(rule, WEB, about_web, production=(WEB, about_web))
        assert again.overlay == "local"


class TestFile:
    GOOD = "rules:\n  - rule: uid-zero\n    story: s\n    requirements: [STA-001]\n"

    def test_every_rule_is_used(self) -> None:
        """What nobody uses is never seen to work; `unguarded` is a use."""
        assert {each.rule for each in load_rules()} == set(RULES)

    def test_every_predicate_is_used(self) -> None:
        """By an exception of some rule."""
        assert {each.when for rule in load_rules() for each in rule.exceptions} == set(PREDICATES)

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("uid-zero", "uid-zorro", r"rules\.yaml:2: .*there is no rule 'uid-zorro'; there are: "),
            ("[STA-001]", "[]", r"give exactly one of: requirements, equivalent, unguarded"),
            ("story: s", "story: s\n    unguarded: why", r"give exactly one of"),
            (
                "story: s",
                "story: s\n    exceptions: [{when: moon, unguarded: w}]",
                r"no predicate 'moon'; there are",
            ),
        ],
    )
    def test_a_mistake_is_named(self, tmp_path: Path, old: str, new: str, said: str) -> None:
        """File, line, field."""
        file = tmp_path / "rules.yaml"
        file.write_text(self.GOOD.replace(old, new, 1))
        with pytest.raises(DocumentError, match=said):
            load_rules(file)
