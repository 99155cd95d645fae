"""The real command on an overlay of a few plain resources."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
IMAGE = "docker.io/library/redis:8.10.2"
CONFIGURATION = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "synapse-conf.d"},
    "data": {"10-base.yaml": "server_name: tiny.example\npublic_baseurl: https://tiny.example/\n"},
}
PASSWORD = {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "redis", "key": "password"}}}


def pod(*command: str, image: str = IMAGE, **fields: Any) -> dict[str, Any]:
    """A bare pod `p` of one container that knows a password."""
    main = {"name": "main", "image": image, "command": list(command), "env": [PASSWORD], **fields}
    spec = {"containers": [main], "securityContext": {"runAsUser": 999, "runAsGroup": 999}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


@dataclass(frozen=True)
class Run:
    """What the real command said."""

    code: int
    output: str
    reports: Path

    @property
    def error(self) -> str:
        """The one line of error; that there is one, and no traceback, is part of every promise here."""
        assert "Traceback" not in self.output, self.output
        lines = [
            line for line in self.output.splitlines() if re.search(r"(^|\s)error: ", line, re.IGNORECASE)
        ]
        told = {re.sub(r"^.*?error: ", "", line, flags=re.IGNORECASE).strip("! ") for line in lines}
        assert len(told) == 1, self.output
        return told.pop()

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        [folder] = (entry for entry in self.reports.iterdir() if not entry.is_symlink())
        return folder

    @property
    def log(self) -> str:
        """What the pod wrote, from the report folder."""
        return "".join(file.read_text() for file in sorted(self.folder.glob("logs/p/main.*.log")))


@dataclass(frozen=True)
class Command:
    """`pytest suites/client_api` on an overlay of a few plain resources."""

    folder: Path

    def overlay(self, *objects: dict[str, Any]) -> Path:
        """A new overlay of these objects and the least configuration."""
        overlay = self.folder / "overlay"
        overlay.mkdir(exist_ok=True)
        (overlay / "objects.yaml").write_text(yaml.safe_dump_all([CONFIGURATION, *objects]))
        (overlay / "kustomization.yaml").write_text("resources: [objects.yaml]\n")
        return overlay

    def __call__(
        self,
        *objects: dict[str, Any],
        arguments: tuple[str, ...] = (),
        before: tuple[str, ...] = (),
        **environment: str,
    ) -> Run:
        """Run it to its end."""
        reports = self.folder / "reports"
        words = [sys.executable, "-m", "pytest", "suites/client_api", "-pno:cacheprovider", "-k", "versions"]
        asked = (
            "--overlay",
            str(self.overlay(*objects)),
            "--report-dir",
            str(reports),
            "--deploy-within",
            "20",
        )
        done = subprocess.run(
            [*before, *words, *asked, *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return Run(done.returncode, done.stdout + done.stderr, reports)


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)
