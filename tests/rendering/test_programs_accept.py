"""The programs themselves accept the rendered configuration, with freshly minted Secrets."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from fixtures.rendering.objects import Manifest, base_name, of_kind
from fixtures.rendering.overlay import front_hosts
from fixtures.rendering.secrets import load_declarations, mint, values

SYNAPSE_PYTHON = Path(__file__).parents[2] / ".venv" / "programs" / "synapse" / "bin" / "python"
MOUNTED = {
    "/run/secrets": "secrets",
    "/etc/haproxy/maps": "haproxy-maps",
    "/etc/synapse/log": "synapse-log",
    "/var/lib/synapse": "media",
}

LOAD = """
import sys
from synapse.config.homeserver import HomeServerConfig
settings = HomeServerConfig.load_config("test", sys.argv[1:])
print(settings.worker.worker_app, settings.worker.worker_name, settings.redis.redis_enabled,
      settings.registration.registration_shared_secret is not None, settings.media.can_load_media_repo)
"""


def bent(text: str, root: Path) -> str:
    """A configuration file whose paths into other volumes lead below `root`."""
    for path, instead in MOUNTED.items():
        text = text.replace(path, str(root / instead))
    return text


@pytest.fixture(scope="module")
def laid_out(local_objects: tuple[Manifest, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every ConfigMap and Secret as a folder, paths inside the files bent to where they lie now."""
    root = tmp_path_factory.mktemp("pod")
    for config_map in of_kind(local_objects, "ConfigMap"):
        folder = root / base_name(config_map["metadata"]["name"])
        folder.mkdir()
        for name, text in config_map["data"].items():
            (folder / name).write_text(bent(text, root))
    for secret in mint(load_declarations(), hosts=front_hosts(local_objects)):
        folder = root / "secrets" / secret["metadata"]["name"]
        folder.mkdir(parents=True)
        for key, value in values(secret).items():
            (folder / key).write_bytes(value)
    return root


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
    [(False, "None None True True True"), (True, "synapse.app.generic_worker w-1 True True False")],
)
def test_synapse_loads_its_configuration(laid_out: Path, worker: bool, expected: str) -> None:
    folders = [laid_out / "synapse-conf.d"]
    if worker:
        pod = laid_out / "pod"
        pod.mkdir()
        (pod / "pod.yaml").write_text('worker_name: "w-1"\n')
        folders += [laid_out / "synapse-generic-worker", pod]
    files = [f"--config-path={file}" for folder in folders for file in sorted(folder.glob("*.yaml"))]
    code, said = run(str(SYNAPSE_PYTHON), "-c", LOAD, *files)
    assert code == 0, said
    assert said.strip() == expected


def test_no_log_file_is_opened(laid_out: Path) -> None:
    assert "filename" not in (laid_out / "synapse-log" / "log.yaml").read_text()
