"""Every component is judged: it is in an overlay, or put on top of production for that."""

from fixtures.plugins.manifests import MANIFESTS, OPTIONAL


def test_every_component_is_judged() -> None:
    there = {file.parent.name for file in MANIFESTS.glob("components/*/kustomization.yaml")}
    written = "".join(
        file.read_text("utf-8")
        for folder in ("overlays", "components")
        for file in MANIFESTS.glob(f"{folder}/*/kustomization.yaml")
    )
    used = {name for name in there if f"/{name}\n" in written}
    assert there == used | {path.name for paths in OPTIONAL.values() for path in paths}
