"""What broke, cut for people: each cause once, with everything that it broke. Pure, no markup."""

from collections.abc import Iterable
from dataclasses import dataclass

from reports.model import Report, RequirementEntry, TestEntry, Verdict
from reports.views import having, tests_of


@dataclass(frozen=True)
class Cause:
    """What tests said when they broke, and the tests that said so."""

    said: str
    link: str | None
    tests: tuple[TestEntry, ...]


@dataclass(frozen=True)
class Breakage:
    """Requirements that are broken for the same causes, worst first."""

    requirements: tuple[RequirementEntry, ...]
    causes: tuple[Cause, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of them."""
        return self.requirements[0].verdict


def breakages(report: Report, verdicts: Iterable[Verdict]) -> list[Breakage]:
    """The requirements with one of the verdicts, those with the same causes together, worst first.

    One dead deployment breaks a hundred requirements: that is one thing to read, not a hundred.
    """
    verdicts = frozenset(verdicts)
    found: dict[tuple[Verdict, frozenset[str]], list[RequirementEntry]] = {}
    tests: dict[tuple[Verdict, frozenset[str]], dict[str, TestEntry]] = {}
    for entry in having(report, verdicts):
        proofs = [test for test in tests_of(report, entry) if test.outcome in verdicts]
        key = entry.verdict, frozenset(_said(test) for test in proofs)
        found.setdefault(key, []).append(entry)
        tests.setdefault(key, {}).update({test.id: test for test in proofs})
    return [Breakage(tuple(found[key]), tuple(_causes(tests[key].values()))) for key in found]


def _causes(tests: Iterable[TestEntry]) -> Iterable[Cause]:
    by_text: dict[str, list[TestEntry]] = {}
    for test in tests:
        by_text.setdefault(_said(test), []).append(test)
    for said, found in by_text.items():
        reason = found[0].reason
        yield Cause(said, reason.link if reason else None, tuple(found))


def _said(test: TestEntry) -> str:
    return test.reason.text if test.reason else "no reason was given"
