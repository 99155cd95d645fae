"""A container as arguments of bubblewrap, its identity, its files in /etc."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.rendering.environment import PodFacts
from fixtures.rendering.programs import Program
from fixtures.targets.local.sandbox import Identity, SandboxError, arguments, etc_files, identity
from fixtures.targets.local.volumes import Volume
from tests.targets.local.conftest import container, pod_spec

FACTS = PodFacts("web-0", "matrix", "u", "198.18.0.5", {"app": "web"}, "198.18.0.1", "web-0", "web")
PROGRAM = Program(("/opt/x/bin",), {}, (("/srv/x", "/opt/x"),))
VOLUMES = {"rw": Volume(Path("/v/rw"), read_only=False), "ro": Volume(Path("/v/ro"), read_only=True)}


def words(mounts: list[dict[str, Any]], env: dict[str, str] | None = None, **fields: Any) -> list[str]:
    """bubblewrap's options for a container with these mounts."""
    return arguments(
        {**container("x"), "volumeMounts": mounts, **fields},
        PROGRAM,
        VOLUMES,
        Path("/v/etc"),
        FACTS,
        env or {},
    )


def triples(options: list[str], *names: str) -> list[tuple[str, str, str]]:
    """Options of these names with their two operands, in order."""
    return [(o, options[i + 1], options[i + 2]) for i, o in enumerate(options) if o in names]


def mount(path: str, name: str = "rw", **fields: Any) -> dict[str, Any]:
    return {"name": name, "mountPath": path, **fields}


paths = st.lists(st.sampled_from("abcd"), min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))


@given(st.lists(paths, max_size=5, unique=True))
def test_every_parent_is_passable_and_made_before_what_lies_in_it(targets: list[str]) -> None:
    """Parents of mounts are 0755 (bubblewrap would make them 0700), outermost first; shallow mounts come first."""
    options = words([mount(path) for path in targets])
    made: list[str] = []
    for index, option in enumerate(options):
        if option == "--dir":
            assert options[index - 2 : index] == ["--perms", "0755"]
            made.append(options[index + 1])
    bound = [target for _, _, target in triples(options, "--bind") if target in targets]
    assert set(bound) == set(targets)
    assert [path.count("/") for path in bound] == sorted(path.count("/") for path in bound)
    for target in targets:
        parents = [str(parent) for parent in PurePosixPath(target).parents if str(parent) != "/"]
        assert set(parents) <= set(made)
        assert [made.index(parent) for parent in reversed(parents)] == sorted(made.index(p) for p in parents)
        last_dir = max(index for index, option in enumerate(options) if option == "--dir")
        assert all(options.index(target, last_dir) > last_dir for target in targets)


@pytest.mark.parametrize(
    ("asked", "option"),
    [
        (mount("/m"), ("--bind", "/v/rw", "/m")),
        (mount("/m", readOnly=True), ("--ro-bind", "/v/rw", "/m")),
        (mount("/m", "ro"), ("--ro-bind", "/v/ro", "/m")),
        (mount("/m", subPath="a/b"), ("--bind", "/v/rw/a/b", "/m")),
    ],
)
def test_mount_is_read_only_where_volume_or_mount_is(
    asked: dict[str, Any], option: tuple[str, str, str]
) -> None:
    """Either is enough."""
    assert option in triples(words([asked]), "--bind", "--ro-bind")


def test_mount_without_volume_is_an_error() -> None:
    """It names the volume."""
    with pytest.raises(SandboxError, match="the pod has no volume gone"):
        words([mount("/m", "gone")])


def test_host_is_seen_read_only_and_in_parts() -> None:
    """/usr, programs and a few files of /etc; nothing of the host is writable."""
    options = words([mount("/m")])
    writable = triples(options, "--bind", "--dev-bind", "--bind-try")
    assert writable == [("--bind", "/v/rw", "/m")]
    sources = {source for _, source, _ in triples(options, "--ro-bind", "--ro-bind-try")}
    etc = {f"/v/etc/{name}" for name in etc_files(FACTS, Identity(1, 1, ()))}
    shared = {"/etc/ld.so.cache", "/etc/alternatives", "/etc/ssl/certs", "/etc/ssl/openssl.cnf"}
    assert sources == {"/usr", "/srv/x", *etc, *shared}


def test_root_is_closed_last() -> None:
    """After it, nothing could be mounted; without it there is a /tmp unless something is mounted there."""
    closed = words([mount("/m")], securityContext={"readOnlyRootFilesystem": True})
    assert closed[-4:] == ["--remount-ro", "/", "--chdir", "/"]
    assert "/tmp" not in closed
    opened = words([mount("/tmp/m")])
    assert "--remount-ro" not in opened
    assert opened.index("/tmp") < opened.index("/tmp/m")
    assert ("--tmpfs", "/tmp") not in list(
        zip(words([mount("/tmp")]), words([mount("/tmp")])[1:], strict=False)
    )


def test_environment_is_all_there_is() -> None:
    """The supervisor's own variables do not come along."""
    options = words([], env={"A": "1", "B": "x y"})
    assert triples(options, "--setenv") == [("--setenv", "A", "1"), ("--setenv", "B", "x y")]
    assert options.index("--clearenv") < options.index("--setenv")


class TestIdentity:
    @pytest.mark.parametrize(
        ("of_pod", "of_container", "who"),
        [
            ({}, {}, Identity(0, 0, ())),
            ({"runAsUser": 5, "runAsGroup": 6, "fsGroup": 7}, {}, Identity(5, 6, (7,))),
            ({"runAsUser": 5, "runAsGroup": 6}, {"runAsUser": 8}, Identity(8, 6, ())),
            ({"fsGroup": 7, "supplementalGroups": [9, 7, 1]}, {"runAsUser": 8}, Identity(8, 0, (1, 7, 9))),
        ],
    )
    def test_of_the_container_wins(
        self, of_pod: dict[str, Any], of_container: dict[str, Any], who: Identity
    ) -> None:
        """Field by field; groups are the pod's."""
        spec = pod_spec(container("x"), securityContext=of_pod)
        assert identity(spec, {"securityContext": of_container}) == who

    @pytest.mark.parametrize("where", [0, 1])
    def test_of_root_is_refused_where_it_is_forbidden(self, where: int) -> None:
        """runAsNonRoot of pod or container."""
        contexts: list[dict[str, Any]] = [{}, {}]
        contexts[where] = {"runAsNonRoot": True}
        with pytest.raises(SandboxError, match="runAsNonRoot"):
            identity(pod_spec(container("x"), securityContext=contexts[0]), {"securityContext": contexts[1]})

    def test_gives_everything_up(self) -> None:
        """No capability, no group that is not its own."""
        assert set(Identity(5, 6, ()).setpriv) >= {
            "--reuid=5",
            "--regid=6",
            "--clear-groups",
            "--no-new-privs",
        }
        assert "--groups=1,7" in Identity(5, 6, (1, 7)).setpriv
        for kind in ("inh-caps", "ambient-caps", "bounding-set"):
            assert f"--{kind}=-all" in Identity(5, 6, ()).setpriv


def test_files_of_etc_name_pod_and_user() -> None:
    """Who am I, where am I, who answers names."""
    files = etc_files(FACTS, Identity(5, 6, ()))
    assert "pod:x:5:6:" in files["passwd"]
    assert "pod:x:6:" in files["group"]
    assert "198.18.0.5 web-0.web.matrix.svc.cluster.local web-0\n" in files["hosts"]
    assert files["resolv.conf"].splitlines() == [
        "nameserver 198.18.0.1",
        "search matrix.svc.cluster.local svc.cluster.local cluster.local",
        "options ndots:5",
    ]
