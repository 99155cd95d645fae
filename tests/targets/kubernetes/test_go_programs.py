"""Programs of Go modules: built once, by a lock, and what is not served is told from what is broken."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fixtures.rendering.objects import RenderingError
from fixtures.targets.kubernetes.images import go_programs
from fixtures.targets.kubernetes.images.go_programs import UnavailableError, go_program, module_version
from reports.model import NotRun, NotRunKind

GO = "go 1.24"
# Hashes that are none of any module; before one is compared, the module has to be had.
SUM = "".join(f"example.com/absent v1.0.0{of} h1:{'A' * 43}=\n" for of in ("", "/go.mod"))


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for modules of ours, with a cache and a folder of programs of its own."""
    if shutil.which("go") is None:
        raise NotRun(NotRunKind.UNAVAILABLE, "no Go is on this machine's PATH")
    for name in ("modules", "programs", "cache"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(go_programs, "MODULES", tmp_path / "modules")
    monkeypatch.setattr(go_programs, "PROGRAMS", tmp_path / "programs")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "modules"


def module(folder: Path, *, says: str = "hello", requires: str = "") -> None:
    """A module with one program that prints `says`."""
    (folder / "greet").mkdir(parents=True, exist_ok=True)
    (folder / "go.mod").write_text(
        f"module example.com/ours\n\n{GO}\n\ntool example.com/ours/greet\n{requires}"
    )
    text = f'package main\n\nimport "os"\n{{}}\nfunc main() {{{{ os.Stdout.WriteString("{says}") }}}}\n'
    used = 'import _ "example.com/absent"\n' if requires else ""
    (folder / "greet" / "main.go").write_text(text.format(used))


def test_a_program_is_built_once_and_linked(modules: Path, tmp_path: Path) -> None:
    module(modules / "greeting")
    built = go_program("greeting")
    assert subprocess.check_output([built / "bin" / "greet"], text=True) == "hello"
    assert (tmp_path / "programs" / "go-greeting").resolve() == built
    stamp = (built / "bin" / "greet").stat().st_mtime_ns
    assert go_program("greeting") == built
    assert (built / "bin" / "greet").stat().st_mtime_ns == stamp


def test_another_lock_is_another_program(modules: Path, tmp_path: Path) -> None:
    module(modules / "greeting")
    first = go_program("greeting")
    (modules / "greeting" / "go.sum").write_text(SUM)
    second = go_program("greeting")
    assert second != first
    assert (tmp_path / "programs" / "go-greeting").resolve() == second


class Refusal(BaseHTTPRequestHandler):
    """A module proxy that has nothing."""

    def do_GET(self) -> None:
        self.send_error(403, "This module version is not available.")

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name is its parent's
        """Requests are expected and not logged."""


@pytest.fixture
def refusing_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The Go command asks a proxy that serves nothing."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("GOPROXY", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "cache" / "modules"))
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_what_is_not_served_is_unavailable(modules: Path, refusing_proxy: None) -> None:
    module(modules / "greeting", requires="require example.com/absent v1.0.0\n")
    (modules / "greeting" / "go.sum").write_text(SUM)
    with pytest.raises(UnavailableError, match="manifests/images/go/greeting: a module is not served here"):
        go_program("greeting")


def test_what_does_not_compile_is_broken(modules: Path) -> None:
    module(modules / "greeting", says='"')
    with pytest.raises(RenderingError, match="manifests/images/go/greeting: go build failed") as caught:
        go_program("greeting")
    assert not isinstance(caught.value, UnavailableError)


def test_a_version_is_read_from_the_module(modules: Path) -> None:
    module(modules / "greeting", requires="require (\n\texample.com/absent v1.0.0 // indirect\n)\n")
    assert module_version("greeting", "example.com/absent") == "v1.0.0"
    with pytest.raises(RenderingError, match=r"go\.mod: does not require example\.com/other; add it"):
        module_version("greeting", "example.com/other")
