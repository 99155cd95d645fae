"""Layers and archives: equal content makes equal bytes, whoever makes them, where and when."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

from fixtures.targets.kubernetes.images.archive import ImageContent, archive_key, write_archive
from fixtures.targets.kubernetes.images.caching import COMPLETE, cached
from fixtures.targets.kubernetes.images.composer import upstream
from fixtures.targets.kubernetes.images.folders import folder_layer
from fixtures.targets.kubernetes.images.layers import Entry, Layer, Link, tree, write_layer
from fixtures.targets.kubernetes.images.rootfs import installed, timeless, without_devices
from tests.targets.kubernetes.composed import archived

UNCHECKED_HASH = 1  # the flags of a .pyc that is compared with no source (PEP 552)
HEADER = 16  # bytes before the code


def folder(root: Path, *, text: str = "hello", mtime: int = 1, mode: int = 0o644) -> Path:
    """A folder with a program, a link and a folder that is empty."""
    (root / "bin").mkdir(parents=True)
    (root / "empty").mkdir()
    file = root / "bin" / "program"
    file.write_text(text)
    file.chmod(mode)
    os.utime(file, (mtime, mtime))
    (root / "bin" / "again").symlink_to("program")
    return root


def members(layer: Layer) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(layer.path) as tar:
        return {member.name: member for member in tar.getmembers()}


def test_where_and_when_a_folder_was_made_is_not_in_its_layer(tmp_path: Path) -> None:
    one = write_layer(tree(folder(tmp_path / "a", mtime=1), "/opt/x"), tmp_path / "1.tar")
    two = write_layer(
        reversed(list(tree(folder(tmp_path / "b", mtime=2, mode=0o600), "/opt/x"))), tmp_path / "2.tar"
    )
    assert one.digest == two.digest
    assert one.path.read_bytes() == two.path.read_bytes()


@pytest.mark.parametrize("other", [{"text": "bye"}, {"mode": 0o755}])
def test_what_is_in_a_folder_is_in_its_layer(tmp_path: Path, other: dict[str, object]) -> None:
    one = write_layer(tree(folder(tmp_path / "a"), "/opt/x"), tmp_path / "1.tar")
    two = write_layer(tree(folder(tmp_path / "b", **other), "/opt/x"), tmp_path / "2.tar")  # type: ignore[arg-type]
    assert one.digest != two.digest


def test_a_layer_belongs_to_root_and_has_its_parents(tmp_path: Path) -> None:
    found = members(write_layer(tree(folder(tmp_path / "a"), "/opt/x"), tmp_path / "1.tar"))
    assert list(found) == [
        *("opt", "opt/x", "opt/x/bin", "opt/x/bin/again", "opt/x/bin/program", "opt/x/empty"),
    ]
    assert {(member.uid, member.gid, member.mtime) for member in found.values()} == {(0, 0, 0)}
    assert found["opt/x/bin/again"].linkname == "program"
    assert found["opt/x/empty"].isdir()


def test_a_later_entry_replaces_an_earlier_one(tmp_path: Path) -> None:
    layer = write_layer([Entry("a", b"1"), Entry("a", Link("b"))], tmp_path / "1.tar")
    assert members(layer)["a"].issym()


def test_an_archive_has_each_layer_once_and_each_image_by_name(tmp_path: Path) -> None:
    layers = [write_layer([Entry(name, name.encode())], tmp_path / f"{name}.tar") for name in ("a", "b")]
    images = [
        ImageContent("r.test/one:1", layers[:1], ("/bin",), {"A": "1"}, user=5, labels={"l": "1"}),
        ImageContent("r.test/two:2", layers, ("/opt/bin", "/bin"), {}, user=6, entrypoint=("run",)),
    ]
    write_archive(images, tmp_path / "1.archive")
    write_archive(images, tmp_path / "2.archive")
    assert (tmp_path / "1.archive").read_bytes() == (tmp_path / "2.archive").read_bytes()
    with tarfile.open(tmp_path / "1.archive") as tar:
        assert sum(name.endswith("layer.tar") for name in tar.getnames()) == len(layers)
    found = archived(tmp_path / "1.archive")
    assert list(found) == ["r.test/one:1", "r.test/two:2"]
    assert found["r.test/one:1"]["config"] == {
        "Env": ["PATH=/bin", "A=1"],
        "Labels": {"l": "1"},
        "User": "5:5",
        "WorkingDir": "/",
    }
    assert found["r.test/two:2"]["config"]["Entrypoint"] == ["run"]
    assert found["r.test/two:2"]["rootfs"]["diff_ids"] == [layer.digest for layer in layers]
    assert archive_key(images) != archive_key(images[:1])


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An environment with one module and one program, as a maker of environments leaves it."""
    made = tmp_path / "made"
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", str(made)], check=True)
    (site,) = made.glob("lib/python3*/site-packages")
    (site / "answer.py").write_text("def answer():\n    return 42\n")
    program = made / "bin" / "answer"
    program.write_text(f"#!{made}/bin/python\nimport answer\nprint(answer.answer())\n")
    program.chmod(0o755)
    return made


def test_an_environment_is_laid_as_if_it_had_been_made_there(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its programs name the Python of the image, and its byte code the modules there, compared with no time."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    layer = folder_layer(environment, "/opt/it")
    with tarfile.open(layer.path) as tar:
        read = {member.name: tar.extractfile(member) for member in tar if member.isreg()}
        content = {name: file.read() for name, file in read.items() if file is not None}
    assert content["opt/it/bin/answer"].startswith(b"#!/opt/it/bin/python\n")
    (compiled,) = [name for name in content if "site-packages/__pycache__/answer." in name]
    assert int.from_bytes(content[compiled][4:8], "little") == UNCHECKED_HASH
    source = re.sub(r"__pycache__/(\w+)\..+", r"\1.py", compiled)
    assert f"/{source}".encode() in content[compiled][HEADER:]
    assert not [
        name
        for name, text in content.items()
        if name != "opt/it/pyvenv.cfg" and str(tmp_path).encode() in text
    ]
    assert not [name for name in content if "activate" in name]


def test_two_caches_have_the_same_layer(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = set()
    for name in ("one", "two"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))
        digests.add(folder_layer(environment, "/opt/it").digest)
    assert len(digests) == 1


def test_a_changed_folder_is_laid_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = folder(tmp_path / "a")
    before = folder_layer(source, "/opt/x")
    assert folder_layer(source, "/opt/x") == before
    (source / "bin" / "program").write_text("other")
    assert folder_layer(source, "/opt/x").digest != before.digest


def test_half_of_what_is_cached_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A making that fails leaves no complete folder, and what it left is gone before the next one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def fails(into: Path) -> None:
        (into / "half").touch()
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        cached("thing", "k", fails)
    made = cached("thing", "k", lambda into: (into / "whole").touch())
    assert {path.name for path in made.iterdir()} == {"whole", COMPLETE}
    assert cached("thing", "k", fails) == made


def test_debian_versions_are_read_and_shortened() -> None:
    status = (
        "Package: a\nStatus: install ok installed\nVersion: 5:7.0.15-1~deb12u3\n\nPackage: b\nVersion: 1.2\n"
    )
    assert installed(status) == {"a": "5:7.0.15-1~deb12u3", "b": "1.2"}
    assert [upstream(version) for version in installed(status).values()] == ["7.0.15", "1.2"]


def test_members_of_the_debian_layer_have_no_time_and_are_no_devices() -> None:
    given = [tarfile.TarInfo(name) for name in ("./", "./dev/null", "./usr/bin/ping")]
    given[2].mtime = 5
    given[2].pax_headers = {"mtime": "5.1", "SCHILY.xattr.security.capability": "c"}
    (kept,) = without_devices(timeless(given))
    assert (kept.name, kept.mtime, kept.pax_headers) == (
        "usr/bin/ping",
        0,
        {"SCHILY.xattr.security.capability": "c"},
    )
