"""What the manifests declare is what runs: workloads, files, variables, names."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fixtures.deployment.interface import DeploymentError
from fixtures.rendering.objects import Ref
from tests.targets.local.conftest import (
    SECRET,
    Rig,
    config_map,
    container,
    pod,
    pod_spec,
    rig,
    server,
    service,
    workload,
)


class TestWorkload:
    async def test_deployment_has_its_replicas(self, shared: Rig) -> None:
        """Two ready pods whose names begin with the Deployment's."""
        pods = await shared.pods("Deployment", "web")
        assert [p.ready for p in pods] == [True, True]
        assert all(p.name.startswith("web-") for p in pods)
        assert len({p.address for p in pods}) == 2

    async def test_statefulset_has_stable_names(self, shared: Rig) -> None:
        """`db-0` and `db-1` know their full names, and find each other by them."""
        first, second = await shared.pods("StatefulSet", "db")
        assert (first.name, second.name) == ("db-0", "db-1")
        assert await shared.sh(first, "hostname -f") == "db-0.db.default.svc.cluster.local"
        assert (await shared.sh(first, "getent hosts db-1.db")).split()[0] == second.address
        assert await shared.sh(first, "curl -sS http://db-1.db:8080/") == "db-1"

    async def test_job_runs_once_to_its_end(self, shared: Rig) -> None:
        """The pod of a Job completes, is not started again, and its output is there."""
        done = await shared.pod("Job", "once")
        assert await shared.log(done) == ["done once"]
        assert (f"{done.name}/main", "completed") in await shared.events()
        assert (await shared.deployment.incarnation(done)).restarts == 0

    async def test_job_that_fails_ends_the_wait(self, tmp_path: Path) -> None:
        """After backoffLimit + 1 attempts the error names pod, container, exit code and last lines."""
        script = "echo try >> /scratch/tries; echo attempt $(wc -l < /scratch/tries); exit 4"
        mounts = [{"name": "scratch", "mountPath": "/scratch"}]
        job = workload(
            "Job", "bad", pod_spec(container("sh", "-c", script, volumeMounts=mounts)), backoffLimit=2
        )
        with pytest.raises(DeploymentError, match=r"^bad\S*: container main exited with 4; .*attempt 3$"):
            async with rig([job], tmp_path):
                pytest.fail("it was called ready")

    async def test_pod_that_must_not_restart_completes(self, tmp_path: Path) -> None:
        """A bare pod with restartPolicy Never that exits well is done; one that does not is an error."""
        good = pod("good", pod_spec(container("true"), restartPolicy="Never"))
        async with rig([good], tmp_path / "good") as made:
            assert (await made.deployment.incarnation(await made.pod("Pod", "good"))).restarts == 0
        bad = pod("bad", pod_spec(container("false"), restartPolicy="Never"))
        with pytest.raises(DeploymentError, match=r"^bad: container main exited with 1; .*none$"):
            async with rig([bad], tmp_path / "bad"):
                pytest.fail("it was called ready")

    async def test_init_containers_run_in_order_and_again_when_they_fail(self, shared: Rig) -> None:
        """a, then b (which fails once), then c; only then the others."""
        everything = await shared.pod("Pod", "everything")
        assert (await shared.sh(everything, "cat /scratch/order")).split() == ["a", "b", "b", "c"]
        told = [event for where, event in await shared.events() if where == "everything/b"]
        assert told[:4] == ["starts", "exited with 3", "starts", "done"]

    async def test_init_container_that_always_fails_ends_the_wait(self, tmp_path: Path) -> None:
        """It is an error that names the container long before the deadline."""
        spec = pod_spec(
            container("true"), initContainers=[container("sh", "-c", "echo no database; exit 1", name="wait")]
        )
        with pytest.raises(DeploymentError, match=r"^stuck: container wait ended 5 times .*no database$"):
            async with rig([pod("stuck", spec)], tmp_path, within=60):
                pytest.fail("it was called ready")

    async def test_containers_of_a_pod_share_network_and_volumes_but_not_processes(self, shared: Rig) -> None:
        """Same address and /scratch; the program of each is process 1."""
        everything = await shared.pod("Pod", "everything")
        await shared.sh(everything, "echo hello > /scratch/note; chmod 644 /scratch/note")
        assert await shared.sh(everything, "cat /scratch/note", container="side") == "hello"
        for name in everything.containers:
            assert everything.address in await shared.sh(everything, "hostname -I", container=name)
            assert (await shared.sh(everything, "tr '\\0' ' ' < /proc/1/cmdline", container=name)).startswith(
                "sh -c"
            )


class TestFiles:
    async def test_config_map_lies_where_it_is_mounted(self, shared: Rig) -> None:
        """All keys as files, root's, 0644; the working directory too; one file by subPath."""
        everything = await shared.pod("Pod", "everything")
        assert await shared.sh(everything, "cat first second third.txt") == "123"
        assert await shared.sh(everything, "stat -c '%a %u' /files/first") == "644 0"
        assert await shared.sh(everything, "cat /etc/one.conf") == "1"
        await shared.sh(everything, "touch /files/new 2>/dev/null", code=1)

    async def test_items_choose_path_and_mode(self, shared: Rig) -> None:
        """Only the named keys, at their paths, with their modes (readable by fsGroup in any case)."""
        everything = await shared.pod("Pod", "everything")
        assert (await shared.sh(everything, "cd /some; find . -type f | sort")).split() == ["./2", "./deep/1"]
        assert await shared.sh(everything, "stat -c %a /some/deep/1 /some/2") == "440\n444"

    async def test_secret_is_readable_by_the_group_of_the_pod(self, shared: Rig) -> None:
        """root:fsGroup 0440, and the pod is in that group."""
        everything = await shared.pod("Pod", "everything")
        assert await shared.sh(everything, "stat -c '%a %u %g' /door/password") == "440 0 500"
        assert await shared.sh(everything, "cat /door/password") == SECRET

    @pytest.mark.parametrize(("where", "kib"), [("/small", 64), ("/kept", 4096)])
    async def test_full_volume_has_no_space_left(self, shared: Rig, where: str, kib: int) -> None:
        """A volume takes what it was declared to hold and no more."""
        everything = await shared.pod("Pod", "everything")
        fill = (
            f"head -c {kib * 1024 - 16384} /dev/zero > {where}/fits && head -c 65536 /dev/zero > {where}/more"
        )
        said = await shared.sh(everything, f"({fill}) 2>&1; rm -f {where}/fits {where}/more")
        assert "No space left on device" in said

    async def test_sub_path_is_a_part_of_the_volume(self, shared: Rig) -> None:
        """What is written below the subPath lies in that folder of the volume."""
        everything = await shared.pod("Pod", "everything")
        await shared.sh(everything, "echo x > /part/file")
        assert await shared.sh(everything, "cat /kept/part/file") == "x"

    @pytest.mark.parametrize("sub_path", ["../../..", "/etc", "x/../../.."])
    async def test_sub_path_never_leads_out_of_the_volume(self, tmp_path: Path, sub_path: str) -> None:
        """A path that climbs is refused with the object's name."""
        mounts = [{"name": "scratch", "mountPath": "/host", "subPath": sub_path}]
        spec = pod_spec(container("sleep", "9", volumeMounts=mounts))
        with pytest.raises(DeploymentError, match=r"^(Pod/)?climber: .*subPath .* leads out of the volume"):
            async with rig([pod("climber", spec)], tmp_path):
                pytest.fail("it was called ready")

    @pytest.mark.parametrize(
        ("volume", "fault"),
        [
            ({"configMap": {"name": "gone"}}, "volume v: there is no ConfigMap gone"),
            ({"secret": {"secretName": "gone"}}, "volume v: there is no Secret gone"),
            (
                {"persistentVolumeClaim": {"claimName": "gone"}},
                "volume v: there is no PersistentVolumeClaim gone",
            ),
            (
                {"configMap": {"name": "files", "items": [{"key": "no", "path": "x"}]}},
                "volume v: ConfigMap files has no key no",
            ),
            (
                {"configMap": {"name": "files", "items": [{"key": "a", "path": "../x"}]}},
                "volume v: .*leads out of the volume",
            ),
            ({"emptyDir": {"sizeLimit": "many"}}, "volume v: 'many' is not a quantity"),
            ({}, "volume v: has no source"),
        ],
    )
    async def test_volume_that_cannot_be_made_is_named(
        self, tmp_path: Path, volume: dict[str, object], fault: str
    ) -> None:
        """The error names pod, volume and what is missing."""
        spec = pod_spec(container("sleep", "9"), volumes=[{"name": "v", **volume}])
        with pytest.raises(DeploymentError, match=f"^needy: {fault}"):
            async with rig([config_map("files", a="1"), pod("needy", spec)], tmp_path):
                pytest.fail("it was called ready")

    async def test_claim_that_cannot_be_made_is_named(self, tmp_path: Path) -> None:
        """Also when it comes from a template of a StatefulSet."""
        claim = {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "lots"}}}}
        wants = workload("StatefulSet", "db", pod_spec(container("sleep", "9")), volumeClaimTemplates=[claim])
        with pytest.raises(DeploymentError, match=r"^db-0: volume data: 'lots' is not a quantity"):
            async with rig([wants], tmp_path):
                pytest.fail("it was called ready")

    async def test_mount_below_tmp_is_not_hidden(self, tmp_path: Path) -> None:
        """A writable root gets a /tmp of its own, and what is mounted below it is still there."""
        mounts = [{"name": "files", "mountPath": "/tmp/files"}]
        spec = pod_spec(
            container("sleep", "60", volumeMounts=mounts),
            volumes=[{"name": "files", "configMap": {"name": "files"}}],
        )
        async with rig([config_map("files", a="1"), pod("deep", spec)], tmp_path) as made:
            deep = await made.pod("Pod", "deep")
            assert await made.sh(deep, "touch /tmp/mine && cat /tmp/files/a") == "1"


class TestEnvironment:
    async def test_variables_reach_the_program(self, shared: Rig) -> None:
        """Values, references among them, the pod's own fields, Secrets, whole ConfigMaps, the image's."""
        everything = await shared.pod("Pod", "everything")
        lines = (await shared.sh(everything, "env")).splitlines()
        env = dict(line.split("=", 1) for line in lines if "=" in line)
        wanted = {
            "COLOUR": "red",
            "MADE": "reder",
            "POD_NAME": "everything",
            "POD_IP": everything.address,
            "APP": "everything",
            "PASSWORD": SECRET,
            "F_first": "1",
            "F_third.txt": "3",
            "FROM_IMAGE": "yes",
            "HOSTNAME": "everything",
        }
        assert {name: env.get(name) for name in wanted if name != "F_third.txt"} == {
            name: value for name, value in wanted.items() if name != "F_third.txt"
        }

    async def test_references_in_arguments_are_expanded(self, shared: Rig) -> None:
        """`$(NAME)` is replaced, `$$(NAME)` is not."""
        everything = await shared.pod("Pod", "everything")
        assert await shared.log(everything) == ["reder-$(MADE) reder"]

    @pytest.mark.parametrize(
        ("source", "fault"),
        [
            ({"secretKeyRef": {"name": "gone", "key": "k"}}, "env X?: there is no Secret gone"),
            ({"configMapKeyRef": {"name": "files", "key": "k"}}, "env X: ConfigMap files has no key k"),
            ({"configMapKeyRef": {"name": "files", "key": "zero"}}, "env X: .*NUL"),
        ],
    )
    async def test_variable_that_cannot_be_had_is_named(
        self, tmp_path: Path, source: dict[str, object], fault: str
    ) -> None:
        """The error names pod, variable and what is missing."""
        spec = pod_spec(container("sleep", "9", env=[{"name": "X", "valueFrom": source}]))
        with pytest.raises(DeploymentError, match=f"^needy: .*{fault}"):
            async with rig([config_map("files", zero="a\0b"), pod("needy", spec)], tmp_path):
                pytest.fail("it was called ready")


class TestService:
    async def test_spreads_over_ready_pods(self, shared: Rig) -> None:
        """Over enough connections, every pod behind the Service answers."""
        client = await shared.pod("Pod", "everything")
        said = await shared.sh(client, "for i in $(seq 40); do curl -sS http://web/; done")
        assert set(said.split()) == {p.name for p in await shared.pods("Deployment", "web")}

    async def test_leads_a_pod_back_to_itself(self, shared: Rig) -> None:
        """A pod reaches the Service that it is behind, whichever pod it meets."""
        web, _ = await shared.pods("Deployment", "web")
        said = await shared.sh(web, "for i in $(seq 20); do curl -sS -m 2 http://web/; done")
        assert web.name in said.split()

    async def test_without_pods_refuses_at_once(self, shared: Rig) -> None:
        """No time-out: a connection is refused."""
        client = await shared.pod("Pod", "everything")
        await shared.sh(client, "curl -sS -m 0.5 http://nobody/ 2>/dev/null", code=7)

    async def test_headless_has_no_address_of_its_own(self, shared: Rig) -> None:
        """Its name gives the addresses of the pods."""
        client = await shared.pod("Pod", "everything")
        said = await shared.sh(client, "getent ahostsv4 web-pods | awk '{print $1}' | sort -u")
        assert set(said.split()) == {p.address for p in await shared.pods("Deployment", "web")}

    async def test_front_door_is_reached_from_the_host(self, shared: Rig) -> None:
        """The LoadBalancer Service has an address that this machine has a route to."""
        [entry] = [s for s in (await shared.deployment._ask("status"))["services"] if s[1] == "front"]
        _, writer = await asyncio.wait_for(asyncio.open_connection(entry[2], 443), 5)
        writer.close()

    async def test_port_that_no_pod_has_is_refused(self, tmp_path: Path) -> None:
        """As in Kubernetes: the Service is there, nobody is behind that port, all else works."""
        lost = service(
            "lost",
            "web",
            ports=[
                {"name": "a", "port": 80, "targetPort": "nope"},
                {"name": "b", "port": 81, "targetPort": 8080},
            ],
        )
        objects = [workload("Deployment", "web", pod_spec(server(readinessProbe=ready_when_up()))), lost]
        async with rig(objects, tmp_path) as made:
            web = await made.pod("Deployment", "web")
            await made.sh(web, "curl -sS -m 2 http://lost/ 2>/dev/null", code=7)
            assert await made.sh(web, "curl -sS -m 2 http://lost:81/") == web.name


def ready_when_up() -> dict[str, object]:
    """Ready as soon as the port is open."""
    return {"tcpSocket": {"port": "client"}}


class TestObject:
    async def test_is_given_as_applied(self, shared: Rig) -> None:
        """By its name, or None."""
        found = await shared.deployment.get(Ref("ConfigMap", "files"))
        assert found is not None
        assert found["data"]["first"] == "1"
        assert await shared.deployment.get(Ref("ConfigMap", "other")) is None

    async def test_is_found_by_the_name_in_its_generator(self, tmp_path: Path) -> None:
        """kustomize's hash suffix need not be known."""
        async with rig([config_map("files-2456789bcd", a="1")], tmp_path) as made:
            found = await made.deployment.get(Ref("ConfigMap", "files"))
            assert found is not None
            assert found["metadata"]["name"] == "files-2456789bcd"
