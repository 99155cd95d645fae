"""The shell scripts that start our images say what is wrong in one line."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

import pytest

BIN = Path(__file__).parents[2] / "manifests" / "images" / "synapse" / "bin"
FILER = BIN.parents[2] / "infrastructure" / "03-object-storage" / "configuration" / "filer.sh"
MODULES = BIN.parent / "modules"


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(BIN / argv[0]), *argv[1:]],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        env={"PATH": "/usr/bin:/bin"},
    )


@pytest.fixture
def server() -> Iterator[str]:
    """Answers 200 at /health and 404 elsewhere."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 404)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Nothing: the test's output stays clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("synapse-start",), "one or two arguments are needed"),
        (("synapse-start", "homeserver", "more", "much"), "there are 3"),
        (("trim-media", "/tmp"), "three arguments are needed"),
        (("trim-media", "/tmp", "1", "often"), "'often' is not a whole number"),
        (("synapse-start", "pusher"), "unknown application 'pusher'"),
        (("synapse-start", "homeserver"), "/run/synapse is not a writable folder"),
        (("wait-for-http", "http://127.0.0.1"), "two arguments are needed"),
        (("wait-for-http", "http://127.0.0.1", "soon"), "SECONDS is 'soon'"),
    ],
)
def test_a_wrong_call_is_answered_in_one_line(arguments: tuple[str, ...], fault: str) -> None:
    finished = run(*arguments)
    assert finished.returncode == 2
    assert fault in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


def test_waiting_ends_with_the_answer(server: str) -> None:
    finished = run("wait-for-http", f"{server}/health", "5")
    assert finished.returncode == 0
    assert re.search(r"answers after [01] s", finished.stdout)


def test_waiting_in_vain_says_what_was_seen(server: str) -> None:
    finished = run("wait-for-http", f"{server}/other", "1")
    assert finished.returncode == 1
    assert "404" in finished.stderr
    assert "waiting for" in finished.stdout


def test_the_media_cache_is_trimmed_oldest_first_and_never_what_is_new(tmp_path: Path) -> None:
    def file(name: str, age_s: int) -> Path:
        made = tmp_path / name
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_bytes(b"x" * 1024 * 1024)
        then = time.time() - age_s
        os.utime(made, (then, then))
        return made

    oldest, older = file("local_content/aa/1", 9000), file("remote_content/bb/2", 8000)
    new, preview = file("local_content/cc/3", 0), file("url_cache/4", 9000)
    running = subprocess.Popen(
        ["sh", str(BIN / "trim-media"), str(tmp_path), "4090", "60"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert running.stdout is not None
        assert "was at" in running.stdout.readline()
    finally:
        running.terminate()
        assert running.wait(timeout=5) == 0
    assert [each.exists() for each in (oldest, older, new, preview)] == [False, True, True, True]


def test_the_media_trimmer_leaves_a_sign_of_life(tmp_path: Path) -> None:
    """What its liveness probe asks for; there at once, and also when there is nothing to remove."""
    folder = tmp_path / "media"
    running = subprocess.Popen(["sh", str(BIN / "trim-media"), str(folder), "4090", "60"])
    try:
        deadline = time.monotonic() + 5
        while not (tmp_path / "media.trimmed").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        running.terminate()
        assert running.wait(timeout=5) == 0


@pytest.fixture
def database() -> Iterator[socket.socket]:
    """An address at which nobody listens yet."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


@contextlib.contextmanager
def starting(folder: Path, *databases: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """A process that stands for Synapse, with configuration files that say these databases, in that order."""
    (app := folder / "synapse" / "app").mkdir(parents=True)
    (app / "homeserver.py").write_text(
        "import sys\n\ndef main():\n    print('started', len(sys.argv), flush=True)\n"
    )
    files = []
    for number, text in enumerate(databases):
        files.append(folder / f"{number}.yaml")
        files[-1].write_text(text)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "await_database",
            "synapse.app.homeserver",
            *(f"--config-path={file}" for file in files),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": f"{MODULES}:{folder}", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    with process:
        assert process.stdout is not None
        try:
            yield process, process.stdout
        finally:
            process.kill()


def at(address: tuple[str, int]) -> str:
    """A drop-in that says where the database is."""
    return f"database:\n  args: {{host: {address[0]}, port: {address[1]}}}\n"


def test_synapse_waits_for_the_database_that_the_last_file_names(
    tmp_path: Path, database: socket.socket
) -> None:
    """It says so, and starts with its own arguments when somebody listens."""
    files = (at(("127.0.0.1", 1)), at(database.getsockname()), "caches: {}\n", "")
    with starting(tmp_path, *files) as (running, said):
        host, port = database.getsockname()
        assert said.readline().startswith(f"await_database: waiting for {host}:{port} for 0 s: ")
        database.listen()
        assert said.read() == "started 5\n"
        assert running.wait(timeout=5) == 0


def test_synapse_that_waits_can_be_stopped(tmp_path: Path, database: socket.socket) -> None:
    """At once."""
    with starting(tmp_path, at(database.getsockname())) as (running, said):
        said.readline()
        running.terminate()
        assert running.wait(timeout=5) == 143


@pytest.mark.parametrize("host", ["/run/postgresql", "'a.example,b.example'", "null"])
def test_what_is_no_one_address_is_not_waited_for(host: str, tmp_path: Path) -> None:
    """A socket, several hosts, or what libpq takes by itself."""
    with starting(tmp_path, f"database:\n  args: {{host: {host}}}\n") as (_, said):
        assert said.read() == "started 2\n"


def test_a_filer_waits_for_its_database(tmp_path: Path, database: socket.socket) -> None:
    """Whoever listens is enough, in whatever language; then weed gets its arguments and the password."""
    host, port = database.getsockname()
    (tmp_path / "password").write_text("se:cr\\et")
    (tmp_path / "filer.toml").write_text(
        f'[postgres2]\nhostname = "{host}"\nport = {port}\nusername = "filer"\n'
    )
    (weed := tmp_path / "weed").write_text('#!/bin/sh\ncat "$PGPASSFILE" && echo "$*"\n')
    weed.chmod(0o755)
    script = FILER.read_text()
    for folder in ("/etc/seaweedfs/main", "/run/secrets/postgresql-s3", "/run/seaweedfs"):
        script = script.replace(folder, str(tmp_path))
    with subprocess.Popen(
        ["sh", "-c", script, "filer.sh", "-port=8888"],
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    ) as running:
        assert running.stdout is not None
        try:
            assert running.stdout.readline() == f"filer.sh: waiting for {host}:{port} (curl: 7)\n"
            database.listen()
            connection, _ = database.accept()
            connection.close()
            assert running.stdout.read().splitlines() == [
                r"*:*:*:*:se\:cr\\et",
                f"-logtostderr=true -config_dir={tmp_path} filer -port=8888",
            ]
            assert (tmp_path / "pgpass").stat().st_mode & 0o077 == 0
        finally:
            running.kill()


@pytest.mark.parametrize("script", sorted(path.name for path in BIN.iterdir()))
def test_scripts_can_be_run_by_anybody(script: str) -> None:
    assert (BIN / script).stat().st_mode & 0o555 == 0o555
    assert (BIN / script).read_text().startswith("#!/bin/sh\n")
