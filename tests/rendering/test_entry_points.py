"""The shell scripts that start our images say what is wrong in one line."""

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

BIN = Path(__file__).parents[2] / "manifests" / "images" / "synapse" / "bin"


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


@pytest.mark.parametrize("script", sorted(path.name for path in BIN.iterdir()))
def test_scripts_can_be_run_by_anybody(script: str) -> None:
    assert (BIN / script).stat().st_mode & 0o555 == 0o555
    assert (BIN / script).read_text().startswith("#!/bin/sh\n")
