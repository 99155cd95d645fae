"""The programs themselves accept the rendered configuration, with freshly minted Secrets."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SYNAPSE_PYTHON = ROOT / ".venv" / "programs" / "synapse" / "bin" / "python"
MODULES = ROOT / "manifests" / "images" / "synapse" / "modules"
LOAD = """
import sys
from synapse.config.homeserver import HomeServerConfig
settings = HomeServerConfig.load_config("test", sys.argv[1:])
print(settings.worker.worker_app, settings.worker.worker_name, settings.redis.redis_enabled,
      settings.registration.registration_shared_secret is not None, settings.media.can_load_media_repo)
"""


def run(*argv: str, **environment: str) -> tuple[int, str]:
    finished = subprocess.run(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )
    return finished.returncode, finished.stdout


def test_haproxy_finds_nothing_to_complain_about(laid_out: Path) -> None:
    code, said = run("haproxy", "-c", "-W", "-f", str(laid_out / "haproxy-conf.d"), NAMESPACE="matrix")
    assert code == 0, said
    assert not re.search("WARNING|ALERT", said), said


@pytest.mark.parametrize(
    ("worker", "expected"),
    [
        (None, "None None True True False"),
        ("synchrotron", "synapse.app.generic_worker w-1 True True False"),
        ("initial-sync", "synapse.app.generic_worker w-1 True True False"),
        ("generic-worker", "synapse.app.generic_worker w-1 True True False"),
        ("media-repository", "synapse.app.generic_worker w-1 True True True"),
        ("event-persister", "synapse.app.generic_worker w-1 True True False"),
        ("federation-sender", "synapse.app.generic_worker w-1 True True False"),
    ],
)
def test_synapse_loads_its_configuration(laid_out: Path, worker: str | None, expected: str) -> None:
    folders = [laid_out / "synapse-conf.d"]
    if worker:
        pod = laid_out / f"pod-{worker}"
        pod.mkdir()
        (pod / "pod.yaml").write_text('worker_name: "w-1"\n')
        folders += [laid_out / f"synapse-{worker}", pod]
    files = [f"--config-path={file}" for folder in folders for file in sorted(folder.glob("*.yaml"))]
    code, said = run(str(SYNAPSE_PYTHON), "-c", LOAD, *files, PYTHONPATH=str(MODULES))
    assert code == 0, said
    assert said.strip() == expected


def test_no_log_file_is_opened(laid_out: Path) -> None:
    assert "filename" not in (laid_out / "synapse-log" / "log.yaml").read_text()
