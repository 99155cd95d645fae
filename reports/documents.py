"""Reading YAML, TOML and JSON files so that every complaint names file, line, field and remedy.

YAML is read by a loader that refuses duplicate keys: in plain YAML the last one silently wins.
"""

import json
import tomllib
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

T = TypeVar("T")
Place = tuple[str | int, ...]
"""Where a value sits in a document: keys and indices from the root."""

_REMEDIES = {
    "missing": "add the field",
    "extra_forbidden": "remove the field or correct its name",
}


class DocumentError(Exception):
    """A file that is not what it must be. Each problem is one line: file:line, field, what is wrong, remedy."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load_yaml(path: Path) -> Any:
    """The single YAML document in a file, as plain Python values.

    Raises DocumentError when the file cannot be read, is not YAML, or has a key twice in one mapping.
    """
    return parse_yaml(_read(path), shown(path))


def parse_yaml(text: str, source: str) -> Any:
    """The single YAML document in a text; `source` is how messages name the text."""
    documents = list(_documents(text, source))
    if len(documents) > 1:
        raise DocumentError(f"{source}: {len(documents)} documents; keep one per file")
    return documents[0].value if documents else None


def parse_yaml_stream(text: str, source: str) -> list[Any]:
    """Every YAML document in a text (what `kubectl kustomize` prints), empty ones left out."""
    return [document.value for document in _documents(text, source) if document.value is not None]


def load_yaml_stream(path: Path) -> list[Any]:
    """Every YAML document in a file, empty ones left out; DocumentError as for `load_yaml`."""
    return parse_yaml_stream(_read(path), shown(path))


def load_model(path: Path, model: type[T]) -> T:
    """A file (.yaml, .toml or .json) as a pydantic model, or any type that pydantic can validate.

    Raises DocumentError with one line for each problem.
    """
    source, text, lines = shown(path), _read(path), dict[Place, int]()
    match path.suffix:
        case ".toml":
            value = _decoded(tomllib.loads, text, source)
        case ".json":
            value = _decoded(json.loads, text, source)
        case _:
            documents = list(_documents(text, source))
            if len(documents) != 1:
                raise DocumentError(f"{source}: {len(documents)} documents; write exactly one")
            value, lines = documents[0].value, documents[0].lines
    try:
        return TypeAdapter(model).validate_python(value)
    except ValidationError as error:
        raise DocumentError(*(_problem(source, lines, detail) for detail in error.errors())) from error


def shown(path: Path) -> str:
    """A path as messages show it: relative to the working directory where it lies below it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        raise DocumentError(
            f"{shown(path)}: cannot be read: {what}; give the path of a readable file"
        ) from error


def _decoded(decode: Any, text: str, source: str) -> Any:
    try:
        return decode(text)
    except ValueError as error:
        raise DocumentError(f"{source}: {error}; correct the syntax") from error


def _problem(source: str, lines: dict[Place, int], detail: ErrorDetails) -> str:
    place = detail["loc"]
    line = next((lines[place[:end]] for end in range(len(place), -1, -1) if place[:end] in lines), None)
    where = f"{source}:{line}" if line else source
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    remedy = _REMEDIES.get(detail["type"], "correct the value")
    message = " ".join(detail["msg"].removeprefix("Value error, ").split())
    return f"{where}: {field or 'document'}: {message}; {remedy}"


@dataclass(frozen=True)
class _Document:
    value: Any
    node: yaml.Node

    @property
    def lines(self) -> dict[Place, int]:
        """The line of each place; only for messages, and costly where aliases are used a lot."""
        return dict(_lines(self.node, ()))


class _Loader(yaml.CSafeLoader):
    """libyaml's safe loader (ten times as fast as the one in Python), refusing duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        # Before merge keys (<<) are resolved: overriding a merged key is what they are for.
        _refuse_duplicates(self, node)
        return super().construct_mapping(node, deep=deep)


def _refuse_duplicates(loader: _Loader, node: yaml.MappingNode) -> None:
    seen: dict[Hashable, int] = {}
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, Hashable):
            continue  # the loader itself complains about it
        line = key_node.start_mark.line + 1
        if key in seen:
            raise yaml.MarkedYAMLError(
                problem=f"the key {key!r} appears twice, first in line {seen[key]}; keep one of them",
                problem_mark=key_node.start_mark,
            )
        seen[key] = line


def _documents(text: str, source: str) -> Iterator[_Document]:
    try:
        loader = _Loader(text)
        try:
            while loader.check_node():
                node = loader.get_node()
                if node is not None:
                    value = loader.construct_document(node)
                    yield _Document(value, node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{source}:{mark.line + 1}" if mark else source
        remedy = "" if "; " in (error.problem or "") else "; correct the syntax"
        raise DocumentError(f"{where}: {error.problem or error.context}{remedy}") from error
    except yaml.YAMLError as error:
        raise DocumentError(f"{source}: {' '.join(str(error).split())}; correct the syntax") from error
    except ValueError as error:  # a timestamp such as 2026-02-30
        raise DocumentError(f"{source}: {error}; correct the value") from error


def _lines(node: yaml.Node, place: Place) -> Iterator[tuple[Place, int]]:
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _lines(value, (*place, str(key.value)))
            # The key's line, not the value's: a nested value starts on a later one.
            yield (*place, str(key.value)), key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _lines(item, (*place, index))
