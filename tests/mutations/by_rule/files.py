"""Rules about configuration files: routes of the edge, and Synapse's table of its processes. Pure."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml

from fixtures.rendering.findings import Objects
from fixtures.rendering.objects import Manifest, Ref, find
from tests.mutations.by_rule.breaks import Break, Predicate, Rule, edited, put

MAPS, ROUTES = Ref("ConfigMap", "haproxy-maps"), "routes.map"
SYNAPSE = Ref("ConfigMap", "synapse-conf.d")

Settings = dict[str, Any]


def _map_lines(objects: Objects) -> Iterator[tuple[Manifest, list[str], int, str, str]]:
    """Each route of the map: the ConfigMap, all lines, the index of this one, its pattern and its pool."""
    found = find(objects, MAPS)
    if found is not None:
        lines = found["data"][ROUTES].splitlines(keepends=True)
        for index, line in enumerate(lines):
            if not line.startswith("#") and line.strip():
                yield found, lines, index, *line.split()


def route_removed(objects: Objects) -> Iterator[Break]:
    """A line of the map is lost."""
    for manifest, lines, index, pattern, _ in _map_lines(objects):
        text = "".join(lines[:index] + lines[index + 1 :])
        yield edited(manifest, _route(index, pattern), put(text, "data", ROUTES))


def route_elsewhere(objects: Objects) -> Iterator[Break]:
    """A line of the map leads to another pool: a worker's to the main process, all else to a worker."""
    for manifest, lines, index, pattern, pool in _map_lines(objects):
        other = "main" if pool == "generic-worker" else "generic-worker"
        text = "".join([*lines[:index], f"{pattern} {other}\n", *lines[index + 1 :]])
        yield edited(manifest, _route(index, pattern), put(text, "data", ROUTES))


def _route(index: int, pattern: str) -> str:
    return f"{index} {pattern.rpartition('/_matrix')[2] or pattern}"


Variant = Callable[[Settings], Iterator[tuple[str, Settings]]]


def of_synapse(setting: str, variants: Variant) -> Rule:
    """The rule that gives a top-level setting of Synapse each of these variants, in the file that has the last word."""

    def rule(objects: Objects) -> Iterator[Break]:
        manifest = find(objects, SYNAPSE)
        files = (manifest or {}).get("data") or {}
        said = [name for name in sorted(files) if setting in (yaml.safe_load(files[name]) or {})]
        if manifest is not None and said:
            whole = yaml.safe_load(files[said[-1]])
            for place, changed in variants(whole[setting]):
                text = yaml.safe_dump(whole | {setting: changed}, sort_keys=False)
                yield edited(manifest, f"{setting} {place}", put(text, "data", said[-1]))

    return rule


def _one_less(table: Settings) -> Iterator[tuple[str, Settings]]:
    for name in table:
        yield name, {key: value for key, value in table.items() if key != name}


def _elsewhere(table: Settings) -> Iterator[tuple[str, Settings]]:
    for name, entry in table.items():
        for field, wrong in (("host", f"mutant-{entry['host']}"), ("port", entry["port"] + 1)):
            changed = copy.deepcopy(table)
            changed[name][field] = wrong
            yield f"{name} {field}", changed


def _doubled(table: Settings) -> Iterator[tuple[str, Settings]]:
    for stream, writers in table.items():
        yield stream, table | {stream: [*writers, "mutant-0"]}


RULES: Mapping[str, Rule] = {
    "route-removed": route_removed,
    "route-elsewhere": route_elsewhere,
    "instance-removed": of_synapse("instance_map", _one_less),
    "instance-elsewhere": of_synapse("instance_map", _elsewhere),
    "stream-writer-doubled": of_synapse("stream_writers", _doubled),
    "stream-writer-removed": of_synapse("stream_writers", _one_less),
}

PREDICATES: Mapping[str, Predicate] = {}
