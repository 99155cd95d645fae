"""Images without a registry: all that overlays name, and that each runs as the manifests command it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.plugins.manifests import OPTIONAL, as_shipped
from fixtures.rendering.catalogue import GoModule, PyPI, Unobtainable, catalogue, lookup
from fixtures.rendering.kustomize import render
from fixtures.rendering.objects import Manifest, Ref, containers, pod_template_of, workloads
from fixtures.targets.kubernetes.images.caching import cache_folder
from fixtures.targets.kubernetes.images.composer import LABEL, Composition, composed
from fixtures.targets.kubernetes.images.go_programs import MODULES, module_version
from reports.model import NotRun, NotRunKind
from tests.targets.kubernetes.composed import Tree, archived, images_of, unpacked
from tests.targets.kubernetes.containerd import Containerd, containerd
from tests.targets.kubernetes.on_node import need_programs

ROOT = Path(__file__).parents[3]
OVERLAYS = ROOT / "manifests" / "overlays"
CLUSTER = """
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=a -keyout /tmp/key -out /tmp/crt 2>/dev/null
initdb --pgdata=/tmp/data --username=postgres --locale=C --data-checksums >/dev/null
pg_ctl start --pgdata=/tmp/data --silent --wait --log=/tmp/log --options='-k /tmp -c ssl=on \\
    -c ssl_cert_file=/tmp/crt -c ssl_key_file=/tmp/key -c shared_preload_libraries=pg_stat_statements'
pg_isready --host=/tmp --quiet
psql "host=localhost user=postgres sslmode=require" --quiet --command='CREATE EXTENSION pg_stat_statements'
pg_basebackup --host=/tmp --username=postgres --pgdata=/tmp/replica --write-recovery-conf
pg_ctl stop --pgdata=/tmp/data --silent
pg_controldata /tmp/replica | grep -q 'in production'
pg_verifybackup --quiet /tmp/replica
pg_rewind --version >/dev/null
barman-cloud-wal-archive --version >/dev/null
postgres --version | grep -o '[0-9.]*' | head -n 1
"""
REDIS = "docker.io/library/redis"


@pytest.fixture(scope="module")
def ephemeral() -> tuple[Manifest, ...]:
    """The objects of the overlay `ephemeral`."""
    return render(OVERLAYS / "ephemeral")


@pytest.fixture(scope="module")
def composition(ephemeral: tuple[Manifest, ...]) -> Composition:
    """Its images, composed; where nothing was composed yet, that takes mmdebstrap and minutes."""
    need_programs()
    return composed(images_of(ephemeral), cache_folder() / "images")


@pytest.fixture(scope="module")
def tree(composition: Composition) -> Iterator[Tree]:
    """What is in the images of the overlay `ephemeral`, to start programs in."""
    with unpacked(composition.archives[0]) as made:
        yield made


@pytest.mark.parametrize("overlay", sorted({*OVERLAYS.iterdir(), *OPTIONAL}), ids=lambda path: path.name)
def test_every_image_of_an_overlay_can_be_composed_or_has_a_reason(overlay: Path) -> None:
    """Everything that the catalogue promises to lay into an image is locked somewhere in this repository."""
    for image in images_of(as_shipped(overlay)):
        entry = lookup(image)
        match entry.without_registry:
            case Unobtainable(reason=reason):
                assert reason.strip(), image
            case GoModule(package=package, component=component):
                assert module_version(component, package), image
                assert (MODULES / component / "go.sum").is_file(), image
            case PyPI(package=package):
                assert entry.layout is not None, image
                environments = {bind.program for bind in entry.layout.binds if bind.program}
                locks = [(ROOT / "locks" / f"{name}.txt").read_text() for name in environments]
                assert any(re.search(rf"(?m)^{package}(\[.*\])?==", lock) for lock in locks), image


def test_composing_twice_makes_the_same_archive(
    composition: Composition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two caches in which only the Debian layer is made already; the archives are equal byte for byte."""
    layers = list(cache_folder().glob("debian-layer-*"))
    small = [image for image in composition.versions if image.startswith((REDIS, "docker.io/vectorim"))]
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name / "matrix-conformance"
        folder.mkdir(parents=True)
        for layer in layers:
            (folder / layer.name).symlink_to(layer)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))
        made.append(composed(small, tmp_path / name).archives[0])
    assert made[0].name == made[1].name
    assert subprocess.run(["cmp", *made], check=False).returncode == 0
    assert set(archived(made[0])) == set(small)


def test_what_an_image_really_is_stands_in_its_label(composition: Composition) -> None:
    """Debian's Redis goes by the name of another release, and neither the label nor the table hides it."""
    (redis,) = [image for image in composition.versions if image.startswith(REDIS)]
    label = archived(composition.archives[0])[redis]["config"]["Labels"][LABEL]
    assert label.startswith("debian:redis-server=")
    assert composition.versions[redis] in label
    assert composition.versions[redis] != lookup(redis).tag


def test_programs_print_the_version_that_the_composition_states(composition: Composition, tree: Tree) -> None:
    """Each as its user on a read-only root: what runs is what is reported to run."""
    for image, version in composition.versions.items():
        local = lookup(image).local
        if local is not None:
            done = tree.run(image, *local.version)
            assert version in done.stdout, f"{image}: {done.stdout}{done.stderr}"


def test_what_manifests_command_is_on_the_path_of_the_image(
    ephemeral: tuple[Manifest, ...], tree: Tree
) -> None:
    """The first word of every container's command, and the name of its user, which some programs ask for."""
    for workload in workloads(ephemeral):
        for place, container in containers(pod_template_of(workload)["spec"]):
            asked = tree.run(
                container["image"], "sh", "-c", 'command -v "$0" && id -un', container["command"][0]
            )
            assert asked.returncode == 0, f"{Ref.of(workload)} {place} {container['name']}: {asked.stderr}"


def test_postgresql_makes_a_cluster_as_the_operator_asks_for_it(composition: Composition) -> None:
    """CloudNativePG's image: its user on a read-only root, TLS on, with the programs that are started by name."""
    (image,) = [entry.name for entry in catalogue().images if entry.repository.endswith("pg/postgresql")]
    with unpacked(composed([image], cache_folder() / "images").archives[0]) as own:
        done = own.run(image, "sh", "-ec", CLUSTER)
    assert done.returncode == 0, done.stdout + done.stderr
    assert lookup(image).tag.startswith(done.stdout.split()[-1])


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containerd]:
    """A containerd with nothing in it."""
    need_programs()
    if os.geteuid() != 0:
        raise NotRun(NotRunKind.CAPABILITY_ABSENT, "only root can start containerd")
    with containerd(tmp_path_factory.mktemp("containerd")) as running:
        yield running


def test_containerd_imports_the_archive(composition: Composition, runtime: Containerd) -> None:
    """Every image is there by the name that manifests give it, with all of its content."""
    runtime.ctr("images", "import", str(composition.archives[0]))
    assert set(runtime.ctr("images", "list", "--quiet").split()) == set(composition.versions)
    checked = runtime.ctr("images", "check").splitlines()[1:]
    assert len(checked) == len(composition.versions)
    assert all("complete" in line and "incomplete" not in line for line in checked), checked
