"""Element Web writes nowhere but into /tmp, and listens where its container says."""

import re
from pathlib import Path

from fixtures.rendering.objects import Manifest, Ref, find, pod_template_of

FOLDER = Path(__file__).parents[2] / "manifests" / "main-instance" / "04-element-web"
NGINX = (FOLDER / "nginx.conf").read_text(encoding="utf-8")


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
