"""The list of images, and the folders that stand for them."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from fixtures.rendering.catalogue import Bind, Catalogue, DebianLayer, Image, Local, catalogue, lookup
from fixtures.rendering.objects import RenderingError


def image(**fields: object) -> Image:
    given = {
        "repository": "r.test/a",
        "tag": "1",
        "digest": None,
        "digest_missing": "none yet",
        "licence": "MIT",
        "user": 1,
        "without_registry": {"kind": "none", "reason": "nobody has it"},
    }
    return Image.model_validate({**given, **fields})


def listed(*images: Image) -> Catalogue:
    layers = (
        DebianLayer(suite="bookworm", packages=("redis-server",)),
        DebianLayer(suite="forky", packages=("postgresql-18",)),
    )
    return Catalogue(debian=layers, images=images)


def test_an_unknown_image_is_named_with_those_there_are() -> None:
    with pytest.raises(
        RenderingError, match=r"image 'r\.test/b:1' is not listed; add it, or use one of: r\.test/a:1"
    ):
        listed(image()).lookup("r.test/b:1")


def test_another_tag_is_another_image() -> None:
    with pytest.raises(RenderingError, match="not listed"):
        lookup(f"{catalogue().images[0].repository}:0")


def test_the_name_has_the_digest_when_there_is_one() -> None:
    digest = "sha256:" + "0" * 64
    assert image(digest=digest, digest_missing=None).name == f"r.test/a:1@{digest}"
    assert image().name == "r.test/a:1"


@pytest.mark.parametrize(
    "fields",
    [
        {"digest": None, "digest_missing": None},
        {"digest": "sha256:" + "0" * 64},
        {"repository": "redis"},
        {"without_registry": {"kind": "debian"}},
        {"without_registry": {"kind": "debian", "package": "p"}},
        {"without_registry": {"kind": "none"}},
        {"without_registry": {"kind": "none", "reason": "r", "package": "p"}},
        {"composed": {"path": ["/usr/bin"]}},
        {"unknown": 1},
    ],
)
def test_half_an_entry_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        image(**fields)


def test_one_image_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="more than once"):
        listed(image(), image())


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"program": "p", "file": "f"},
        {"file": "f", "sub": "s"},
        {"file": "../f"},
        {"file": "/f"},
        {"program": "p", "sub": "../s"},
    ],
)
def test_a_bind_has_one_source_inside(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Bind.model_validate({"to": "/opt/x", **fields})


def test_a_glob_must_fit_one_path(tmp_path: Path) -> None:
    bind = Bind(to="/opt/x", program="p", sub="lib/python3*/x")
    with pytest.raises(RenderingError, match="fits 0 paths"):
        bind.source(tmp_path)
    (tmp_path / "p/lib/python3.11/x").mkdir(parents=True)
    assert bind.source(tmp_path) == tmp_path / "p/lib/python3.11/x"
    (tmp_path / "p/lib/python3.12/x").mkdir(parents=True)
    with pytest.raises(RenderingError, match="fits 2 paths"):
        bind.source(tmp_path)


def test_a_file_lies_below_the_manifests(tmp_path: Path) -> None:
    bind = Bind(to="/opt/x", file="images/x")
    with pytest.raises(RenderingError, match="fits 0 paths"):
        bind.source(tmp_path, manifests=tmp_path)
    (tmp_path / "images/x").mkdir(parents=True)
    assert bind.source(tmp_path, manifests=tmp_path) == tmp_path / "images/x"


def test_parts_may_be_left_out() -> None:
    assert Local(path=("/usr/bin",), version=("x",)).binds == ()


def test_a_package_of_an_image_is_in_the_debian_layer() -> None:
    local = {"path": ["/usr/bin"], "version": ["p"]}
    known = image(without_registry={"kind": "debian", "package": "redis-server"}, local=local)
    assert listed(known).images == (known,)
    stranger = image(without_registry={"kind": "debian", "package": "p"}, local=local)
    with pytest.raises(ValidationError, match=r"r\.test/a:1: add p to the packages of bookworm"):
        listed(stranger)


def test_an_image_may_lie_upon_another_suite() -> None:
    source = {"kind": "debian", "package": "postgresql-18"}
    layout = {"path": ["/usr/bin"]}
    newer = image(without_registry={**source, "suite": "forky"}, composed=layout)
    assert listed(newer).layer_below(newer).suite == "forky"
    with pytest.raises(ValidationError, match="add postgresql-18 to the packages of bookworm"):
        listed(image(without_registry=source, composed=layout))
    with pytest.raises(ValidationError, match="debian has no layer of the suite sid; add it"):
        listed(image(without_registry={**source, "suite": "sid"}, composed=layout))


def test_images_are_composed_as_the_local_target_lays_them_out_unless_it_is_said_otherwise() -> None:
    local = {"path": ["/a"], "env": {"A": "1"}, "version": ["p"]}
    source = {"kind": "pypi", "package": "p"}
    like_local = image(without_registry=source, local=local).layout
    assert like_local is not None
    assert (like_local.path, like_local.env, like_local.entrypoint) == (("/a",), {"A": "1"}, ())
    otherwise = image(without_registry=source, local=local, composed={"path": ["/b"]}).layout
    assert otherwise is not None
    assert otherwise.path == ("/b",)
    assert image().layout is None
