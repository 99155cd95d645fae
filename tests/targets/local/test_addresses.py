"""Blocks of addresses: disjoint, taken by one deployment at a time, free again when it is gone."""

from __future__ import annotations

import os
from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path

import pytest

from fixtures.deployment.interface import DeploymentError
from fixtures.targets.local.addresses import BLOCKS, RANGE, Block, Reservation, reserve


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: str(block.number))
def test_block_holds_its_parts_apart(block: Block) -> None:
    """Link, pods and Services lie in the block and not in each other; the name fits an interface."""
    assert block.network.subnet_of(RANGE)
    assert block.pods.subnet_of(block.network)
    assert block.services.subnet_of(block.network)
    assert not block.pods.overlaps(block.services)
    link = IPv4Network(f"{block.node_address}/30", strict=False)
    assert block.host_address in link
    assert block.node_address != block.host_address
    assert not any(link.overlaps(part) for part in (block.pods, block.services))
    assert len(block.link) <= 15


def test_blocks_are_strangers() -> None:
    """No two share an address or a name."""
    assert not any(a.network.overlaps(b.network) for a, b in combinations(BLOCKS, 2))
    assert len({block.link for block in BLOCKS}) == len(BLOCKS)


def test_each_is_given_once_until_it_comes_back(tmp_path: Path) -> None:
    """All of them, then an error with the remedy; then the one that came back."""
    taken: list[Reservation] = []

    def take_all() -> None:
        while True:
            taken.append(reserve(tmp_path))

    with pytest.raises(DeploymentError, match=rf"^no free address block: .*end one of them .*{tmp_path}"):
        take_all()
    numbers = [reservation.block.number for reservation in taken]
    assert len(set(numbers)) == len(numbers) > len(BLOCKS) // 2  # others of this machine may be in use
    taken[3].release()
    again = reserve(tmp_path)
    assert again.block == taken[3].block
    for reservation in (*taken[:3], *taken[4:], again):
        reservation.release()


def test_what_the_last_owner_left_is_removed(tmp_path: Path) -> None:
    """Files and folders; the lock stays."""
    for block in BLOCKS:
        (tmp_path / str(block.number) / "volumes" / "deep").mkdir(parents=True)
        (tmp_path / str(block.number) / "supervisor.log").write_text("old")
    reservation = reserve(tmp_path)
    assert [entry.name for entry in reservation.folder.iterdir()] == ["lock"]
    reservation.release()


def test_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Another user could have put anything there."""
    os.chown(tmp_path, 12345, -1)
    with pytest.raises(DeploymentError, match="belongs to another user; remove it or set TMPDIR"):
        reserve(tmp_path)
