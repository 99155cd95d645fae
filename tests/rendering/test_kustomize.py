"""Rendering an overlay, and what is said when it cannot be rendered."""

from pathlib import Path

import pytest

from fixtures.rendering.kustomize import RenderError, render
from fixtures.rendering.objects import Ref


def overlay(folder: Path, kustomization: str, **files: str) -> Path:
    (folder / "kustomization.yaml").write_text(kustomization)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def test_objects_come_out_as_plain_mappings(tmp_path: Path) -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
    objects = render(overlay(tmp_path, "resources: [service.yaml]\nnamespace: here\n", service=service))
    assert [Ref.of(each) for each in objects] == [Ref("Service", "s")]
    assert objects[0]["metadata"]["namespace"] == "here"


def test_a_folder_that_is_no_overlay_is_named(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"nowhere: no kustomization\.yaml there"):
        render(tmp_path / "nowhere")


def test_what_kustomize_says_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"kustomize: .*missing\.yaml") as raised:
        render(overlay(tmp_path, "resources: [missing.yaml]\n"))
    assert "\n" not in str(raised.value)


def test_an_empty_overlay_has_no_objects(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"kustomization\.yaml is empty"):
        render(overlay(tmp_path, ""))
