"""What a person sees whose manifests or machine cannot work: one line, and an exit code that says whose fault it is."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.targets.local.addresses import BLOCKS
from tests.plugins.conftest import Command, pod

CANNOT_DEPLOY, USAGE, UNWRITTEN = 10, 4, 11

NOBODY = """
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: u, user: {}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (
            {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "e"}},
            "Endpoints/e: the local target does not know the kind Endpoints; use",
        ),
        (
            pod("sleep", "9", tty=True),
            r"Pod/p: spec.containers\[0\].tty: the local target does not know this field; use",
        ),
        (
            pod("sleep", "9", image="example.org/what:1"),
            r"Pod/p: containers\[0\] main: .*catalogue\.yaml: the image 'example.org/what:1' is not listed; add it",
        ),
        (
            pod("dance"),
            r"Pod/p: containers\[0\] main: there is no program 'dance' on the PATH of docker.io/library/redis.*; run",
        ),
        (
            pod(),
            r"Pod/p: containers\[0\] main: command: there are no images to take an entry point from; state it",
        ),
        (
            pod("sleep", "9", command="sleep 9"),
            r"Pod/p: spec.containers\[0\].command: must be a list, not 'sleep 9'; mend",
        ),
    ],
)
def test_manifest_that_cannot_run_is_refused_before_anything_starts(
    command: Command, manifest: dict[str, Any], said: str
) -> None:
    """Unknown kind or field, no such image, program or command: object, place, remedy; code 10; in the report too."""
    run = command(manifest)
    assert re.match(said, run.error), run.error
    assert run.code == CANNOT_DEPLOY
    assert re.match(said, json.loads((run.folder / "report.json").read_text())["run"]["error"])


@pytest.mark.parametrize(
    ("manifest", "arguments", "said"),
    [
        (
            pod(
                "sh",
                "-c",
                "echo $PASSWORD; exec sleep 60",
                readinessProbe={"exec": {"command": ["test", "-e", "/ready"]}},
            ),
            ("--deploy-within", "1"),
            r"not ready within 1 s: p: container main: readiness probe: exec test: exit code 1",
        ),
        (
            pod("sh", "-c", "echo $PASSWORD; echo [/bin/sh] cannot; exit 3"),
            (),
            r"p: container main ended 5 times .*exited with 3.*lines: \[secret redis/password\] \| \[/bin/sh\] cannot",
        ),
    ],
)
def test_pod_that_never_gets_ready_is_named_with_its_logs(
    command: Command, manifest: dict[str, Any], arguments: tuple[str, ...], said: str
) -> None:
    """A probe that fails, a crash loop: what was seen last; the log is kept, without the password."""
    run = command(manifest, arguments=arguments)
    assert re.match(said, run.error), run.error
    assert f"(logs: {run.folder}/logs)" in run.error
    assert run.code == CANNOT_DEPLOY
    assert "[secret redis/password]" in run.log


def test_full_disk_is_named(command: Command) -> None:
    """A container that fills the report's disk: pod and remedy; 11 where the report cannot be written either."""
    reports = command.folder / "reports"
    reports.mkdir()
    mounted = ("unshare", "--mount", "sh", "-c", f'mount -t tmpfs -o size=4m full {reports} && "$@"', "sh")
    never = {"exec": {"command": ["false"]}}
    fill = ("sh", "-c", "while :; do head -c 4096 /dev/zero | tr '\\0' x; echo; done")
    run = command(pod(*fill, readinessProbe=never), before=mounted)
    assert "p: [Errno 28] No space left on device; free space or mend permissions" in run.output
    assert "Traceback" not in run.output
    assert run.code in (CANNOT_DEPLOY, UNWRITTEN)
    assert run.code == UNWRITTEN or "report.json could not be written" not in run.output


@contextlib.contextmanager
def all_blocks(folder: Path) -> Iterator[Path]:
    """Every lock is held, as if so many deployments were running."""
    with contextlib.ExitStack() as stack:
        for block in BLOCKS:
            state = folder / f"matrix-conformance-{os.getuid()}" / str(block.number)
            state.mkdir(parents=True)
            fcntl.flock(stack.enter_context((state / "lock").open("w")), fcntl.LOCK_EX)
        yield folder


def test_no_free_address_block_is_said(command: Command) -> None:
    """How many there are, and where their locks are."""
    with all_blocks(command.folder / "states") as folder:
        run = command(pod("sleep", "60"), TMPDIR=str(folder))
    assert run.error.startswith("no free address block: all 32 of 198.18.0.0/15 are in use")
    assert f"end one of them (their locks are in {folder}/matrix-conformance-" in run.error
    assert run.code == CANNOT_DEPLOY


def test_report_folder_that_cannot_be_written_stops_the_run_before_it_begins(command: Command) -> None:
    """Nothing is deployed for a report that nobody will read."""
    (command.folder / "reports").write_text("a file")
    run = command(pod("sleep", "60"))
    assert re.search(r"reports/\S+ could not be written: Not a directory; .*--report-dir", run.error)
    assert run.code == USAGE


@pytest.mark.parametrize(
    ("kustomization", "said"),
    [
        ("resources: [gone.yaml]\n", r".*overlay: kustomize: .*gone\.yaml"),
        ("resources: [objects.yaml\n", r".*overlay: kustomize: "),
        (
            "resources: []\n",
            r".*(overlay: kustomize: kustomization\.yaml is empty|ConfigMap/synapse-conf\.d is not rendered; add)",
        ),
        (None, r".*overlay: no kustomization\.yaml there; give the folder of an overlay"),
    ],
)
def test_overlay_that_does_not_render_is_named(
    command: Command, kustomization: str | None, said: str
) -> None:
    """The overlay, and what kustomize says."""
    overlay = command.folder / "other" / "overlay"
    overlay.mkdir(parents=True)
    if kustomization is not None:
        (overlay / "kustomization.yaml").write_text(kustomization)
    run = command(arguments=("--overlay", str(overlay)))
    assert re.match(said, run.error), run.error
    assert run.code == CANNOT_DEPLOY


def test_option_that_does_not_exist_is_a_wrong_call(command: Command) -> None:
    """pytest's own code for that."""
    assert command(arguments=("--target", "moon")).code == USAGE


def test_a_cluster_that_nobody_names_is_a_wrong_call(command: Command) -> None:
    """How it is reached is missing."""
    run = command(arguments=("--target", "kubeconfig"))
    assert run.code == USAGE
    assert "--target kubeconfig needs --kubeconfig FILE; give" in run.output


@pytest.mark.parametrize(
    ("kubeconfig", "said"),
    [
        (None, "there is no such file; give --kubeconfig"),
        ("{}", "give a kubeconfig that kubectl takes"),
        (NOBODY, "the API server at http://127.0.0.1:1 cannot be reached"),
    ],
    ids=["no file", "an empty one", "nobody answers"],
)
def test_a_cluster_that_cannot_be_reached_is_named(
    kubeconfig: str | None, said: str, command: Command, tmp_path: Path
) -> None:
    """One line, and nothing was tested: code 10."""
    file = tmp_path / "kubeconfig"
    if kubeconfig is not None:
        file.write_text(kubeconfig)
    run = command(arguments=("--target", "kubeconfig", "--kubeconfig", str(file)))
    assert said in run.error, run.error
    assert run.code == CANNOT_DEPLOY
