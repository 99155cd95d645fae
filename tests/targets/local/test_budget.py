"""The local target is a process rig, not a Kubernetes: what it may cost to read is bounded."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import pytest

from fixtures.targets import local

MOST_LINES = 2300  # types, and one statement a line, cost a third over the first sketch
NO_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def lines_of_code(source: str) -> int:
    """Lines that hold code: neither blank, nor comment, nor docstring."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Documented) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            lines.difference_update(range(docstring.lineno, (docstring.end_lineno or 0) + 1))
    return len(lines)


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("", 0),
        ('"""Doc\nstring."""\n', 0),
        ("# comment\n\nx = 1  # more\n", 1),
        ('def f():\n    """Doc."""\n    return """two\nlines"""\n', 3),
        ("x = [\n    1,\n    # no\n    2,\n]\n", 4),
    ],
)
def test_counts_code_only(source: str, lines: int) -> None:
    """Strings that are values count; docstrings, comments and blank lines do not."""
    assert lines_of_code(source) == lines


def test_local_target_stays_small() -> None:
    """Whoever needs more than this is building a Kubernetes: that question belongs to a real one."""
    files = sorted(Path(local.__path__[0]).glob("*.py"))
    counts = {file.name: lines_of_code(file.read_text()) for file in files}
    assert len(counts) > 10, "the files were not found"
    total = sum(counts.values())
    assert total <= MOST_LINES, f"{total} lines of code, {MOST_LINES} are allowed: {counts}"
