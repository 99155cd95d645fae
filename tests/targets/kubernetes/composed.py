"""Archives of images as tests look into them, and their layers as one tree that programs can be started in."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fixtures.rendering.objects import Manifest
from fixtures.rendering.rules.advisories import images

LIMIT_S = 60.0


def images_of(objects: Iterable[Manifest]) -> set[str]:
    """Every image that the objects name."""
    return {image for manifest in objects for _, image in images(manifest)}


def archived(archive: Path) -> dict[str, dict[str, Any]]:
    """What an archive says of each image: name -> its configuration."""
    with tarfile.open(archive) as tar:
        manifest = json.loads(_read(tar, "manifest.json"))
        return {entry["RepoTags"][0]: json.loads(_read(tar, entry["Config"])) for entry in manifest}


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    member = tar.extractfile(name)
    assert member is not None, f"the archive has no file {name}"
    return member.read()


@dataclass(frozen=True)
class Tree:
    """All layers of an archive on top of each other, and how to start a program there as a container would."""

    root: Path
    configurations: Mapping[str, Mapping[str, Any]]

    def run(self, image: str, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a program of an image: its user, its environment, nothing but /tmp and /run writable."""
        config = self.configurations[image]["config"]
        user, _, group = config["User"].partition(":")
        settings = [part for pair in config["Env"] for part in ("--setenv", *pair.split("=", 1))]
        return subprocess.run(
            [
                *("bwrap", "--unshare-all", "--uid", user, "--gid", group, "--ro-bind", str(self.root), "/"),
                *("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/run", "--clearenv"),
                *(*settings, "--", *argv),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
            stdin=subprocess.DEVNULL,
        )


@contextmanager
def unpacked(archive: Path) -> Iterator[Tree]:
    """The images of an archive as one tree: they share the Debian layer, the rest lies in folders of their own."""
    with TemporaryDirectory(prefix="tree-") as root, tarfile.open(archive) as tar:
        for name in tar.getnames():
            if name.endswith("/layer.tar"):
                subprocess.run(
                    ["tar", "-x", "--no-same-owner", "-C", root],
                    input=_read(tar, name),
                    check=True,
                    timeout=LIMIT_S,
                )
        yield Tree(Path(root), archived(archive))
