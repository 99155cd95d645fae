"""What a container sees at which path."""

from typing import Any

import pytest

from fixtures.rendering.mounts import mounted_files
from fixtures.rendering.objects import Manifest

OBJECTS: tuple[Manifest, ...] = (
    {"kind": "ConfigMap", "metadata": {"name": "c", "namespace": "n"}, "data": {"a": "A", "b": "B"}},
    {"kind": "ConfigMap", "metadata": {"name": "c", "namespace": "other"}, "data": {"z": "Z"}},
    {"kind": "ConfigMap", "metadata": {"name": "d", "namespace": "n"}, "data": {"a": "D"}},
)
ALL = {"configMap": {"name": "c"}}
ONE = {"configMap": {"name": "c", "items": [{"key": "a", "path": "sub/file"}]}}
SECRET = {"secret": {"secretName": "s", "items": [{"key": "k", "path": "k"}]}}
PROJECTED = {
    "projected": {"sources": [{"configMap": {"name": "c"}}, {"configMap": {"name": "d"}}, {"secret": {}}]}
}


@pytest.mark.parametrize(
    ("volume", "mount", "seen"),
    [
        (ALL, {"mountPath": "/etc/x/"}, {"/etc/x/a": b"A", "/etc/x/b": b"B"}),
        (ALL, {"mountPath": "/etc/x.yaml", "subPath": "b"}, {"/etc/x.yaml": b"B"}),
        (ALL, {"mountPath": "/etc/x.yaml", "subPath": "nothing"}, {}),
        (ONE, {"mountPath": "/etc"}, {"/etc/sub/file": b"A"}),
        (ONE, {"mountPath": "/etc", "subPath": "sub"}, {"/etc/file": b"A"}),
        (SECRET, {"mountPath": "/run"}, {"/run/k": None}),
        (PROJECTED, {"mountPath": "/p"}, {"/p/a": b"D", "/p/b": b"B"}),
        ({"emptyDir": {}}, {"mountPath": "/tmp"}, {}),
    ],
)
def test_files_are_where_the_mount_puts_them(
    volume: dict[str, Any], mount: dict[str, Any], seen: dict[str, bytes | None]
) -> None:
    pod = {"volumes": [{"name": "v", **volume}]}
    found = mounted_files({"volumeMounts": [{"name": "v", **mount}]}, pod, OBJECTS, "n")
    assert {file.path: file.content for file in found} == seen


def test_a_later_mount_wins_and_a_missing_volume_is_nothing() -> None:
    pod = {"volumes": [{"name": "v", **ALL}, {"name": "w", "configMap": {"name": "d"}}]}
    mounts = [{"name": name, "mountPath": "/etc"} for name in ("v", "w", "gone")]
    found = mounted_files({"volumeMounts": mounts}, pod, OBJECTS, "n")
    assert [(str(file.source), file.path, file.text) for file in found] == [
        ("ConfigMap/d", "/etc/a", "D"),
        ("ConfigMap/c", "/etc/b", "B"),
    ]
