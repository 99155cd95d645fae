"""Properties of the pure parts, for any report at all."""

import json
import re
import xml.etree.ElementTree as ET
from datetime import UTC
from html.parser import HTMLParser
from random import Random
from urllib.parse import urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from reports.censor import censored
from reports.changes import AreaVerdict, Measured, Past, RunName, Slower, Turn
from reports.gate import Code, Profile, decide
from reports.junit import render_junit
from reports.markdown import render_markdown
from reports.model import (
    Comparison,
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
    Slo,
    SloOutcome,
    TestEntry,
    Verdict,
    worst,
)
from reports.page import filter_script, render_page
from reports.schema import violation

HOSTILE = [
    "<script>alert(1)</script>",
    "'\"><img src=x onerror=alert(1)>",
    "]]>",
    "{{ 7 * 7 }}",
    "| a | b |\n# c",
    "\x1b[31mred\x1b[0m\x00",
    "\ud800",
    "javascript:alert(1)",
    "</style></pre>",
]
anything = st.text(max_size=12) | st.sampled_from(HOSTILE) | st.characters(codec=None)
seconds = st.floats(min_value=0, max_value=1e6)
maybe = st.none() | anything
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | anything,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(anything, inner, max_size=2),
    max_leaves=4,
)


def reasons(verdict: Verdict) -> st.SearchStrategy[Reason | None]:
    """A reason that fits the verdict."""
    if verdict is Verdict.NOT_RUN:
        return st.builds(Reason, text=anything, kind=st.sampled_from(NotRunKind))
    return st.none() | st.builds(Reason, text=anything, link=maybe)


@st.composite
def judged(draw: st.DrawFn) -> tuple[Verdict, Reason | None]:
    """A verdict and a reason for it."""
    verdict = draw(st.sampled_from(Verdict))
    return verdict, draw(reasons(verdict))


moments = st.builds(RunName, id=anything, started=st.datetimes(timezones=st.just(UTC)))
turns = st.lists(
    st.builds(
        Turn,
        requirement=anything | st.just("MED-001"),
        before=st.sampled_from(Verdict),
        now=st.sampled_from(Verdict),
    ),
    max_size=2,
)
ids = st.lists(anything, max_size=2)
measured = st.none() | st.builds(Measured, before=seconds, now=seconds)
comparisons = st.builds(
    Comparison,
    against=moments,
    newly_red=turns,
    newly_green=turns,
    no_longer_seen=turns,
    added=ids,
    removed=ids,
    slower=st.lists(st.builds(Slower, test=anything, before_s=seconds, now_s=seconds), max_size=2),
    start_s=measured,
    memory_bytes=measured,
    newly_escaped=ids,
    newly_killed=ids,
    red_since=st.dictionaries(anything | st.just("MED-001"), moments, max_size=2),
    history=st.lists(
        st.builds(
            Past,
            run=moments,
            areas=st.lists(
                st.builds(AreaVerdict, area=anything, verdict=st.sampled_from(Verdict)), max_size=2
            ),
        ),
        max_size=2,
    ),
)
numbers = st.floats(min_value=-1e12, max_value=1e12) | st.integers(-3, 10**6).map(float)
measurements = st.builds(
    Series,
    plot=anything,
    name=anything,
    x=anything,
    y=anything,
    points=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=4),
    test=st.none(),
)
evidence = st.builds(Evidence, name=anything, value=json_values) | st.builds(
    Evidence,
    name=st.just("findings"),
    value=st.lists(
        st.dictionaries(st.sampled_from(["object", "fault"]) | anything, json_values, max_size=3), max_size=2
    ),
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Any report, also with hostile text in every place that takes text."""
    tests = []
    for number in range(draw(st.integers(0, 4))):
        outcome, reason = draw(judged())
        proofs = draw(st.sets(st.sampled_from(["MED-001", "MED-002", "PSH-001"]), max_size=2))
        tests.append(
            TestEntry(
                id=f"suites/media/test_{number}.py::{draw(anything)}",
                outcome=outcome,
                duration_s=draw(seconds),
                requirements=tuple(proofs),
                reason=reason,
                evidence=draw(st.lists(evidence, max_size=1)),
                setup_s=draw(seconds),
                basis=draw(maybe),
            )
        )
    requirements = [
        draw(requirement(name, tests))
        for name in ("MED-001", "MED-002", "PSH-001")[: draw(st.integers(0, 3))]
    ]
    run = draw(
        st.builds(
            Run,
            id=anything,
            started=st.datetimes(timezones=st.just(UTC)),
            duration_s=seconds,
            target=st.sampled_from([None, "local", "node"]) | anything,
            overlay=maybe,
            mutant=maybe,
            versions=st.dictionaries(anything, anything, max_size=2),
            differences=st.lists(
                st.builds(
                    Difference, object=anything, field=anything, production=maybe, here=maybe, reason=maybe
                ),
                max_size=2,
            ),
            command=st.lists(anything, max_size=2),
            exit_code=st.sampled_from([None, 0, 0, 0, 1, 10]),
            error=st.none() | st.none() | anything,
        )
    )
    deployment = draw(
        st.builds(
            DeploymentEntry,
            timeline=st.lists(st.builds(Event, at_s=seconds, object=anything, event=anything), max_size=3),
            memory=st.lists(
                st.builds(Memory, object=anything, peak_bytes=st.none() | st.integers(0, 2**50)), max_size=1
            ),
            versions=st.lists(
                st.builds(ImageVersion, name=anything, claimed=anything, real=maybe, note=maybe), max_size=1
            ),
            left_out=st.lists(st.builds(LeftOut, what=anything, why=anything), max_size=1),
        )
    )
    mutant = st.builds(
        Mutant,
        id=anything,
        requirements=st.lists(anything, max_size=2),
        level=st.just("live"),
        red=st.lists(anything, max_size=2),
        outcome=st.sampled_from(MutantOutcome),
        reason=maybe,
    )
    slo = st.builds(
        Slo, id=anything, text=anything, outcome=st.sampled_from(SloOutcome), unit=anything, reason=maybe
    )
    return Report.of(
        run,
        requirements,
        tests,
        deployment,
        mutants=draw(st.none() | st.lists(mutant, max_size=2)),
        slos=draw(st.none() | st.lists(slo, max_size=2)),
        comparison=draw(st.none() | comparisons),
        series=draw(st.none() | st.lists(measurements, max_size=2)),
    )


@st.composite
def requirement(draw: st.DrawFn, name: str, tests: list[TestEntry]) -> RequirementEntry:
    proofs = [test for test in tests if name in test.requirements]
    verdict = worst(test.outcome for test in proofs)
    return RequirementEntry(
        id=name,
        area=draw(st.sampled_from(["media", "push"])),
        text=draw(anything),
        source=draw(anything),
        requires=draw(ids),
        covers=draw(ids),
        verdict=verdict,
        tests=tuple(test.id for test in proofs),
        reason=draw(reasons(verdict)),
    )


profiles = st.builds(
    Profile,
    description=anything,
    verdicts=st.sets(st.sampled_from([Verdict.PASSED, Verdict.WAIVED, Verdict.KNOWN_DEVIATION]), min_size=1),
    not_run=st.sets(st.sampled_from([kind for kind in NotRunKind if kind is not NotRunKind.INTERRUPTED])),
    targets=st.none() | st.sets(st.sampled_from(["local", "node"])),
)


class TestWorst:
    @given(st.lists(st.sampled_from(Verdict)), st.randoms())
    def test_does_not_depend_on_the_order(self, verdicts: list[Verdict], random: Random) -> None:
        shuffled = random.sample(verdicts, len(verdicts))
        assert worst(verdicts) is worst(shuffled)

    @given(st.lists(st.sampled_from(Verdict), min_size=1), st.sampled_from(Verdict))
    def test_never_gets_better_by_more(self, verdicts: list[Verdict], more: Verdict) -> None:
        assert worst([*verdicts, more]).badness >= worst(verdicts).badness
        assert worst([*verdicts, more]) in {worst(verdicts), more}

    def test_of_nothing_is_not_run(self) -> None:
        assert worst([]) is Verdict.NOT_RUN

    def test_knows_the_order_of_the_specification(self) -> None:
        assert [str(verdict) for verdict in sorted(Verdict, key=lambda verdict: -verdict.badness)] == [
            "error",
            "failed",
            "not_run",
            "waived",
            "known_deviation",
            "passed",
        ]


class TestGate:
    @settings(max_examples=100, deadline=None)
    @given(reports(), profiles, st.data())
    def test_making_a_verdict_worse_never_leads_to_acceptance(
        self, report: Report, profile: Profile, data: st.DataObject
    ) -> None:
        if not report.tests or decide(report, profile).code is Code.ACCEPT:
            return
        index = data.draw(st.integers(0, len(report.tests) - 1))
        old = report.tests[index]
        verdict = data.draw(
            st.sampled_from([v for v in Verdict if v.badness > old.outcome.badness] or [old.outcome])
        )
        kind = data.draw(st.sampled_from(NotRunKind)) if verdict is Verdict.NOT_RUN else None
        if old.reason and old.outcome is verdict:
            kind = old.reason.kind
        worse = old.model_copy(update={"outcome": verdict, "reason": Reason(text="worse", kind=kind)})
        tests = [worse if test is old else test for test in report.tests]
        requirements = []
        for entry in report.requirements:
            proofs = [test for test in tests if test.id in entry.tests]
            found = worst(test.outcome for test in proofs)
            reason = next((test.reason for test in proofs if test.outcome is found), entry.reason)
            requirements.append(entry.model_copy(update={"verdict": found, "reason": reason}))
        after = Report.of(
            report.run, requirements, tests, report.deployment, mutants=report.mutants, slos=report.slos
        )
        assert decide(after, profile).code is not Code.ACCEPT

    @settings(max_examples=60, deadline=None)
    @given(reports(), profiles)
    def test_accepts_only_what_the_profile_names(self, report: Report, profile: Profile) -> None:
        if decide(report, profile).code is Code.ACCEPT:
            outcomes = {test.outcome for test in report.tests} | {
                entry.verdict for entry in report.requirements
            }
            assert not outcomes & {Verdict.ERROR, Verdict.FAILED}
            assert outcomes <= profile.verdicts | {Verdict.NOT_RUN}
            assert report.run.exit_code == 0
            assert report.run.error is None

    @settings(max_examples=60, deadline=None)
    @given(reports(), profiles)
    def test_each_reason_is_said_and_there_is_always_one(self, report: Report, profile: Profile) -> None:
        assert all(decide(report, profile).reasons)
        assert decide(report, profile).reasons


class Tags(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


class TestRenderers:
    @settings(max_examples=40, deadline=None)
    @given(reports())
    def test_the_page_holds_no_element_that_is_not_ours_and_nothing_from_elsewhere(
        self, report: Report
    ) -> None:
        text = render_page(report)
        page = Tags(text)
        assert not {"img", "link", "iframe", "object", "base", "embed"} & set(page.tags)
        assert page.tags.count("script") == 1
        assert text.count("<script>") == text.count(f"<script>{filter_script()}</script>") == 1
        assert page.tags.count("form") == bool(report.requirements)
        for tag, name, value in page.attributes:
            assert not name.startswith("on")
            assert name not in {"src", "srcset"}
            if name == "href":
                assert tag in {"a", "use"}
                assert value.startswith("#") or (tag == "a" and urlsplit(value).scheme == "https")

    @settings(max_examples=40, deadline=None)
    @given(reports())
    def test_junit_is_well_formed_and_counts_right(self, report: Report) -> None:
        root = ET.fromstring(render_junit(report).encode())
        cases = root.findall(".//testcase")
        assert len(cases) == len(report.tests) == int(root.attrib["tests"])
        for tag, verdicts in {
            "error": {"error"},
            "failure": {"failed"},
            "skipped": {"not_run", "waived", "known_deviation"},
        }.items():
            expected = sum(test.outcome in verdicts for test in report.tests)
            assert len(root.findall(f".//testcase/{tag}")) == expected

    @settings(max_examples=40, deadline=None)
    @given(reports())
    def test_markdown_holds_no_html_and_no_row_breaks(self, report: Report) -> None:
        text = render_markdown(report)
        assert not re.search(r"<\w", text)
        for block in text.split("\n\n"):
            rows = [line for line in block.splitlines() if line.startswith("|")]
            assert len({len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows}) <= 1

    @settings(max_examples=40, deadline=None)
    @given(reports())
    def test_a_report_survives_json_and_keeps_to_its_schema(self, report: Report) -> None:
        document = json.loads(json.dumps(report.model_dump(mode="json"), allow_nan=False))
        assert violation(document) is None
        assert Report.model_validate(document) == report

    @settings(max_examples=40, deadline=None)
    @given(reports())
    def test_a_censor_reaches_every_text_and_leaves_a_valid_report(self, report: Report) -> None:
        report = Report.model_validate(
            censored(report.model_dump(mode="json"), lambda text: "x" * (len(text) > 0))
        )
        assert not [test for test in report.tests if test.reason and set(test.reason.text) - {"x"}]
        assert not [
            entry
            for test in report.tests
            for entry in test.evidence
            if isinstance(entry.value, str) and set(entry.value) - {"x"}
        ]
        assert not set(report.run.error or "") - {"x"}
