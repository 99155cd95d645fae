"""What goes out of the cache, and what stays."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest

from fixtures.targets.kubernetes.images.caching import COMPLETE, cached, lock_of
from fixtures.targets.kubernetes.images.pruning import UNUSED_S, prune

NOW = time.time()
OLD, LATELY = NOW - UNUSED_S - 60, NOW - UNUSED_S + 60


def entry(cache: Path, name: str, used: float, *, complete: bool = True) -> Path:
    """A folder of the cache, last used then."""
    folder = cache / name
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "program").write_text("x")
    (folder / "bin").chmod(0o555)  # as files of Go modules are
    if complete:
        (folder / COMPLETE).touch()
        os.utime(folder / COMPLETE, (used, used))
    os.utime(folder, (used, used))
    return folder


def archive(cache: Path, name: str, used: float) -> Path:
    """An archive of images, last used then."""
    (cache / "images").mkdir(exist_ok=True)
    (file := cache / "images" / name).write_text("x")
    os.utime(file, (used, used))
    return file


def test_what_nobody_uses_goes_and_all_else_stays(tmp_path: Path) -> None:
    """Folders and archives, complete or not; what the cache did not make stays, however old."""
    stays = [
        entry(tmp_path, "synapse-0123456789abcdef", LATELY),
        entry(tmp_path, "layer-1123456789abcdef", LATELY, complete=False),
        entry(tmp_path, "somebody-elses", OLD),
        archive(tmp_path, "images-3123456789abcdef.tar", LATELY),
        archive(tmp_path, "mine.tar", OLD),
    ]
    goes = [
        entry(tmp_path, "kubernetes-node-0123456789abcdef", OLD),
        entry(tmp_path, "layer-2123456789abcdef", OLD, complete=False),
        archive(tmp_path, "images-0123456789abcdef.tar", OLD),
    ]
    (tmp_path / "set-up.lock").touch()
    assert set(prune(tmp_path, NOW)) == {each.name for each in goes}
    assert all(each.exists() for each in stays)
    assert not any(each.exists() for each in goes)
    assert not list(tmp_path.glob(".pruned-*"))
    assert (tmp_path / "set-up.lock").exists()


def test_what_is_used_is_young_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not made anew, and stays."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (cache := tmp_path / "matrix-conformance").mkdir()
    folder = entry(cache, "layer-0123456789abcdef", OLD)
    assert cached("layer", "0123456789abcdef", lambda _: pytest.fail("it is there")) == folder
    assert prune(cache, NOW) == ()


def test_what_is_being_made_stays(tmp_path: Path) -> None:
    """Somebody holds its lock."""
    folder = entry(tmp_path, "layer-0123456789abcdef", OLD, complete=False)
    with lock_of(folder).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert prune(tmp_path, NOW) == ()
    assert prune(tmp_path, NOW) == (folder.name,)


def test_an_interrupted_removal_is_finished(tmp_path: Path) -> None:
    """And a cache that is not there yet is none of its business."""
    (tmp_path / ".pruned-layer-0123456789abcdef" / "rest").mkdir(parents=True)
    prune(tmp_path, NOW)
    assert not list(tmp_path.iterdir())
    assert prune(tmp_path / "none", NOW) == ()


def test_looking_costs_nothing(tmp_path: Path) -> None:
    """Of hundreds of entries, in less than a tenth of a second."""
    for number in range(300):
        entry(tmp_path, f"layer-{number:016x}", LATELY)
    begin = time.process_time()
    assert prune(tmp_path, NOW) == ()
    assert time.process_time() - begin < 0.1
