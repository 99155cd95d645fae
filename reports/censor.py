"""Keeps what is secret out of a report: every free text passes a censor, ids and verdicts stay as they are."""

from collections.abc import Callable
from typing import Any

Censor = Callable[[str], str]

# Keys whose strings are structure: verdicts, ids, and references by id.
_STRUCTURE = frozenset(
    {
        *("area", "id", "kind", "level", "outcome", "red", "requirements", "started", "test"),
        *("tests", "verdict"),
        *("added", "before", "newly_escaped", "newly_killed", "now", "removed", "requirement"),
    }
)


def censored(document: Any, censor: Censor) -> Any:
    """A report document (as plain JSON) with `censor` applied to every string that is not structure."""
    match document:
        case str():
            return censor(document)
        case list():
            return [censored(item, censor) for item in document]
        case {"name": str(name), "value": value, **rest} if not rest:  # evidence: free text all through
            return {"name": censor(name), "value": _thoroughly(value, censor)}
        case dict():
            return {
                key: _structure(item, censor) if key in _STRUCTURE else censored(item, censor)
                for key, item in document.items()
            }
        case _:
            return document


def _structure(value: Any, censor: Censor) -> Any:
    if isinstance(value, list):
        return [_structure(item, censor) for item in value]
    return censored(value, censor) if isinstance(value, dict) else value


def _thoroughly(value: Any, censor: Censor) -> Any:
    match value:
        case str():
            return censor(value)
        case list():
            return [_thoroughly(item, censor) for item in value]
        case dict():
            return {censor(key): _thoroughly(item, censor) for key, item in value.items()}
        case _:
            return value
