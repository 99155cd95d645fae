"""What people look at is said in their words."""

import pytest

from reports.model import (
    DeploymentEntry,
    Event,
    ImageVersion,
    Mutant,
    Reason,
    Report,
    RequirementEntry,
    ResourceEntry,
    Run,
    TestEntry,
)
from reports.views import ASKED_FOR, NO_REASON, headline, not_run, offers, other_version, timeline
from reports.wording import duration, many, ratio, share, size


@pytest.fixture
def run() -> Run:
    return Run(id="r", started="2026-06-15T12:00:00Z", exit_code=0)


def requirements(*verdicts: str) -> tuple[list[RequirementEntry], list[TestEntry]]:
    """Tests and requirements with these verdicts, one to one."""
    tests, entries = [], []
    for number, verdict in enumerate(verdicts):
        reason = Reason(text="no signals", kind="capability_absent") if verdict == "not_run" else None
        name = f"MED-{number:03}"
        test = TestEntry(id=f"t{number}", outcome=verdict, requirements=(name,), reason=reason)
        tests.append(test)
        entries.append(
            RequirementEntry(
                id=name,
                area="media",
                text="MUST",
                source="x",
                verdict=verdict,
                tests=(test.id,),
                reason=reason,
            )
        )
    return entries, tests


@pytest.mark.parametrize(
    ("verdicts", "mood", "sentence"),
    [
        (["passed", "passed"], "good", "All 2 requirements hold"),
        (["passed", "waived"], "good", "All 2 requirements hold, with 1 accepted deviation"),
        (["passed", "not_run"], "doubtful", "1 of 2 requirements hold; 1 not looked at"),
        (["not_run"], "doubtful", "Nothing was proved: no requirement was looked at"),
        ([], "doubtful", "Nothing was proved: no requirement was looked at"),
        (["passed", "failed", "not_run"], "bad", "1 of 3 requirements is broken"),
        (["error", "failed"], "bad", "2 of 2 requirements are broken"),
    ],
)
def test_the_headline_says_the_worst_first(run: Run, verdicts: list[str], mood: str, sentence: str) -> None:
    found = headline(Report.of(run, *requirements(*verdicts)))
    assert (found.mood, found.sentence) == (mood, sentence)


def test_the_headline_tells_of_a_run_that_broke_off(run: Run) -> None:
    broken = run.model_copy(update={"error": "no cluster"})
    assert (
        headline(Report.of(broken, *requirements("not_run"))).sentence
        == "The run did not get to prove anything"
    )
    sentence = "The run broke off: 1 of 2 requirements held until then"
    assert headline(Report.of(broken, *requirements("passed", "not_run"))).sentence == sentence


@pytest.mark.parametrize(
    ("outcome", "mood", "sentence"),
    [
        ("killed", "good", "Every mutant was caught (1)"),
        ("survived", "bad", "1 of 1 mutant escaped the suite"),
    ],
)
def test_the_headline_of_a_run_of_mutants(run: Run, outcome: str, mood: str, sentence: str) -> None:
    mutant = Mutant(id="m", requirements=("MED-001",), level="live", outcome=outcome)
    found = headline(Report.of(run, [], [], mutants=[mutant]))
    assert (found.mood, found.sentence) == (mood, sentence)


def test_what_did_not_run_is_gathered_by_reason(run: Run) -> None:
    [entry] = not_run(Report.of(run, *requirements("not_run", "passed", "not_run")))
    assert (entry.kind, entry.text) == ("capability_absent", "no signals")
    assert (entry.requirements, entry.tests) == (("MED-000", "MED-002"), ("t0", "t2"))


def test_each_object_has_a_bar_from_its_first_event_to_its_last(run: Run) -> None:
    events = [
        Event(at_s=4, object="redis-0", event="ready"),
        Event(at_s=1, object="redis-0", event="starts"),
        Event(at_s=2, object="initialise", event="done"),
    ]
    length, bars = timeline(Report.of(run, [], [], DeploymentEntry(timeline=events)))
    assert length == 4
    assert [(bar.object, bar.marks) for bar in bars] == [("redis-0", (250, 1000)), ("initialise", (500,))]
    assert bars[0].segments == [(250, 750, "ready")]


@pytest.mark.parametrize(
    ("claimed", "real", "other"),
    [
        ("18.6", "postgres (PostgreSQL) 18.6", False),
        ("v1.150.0", "1.150.0", False),
        ("3.4", "HAProxy version 2.6.12", True),
        ("3.4", "13.4", True),
        ("3.4", "3.41", True),
        ("3.4", None, False),
    ],
)
def test_another_version_than_claimed_is_seen(claimed: str, real: str | None, other: bool) -> None:
    assert other_version(ImageVersion(name="x", claimed=claimed, real=real)) is other


def test_numbers_are_said_as_people_say_them() -> None:
    assert [duration(s) for s in (0.417, 42, 423, 7500)] == ["0.42 s", "42 s", "7 min 03 s", "2 h 05 min"]
    assert [size(b) for b in (None, 512, 300 * 2**20, 3 * 2**29)] == ["—", "512 B", "300 MiB", "1.5 GiB"]
    assert [share(*each) for each in ((1, 2), (399, 400), (400, 400), (2, 3), (0, 0))] == [
        "50 %",
        "99.7 %",
        "100 %",
        "66.6 %",
        "—",
    ]
    assert [ratio(2, 3), ratio(0, 3), many(1, "test"), many(0, "test")] == ["×1.50", "—", "1 test", "0 tests"]


def test_resources_are_gathered_by_what_is_to_be_said_of_them(run: Run) -> None:
    """What nobody says anything of comes first; what was asked for is before what has a reason."""
    resources = [
        ResourceEntry(method="GET", path="/a", reason="untested: nobody has come to it"),
        ResourceEntry(method="GET", path="/b", exercised=True, answers={"2xx": 2}),
        ResourceEntry(method="GET", path="/c"),
        ResourceEntry(method="PUT", path="/a", reason="untested: nobody has come to it"),
    ]
    found = offers(Report.of(run, [], [], resources=resources))
    assert [(each.title, [entry.path for entry in each.resources]) for each in found] == [
        (NO_REASON, ["/c"]),
        (ASKED_FOR, ["/b"]),
        ("untested: nobody has come to it", ["/a", "/a"]),
    ]
