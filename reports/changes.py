"""What changed since an earlier run: the shape of the key `comparison` of report.json."""

from collections.abc import Mapping

from pydantic import AwareDatetime, NonNegativeFloat

from reports.entry import Entry, Text
from reports.verdicts import Verdict


class RunName(Entry):
    """Names an earlier run, and says when it started."""

    id: Text
    started: AwareDatetime


class Turn(Entry):
    """A requirement whose verdict is another one than before."""

    requirement: Text
    before: Verdict
    now: Verdict


class Slower(Entry):
    """A test that takes clearly longer than before: seconds of the test itself, without its set-up."""

    test: Text
    before_s: NonNegativeFloat
    now_s: NonNegativeFloat


class Measured(Entry):
    """One quantity in both runs, in one unit."""

    before: NonNegativeFloat
    now: NonNegativeFloat


class AreaVerdict(Entry):
    """The worst verdict in one area, of what was looked at."""

    area: Text
    verdict: Verdict


class Past(Entry):
    """An earlier run: the verdicts of the areas that it looked at."""

    run: RunName
    areas: tuple[AreaVerdict, ...] = ()


class Comparison(Entry):
    """What is other than in an earlier run of the same overlay on the same target.

    Red is `error` or `failed`, held is every verdict better than `not_run`. What the command line left out of either
    run is compared with nothing.
    """

    against: RunName
    newly_red: tuple[Turn, ...] = ()
    newly_green: tuple[Turn, ...] = ()
    no_longer_seen: tuple[Turn, ...] = ()
    """Held before; nobody could look now."""
    added: tuple[Text, ...] = ()
    removed: tuple[Text, ...] = ()
    slower: tuple[Slower, ...] = ()
    start_s: Measured | None = None
    memory_bytes: Measured | None = None
    newly_escaped: tuple[Text, ...] = ()
    """Mutants that were killed before."""
    newly_killed: tuple[Text, ...] = ()
    red_since: Mapping[Text, RunName] = {}
    """For each requirement that is red: the first run of an unbroken row in which it was."""
    history: tuple[Past, ...] = ()
    """Earlier runs, the oldest first."""
