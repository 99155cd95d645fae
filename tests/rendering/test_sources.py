"""The file of each object of a kustomization."""

from pathlib import Path

from fixtures.rendering.objects import Ref
from fixtures.rendering.sources import kustomized


def test_the_files_of_a_kustomization_are_found(tmp_path: Path) -> None:
    """Resources, components, generators and prefixes; a merged key is where the overlay has it."""
    for name, text in {
        "overlay/kustomization.yaml": (
            "namePrefix: a-\nresources: [../base]\ncomponents: [part]\n"
            "configMapGenerator: [{name: c, behavior: merge, files: [new.conf]}]\n"
        ),
        "overlay/new.conf": "",
        "overlay/part/kustomization.yaml": "kind: Component\nresources: [s.yaml]\n",
        "overlay/part/s.yaml": "kind: Service\nmetadata: {name: s}\n",
        "base/kustomization.yaml": "resources: [d.yaml]\nconfigMapGenerator: [{name: c, files: [k=old.conf]}]\n",
        "base/d.yaml": "kind: Deployment\nmetadata: {name: d}\n---\nkind: Service\nmetadata: {name: t}\n",
        "base/old.conf": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    sources = kustomized(tmp_path / "overlay")
    found = {
        place or kind: sources.file_of(Ref(kind, name), place).removeprefix(f"{tmp_path}/")
        for kind, name, place in (
            ("Deployment", "a-d", ""),
            ("Service", "a-s", ""),
            ("ConfigMap", "a-c-2456789bcd", ""),
            ("ConfigMap", "a-c-2456789bcd", "k"),
            ("ConfigMap", "a-c-2456789bcd", "new.conf line 3"),
            ("Secret", "gone", ""),
        )
    }
    assert found == {
        "Deployment": "base/d.yaml",
        "Service": "overlay/part/s.yaml",
        "ConfigMap": "base/kustomization.yaml",
        "k": "base/old.conf",
        "new.conf line 3": "overlay/new.conf",
        "Secret": "overlay",
    }
