"""In what the overlay that ran differs from production, grouped by object. Pure, no markup."""

import re
from dataclasses import dataclass

from reports.model import Difference, Report


@dataclass(frozen=True)
class Apart:
    """Names of objects that only one side has, by kind, and the fields of the others, by object."""

    only_production: tuple[tuple[str, tuple[str, ...]], ...]
    only_here: tuple[tuple[str, tuple[str, ...]], ...]
    changed: tuple[tuple[str, tuple[Difference, ...]], ...]

    @property
    def fields(self) -> int:
        """How many fields and files of common objects differ."""
        return sum(len(found) for _, found in self.changed)


def apart(report: Report) -> Apart:
    """The differences of a report's run; one without a field is about a whole object."""
    changed: dict[str, list[Difference]] = {}
    only: tuple[dict[str, list[str]], dict[str, list[str]]] = ({}, {})
    for each in report.run.differences:
        if each.field:
            changed.setdefault(each.object, []).append(each)
        else:
            kind, _, name = each.object.rpartition("/")
            only[each.production is None].setdefault(kind, []).append(name)
    production, here = (tuple((kind, tuple(names)) for kind, names in side.items()) for side in only)
    return Apart(production, here, tuple((name, tuple(found)) for name, found in changed.items()))


_WRAPPING = re.compile(r"^spec\.(template\.spec\.)?((init)?[cC]ontainers\[[^]]*\]\.)?(resources\.)?")


def setting(field: str) -> str:
    """The name of a field without the path that every field of a workload has: `limits.memory`."""
    return _WRAPPING.sub("", field)
