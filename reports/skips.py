"""Finds skips without a typed reason in source text: a skip that the report cannot explain is a hole."""

import ast
from collections.abc import Iterator

_NOT_RUN = "raise NotRun(kind, reason) of reports.model"
_DEVIATION = "mark it known_deviation(link, reason)"
_REMEDIES = {
    "pytest.skip": _NOT_RUN,
    "pytest.importorskip": _NOT_RUN,
    "pytest.mark.skip": _NOT_RUN,
    "pytest.mark.skipif": _NOT_RUN,
    "pytest.xfail": _DEVIATION,
    "pytest.mark.xfail": _DEVIATION,
    "unittest.skip": _NOT_RUN,
    "unittest.skipIf": _NOT_RUN,
    "unittest.skipUnless": _NOT_RUN,
    "unittest.SkipTest": _NOT_RUN,
    "unittest.expectedFailure": _DEVIATION,
    "_pytest.outcomes.skip": _NOT_RUN,
    "_pytest.outcomes.importorskip": _NOT_RUN,
    "_pytest.outcomes.xfail": _DEVIATION,
}


def bare_skips(source: str, file: str) -> Iterator[str]:
    """A line for every mention of a bare skip or xfail, also below another name; nothing for what does not parse."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return  # pytest itself says so
    names = dict(_imports(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            mentions = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            mentions = [_dotted(node, names)]
            if node.attr == "skipTest":
                mentions = ["unittest.skip"]
        else:
            continue
        for mention in mentions:
            if mention in _REMEDIES:
                yield f"{file}:{node.lineno}: {mention} gives no typed reason; {_REMEDIES[mention]} instead"


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Local names and what they stand for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    match node:
        case ast.Name(id=name):
            return names.get(name, "")
        case ast.Attribute(value=value, attr=attr):
            return f"{_dotted(value, names)}.{attr}"
        case _:
            return ""
