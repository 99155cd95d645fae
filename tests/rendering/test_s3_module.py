"""Media on S3: what the module makes of an S3 that is there, that lacks a file, that is gone, that says nothing."""

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "programs" / "synapse" / "bin" / "python"
MODULES = ROOT / "manifests" / "images" / "synapse" / "modules"

SCRIPT = """
import json, sys, time
from unittest.mock import MagicMock
from botocore.config import Config
from twisted.internet import defer, reactor, threads
from twisted.internet.task import react
import matrix_s3
from synapse.api.errors import SynapseError

action, port, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
matrix_s3.PATIENCE = matrix_s3.PATIENCE.merge(Config(read_timeout=0.5))

async def run():
    homeserver = MagicMock()
    homeserver.config.media.media_store_path = folder
    api = homeserver.get_module_api.return_value
    api.defer_to_threadpool = lambda pool, f, *a, **kw: threads.deferToThreadPool(reactor, pool, f, *a, **kw)
    storage = matrix_s3.S3Storage(homeserver, matrix_s3.S3Storage.parse_config(
        {"bucket": "media", "region_name": "us-east-1", "endpoint_url": f"http://127.0.0.1:{port}"}))
    storage._get_s3_client()
    begin = time.monotonic()
    try:
        if action == "store":
            await storage.store_file("there", None)
            outcome = "stored"
        else:
            found = await storage.fetch(action, None)
            outcome = "none" if found is None else "found"
            if found is not None:
                found.__exit__(None, None, None)
    except SynapseError as error:
        outcome = f"{error.code} {error.msg}"
    json.dump({"outcome": outcome, "seconds": time.monotonic() - begin}, sys.stdout)

react(lambda reactor: defer.ensureDeferred(run()))
"""


class _S3(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path.endswith("/there")
        body = b"media" if found else b"<Error><Code>NoSuchKey</Code></Error>"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Nothing: the test's output stays clean."""


@pytest.fixture
def s3() -> Iterator[int]:
    """The port of an S3 that knows one file."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _S3) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield listening.server_port
        listening.shutdown()
        thread.join()


@pytest.fixture
def gone() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of something that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield listening.getsockname()[1]


def outcome(action: str, port: int, folder: Path) -> tuple[str, float]:
    (folder / "there").write_bytes(b"media")
    environment = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_CONFIG_FILE": "/dev/null"}
    finished = subprocess.run(
        [str(PYTHON), "-c", SCRIPT, action, str(port), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
        env={**os.environ, **environment, "PYTHONPATH": str(MODULES), "NO_PROXY": "*"},
    )
    assert finished.returncode == 0, finished.stderr
    answer = json.loads(finished.stdout)
    return answer["outcome"], answer["seconds"]


@pytest.mark.parametrize(
    ("action", "expected"), [("there", "found"), ("missing", "none"), ("store", "stored")]
)
def test_an_s3_that_is_there_is_used(s3: int, tmp_path: Path, action: str, expected: str) -> None:
    assert outcome(action, s3, tmp_path)[0] == expected


@pytest.mark.parametrize("action", ["there", "store"])
def test_an_s3_that_is_gone_is_an_error_soon(gone: int, tmp_path: Path, action: str) -> None:
    said, seconds = outcome(action, gone, tmp_path)
    assert said == "502 The media store cannot be reached"
    assert seconds < 10


def test_an_s3_that_says_nothing_is_an_error_too(silent: int, tmp_path: Path) -> None:
    said, seconds = outcome("there", silent, tmp_path)
    assert said == "502 The media store cannot be reached"
    assert seconds < 10
