"""Element Web: no service outside, headers on every answer, an ordinary user on a read-only root."""

import re
from pathlib import Path

from fixtures.rendering.objects import Manifest, Ref, find, pod_template_of

FOLDER = Path(__file__).parents[2] / "manifests" / "main-instance" / "04-element-web"
NGINX = (FOLDER / "nginx.conf").read_text(encoding="utf-8")


def test_every_answer_has_the_headers() -> None:
    server = NGINX[NGINX.index("    server {") :]
    locations = re.findall(r"location [^{]*\{([^}]*)\}", server)
    assert len(locations) >= 3
    assert not [body for body in locations if "add_header" in body], (
        "add_header there drops those of the server"
    )
    for header in ("Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy"):
        assert re.search(rf'add_header {header} (".*"|\S+) always;', server), header


def test_scripts_come_from_here_only() -> None:
    said = re.search(r'Content-Security-Policy "([^"]+)"', NGINX)
    assert said is not None
    policy = {name: sources for name, *sources in (part.split() for part in said[1].split(";"))}
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == ["'self'", "'wasm-unsafe-eval'"]
    assert policy["frame-ancestors"] == ["'none'"]


def test_it_writes_nowhere_but_into_tmp(every_workload: tuple[Manifest, ...]) -> None:
    assert re.findall(r"(?:pid|_temp_path) (\S+);", NGINX)
    assert all(path.startswith("/tmp/") for path in re.findall(r"(?:pid|_temp_path) (\S+);", NGINX))
    workload = find(every_workload, Ref("Deployment", "element-web"))
    assert workload is not None
    (container,) = pod_template_of(workload)["spec"]["containers"]
    writable = [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
    assert writable == ["/tmp"]
    (port,) = container["ports"]
    assert f"listen {port['containerPort']};" in NGINX
    assert port["containerPort"] >= 1024
