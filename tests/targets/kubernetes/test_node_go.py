"""The node's own Go packages have tests of their own; here they are run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from reports.model import NotRun, NotRunKind
from tests.targets.kubernetes.on_node import need_programs

NODE: Final = Path(__file__).parents[3] / "fixtures" / "targets" / "kubernetes" / "node"
PACKAGES: Final = ("archive", "loadbalancer", "netpol", "pki", "server")
LIMIT_S: Final = 900.0


def test_packages_pass_their_tests() -> None:
    """With the flags of the build, so that what it compiled is not compiled again."""
    need_programs()
    if (go := shutil.which("go")) is None:
        raise NotRun(NotRunKind.UNAVAILABLE, "no Go is on this machine's PATH")
    flags = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-trimpath -mod=readonly -buildvcs=false"}
    words = ["test", "-tags", "providerless,grpcnotrace", *(f"./{each}" for each in PACKAGES)]
    done = subprocess.run(
        [go, *words],
        cwd=NODE,
        env={**os.environ, **flags},
        text=True,
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("ok")]
    assert passed == [f"matrix-conformance/node/{each}" for each in PACKAGES]
