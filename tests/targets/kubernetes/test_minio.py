"""The component `minio` on a real Kubernetes: its buckets and users, and what it survives."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from fixtures.clients.object_store import MEDIA, SERVICE, Keys, keys_of, request
from fixtures.clients.plain import inside_client
from fixtures.deployment.interface import Deployment
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.rendering.catalogue import MANIFESTS
from fixtures.rendering.kustomize import render
from fixtures.rendering.secrets import load_declarations, mint
from fixtures.targets.kubernetes.bringing import kubernetes_deployment
from fixtures.targets.kubernetes.images.caching import cache_folder
from fixtures.targets.kubernetes.images.composer import composed
from fixtures.targets.kubernetes.providers.node import node_cluster
from tests.targets.kubernetes.composed import images_of
from tests.targets.kubernetes.on_node import need_node

READY_S: Final = 240.0
CONTENT: Final = 300_000
BASES: Final = (
    "namespace",
    "config/synapse",
    "infrastructure/03-object-storage",
    "infrastructure/04-networking",
)
"""The second is not for MinIO: it says what the bucket is called. The last has the policies that all pods need."""

SMALL: Final = """
- op: remove
  path: /spec/template/spec/affinity
- op: replace
  path: /spec/template/spec/containers/0/resources/requests
  value: {cpu: 10m, memory: 64Mi}
- op: replace
  path: /spec/volumeClaimTemplates/0/spec/resources/requests/storage
  value: 1Gi
- op: replace
  path: /spec/volumeClaimTemplates/1/spec/resources/requests/storage
  value: 1Gi
"""
"""All servers on one node, which an operator's own overlay would never do."""


def overlay(folder: Path) -> Path:
    """The component on top of the object storage that it takes the place of."""
    bases = [os.path.relpath(MANIFESTS / base, folder) for base in BASES]
    component = os.path.relpath(MANIFESTS / "components" / "minio", folder)
    (folder / "small.yaml").write_text(SMALL)
    (folder / "kustomization.yaml").write_text(
        f"namespace: matrix\nresources: {bases}\ncomponents: [{component}]\n"
        "patches: [{target: {kind: StatefulSet, name: minio}, path: small.yaml}]\n"
    )
    return folder


@pytest.fixture(scope="module")
async def minio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """Four servers of two drives each, and what the Job made in them."""
    need_node()
    objects = render(overlay(tmp_path_factory.mktemp("overlay")))
    minted = mint(load_declarations(), hosts=["s3.example"], namespace="matrix")
    made = await asyncio.to_thread(composed, images_of(objects), cache_folder() / "images")
    folder = tmp_path_factory.mktemp("minio")
    async with (
        node_cluster(
            name="minio", folder=folder, archives=made.archives, keep=False, on_event=lambda _: None
        ) as cluster,
        kubernetes_deployment(
            cluster,
            (*objects, *minted),
            folder=folder,
            server_name="minio.example",
            run=folder.name,
            begin=time.time(),
            within=READY_S,
            on_event=lambda _: None,
        ) as running,
    ):
        yield running


async def asked(
    minio: Deployment, method: str, path: str, keys: Keys | None, content: bytes = b""
) -> httpx.Response:
    """The answer, whatever its status, as soon as there is one: servers miss each other after some seconds."""

    async def answered() -> httpx.Response:
        try:
            return await request(minio, method, path, keys, content, within=Budget.FAILOVER)
        except httpx.TimeoutException as error:
            raise NotYet("no answer") from error

    return await eventually(answered, within=Budget.HEALTH, label=f"{method} {path} is answered")


async def put(minio: Deployment, name: str, content: bytes, keys: Keys | None) -> int:
    """The status of a PUT into the bucket of the media."""
    return (await asked(minio, "PUT", f"/media/{name}", keys, content)).status_code


async def acknowledged(minio: Deployment, name: str, content: bytes, keys: Keys | None) -> bool:
    """Whether a PUT is answered with success; where too many servers are gone it may not be answered at all."""
    try:
        return (
            await request(minio, "PUT", f"/media/{name}", keys, content, within=Budget.FAILOVER)
        ).is_success
    except httpx.TimeoutException:
        return False


async def get(minio: Deployment, name: str, keys: Keys | None) -> httpx.Response:
    """The answer to a GET from the bucket of the media."""
    return await asked(minio, "GET", f"/media/{name}", keys)


async def counted(minio: Deployment, count: int) -> None:
    """Wait until the servers know how many they are."""

    async def told() -> bool:
        # Half of the eight drives is parity; one more than half is needed to write.
        async with inside_client(minio, SERVICE, "s3") as http:
            answer = await http.get("/minio/health/cluster")
        if answer.is_success is not (count > 2):
            raise NotYet(f"GET /minio/health/cluster: {answer.status_code}")
        assert answer.headers["X-Minio-Write-Quorum"] == "5"
        return True

    await eventually(told, within=Budget.HEALTH, label=f"{count} servers know that they are so many")


async def test_each_bucket_has_a_user_of_its_own(minio: Deployment) -> None:
    """The media repository's keys open its bucket; those of the backups do not, and nobody gets in without any."""
    content = secrets.token_bytes(CONTENT)
    media, backups = await keys_of(minio, MEDIA), await keys_of(minio, "s3-postgresql-backups")
    assert await put(minio, "a", content, media) == httpx.codes.OK
    assert (await get(minio, "a", media)).content == content
    for keys in (backups, None):
        assert (await get(minio, "a", keys)).status_code == httpx.codes.FORBIDDEN
        assert await put(minio, "a", b"", keys) == httpx.codes.FORBIDDEN
    for keys, status in ((backups, httpx.codes.NOT_FOUND), (media, httpx.codes.FORBIDDEN)):
        assert (await asked(minio, "GET", "/postgresql-backups/a", keys)).status_code == status


async def test_one_server_may_be_lost_and_of_two_all_is_read(minio: Deployment) -> None:
    """With three servers everything goes on. With two what is there is read whole, and nothing more is acknowledged.
    With all four back what was written meanwhile is there too."""
    keys, content = await keys_of(minio, MEDIA), secrets.token_bytes(CONTENT)
    assert await put(minio, "before", content, keys) == httpx.codes.OK
    async with minio.scaled(Role.OBJECT_STORAGE, 3):
        await counted(minio, 3)
        assert await put(minio, "with three", content, keys) == httpx.codes.OK
        assert (await get(minio, "before", keys)).content == content
        async with minio.scaled(Role.OBJECT_STORAGE, 2):
            await counted(minio, 2)
            assert (await get(minio, "before", keys)).content == content
            assert not await acknowledged(minio, "with two", content, keys)
    await counted(minio, 4)
    for name in ("before", "with three"):
        assert (await get(minio, name, keys)).content == content
    assert (await get(minio, "with two", keys)).status_code == httpx.codes.NOT_FOUND
