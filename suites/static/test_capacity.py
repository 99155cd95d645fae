"""What may be taken fits what is there: connections, memory, slots; and all of it is what the sizes declare."""

from collections.abc import Mapping

import pytest

from fixtures.deployment.rules.connections import pools_fit
from fixtures.deployment.rules.room import haproxy_fits, redis_fits, slots_suffice
from fixtures.deployment.rules.sized import as_declared
from fixtures.plugins.judging import Judge
from fixtures.rendering.findings import Finding, Objects
from fixtures.rendering.footprint import README, table, with_table
from fixtures.rendering.rules.media_cache import cache_is_trimmed
from fixtures.rendering.sizes import OVERLAYS, load_sizes, wanted


@pytest.mark.requirement("STA-036")
def test_pools_fit_the_database(judge: Judge) -> None:
    """Precondition: every overlay is rendered. cp_max of every pod that autoscalers and rollouts allow, together, is
    at most 85 % of what max_connections leaves to users.
    """
    judge(pools_fit)


@pytest.mark.requirement("STA-037")
def test_redis_fits_its_memory(judge: Judge) -> None:
    """Precondition: every overlay is rendered. maxmemory is at most 70 % of the container's limit."""
    judge(redis_fits)


@pytest.mark.requirement("STA-037")
def test_haproxy_fits_its_memory_and_descriptors(judge: Judge) -> None:
    """Precondition: every overlay is rendered. maxconn connections, 64 KiB each, are within the container's limit."""
    judge(haproxy_fits)


@pytest.mark.requirement("STA-037")
def test_the_cache_of_media_fits_its_volume(judge: Judge) -> None:
    """Precondition: every overlay is rendered. The cache is trimmed when 80 % of its volume are full, or earlier."""
    judge(cache_is_trimmed)


@pytest.mark.requirement("STA-037")
def test_the_edge_has_a_place_for_each_pod(judge: Judge) -> None:
    """Precondition: every overlay is rendered. No pool can grow beyond the slots of its server-template."""
    judge(slots_suffice)


@pytest.mark.requirement("STA-038")
def test_overlays_are_of_their_size(ours: None, judge: Judge, overlays: Mapping[str, Objects]) -> None:
    """Precondition: every overlay is rendered. Replicas, bounds, resources, pools and max_connections are those of the
    size in sizes/*.yaml that names the overlay.
    """
    sizes = {overlay: (name, size) for name, size in load_sizes().items() for overlay in size.overlays}
    names = {id(objects): name for name, objects in overlays.items()}

    def declared(objects: Objects) -> list[Finding]:
        overlay = names[id(objects)]
        return list(as_declared(*sizes[overlay], objects)) if overlay in sizes else []

    judge(declared)


@pytest.mark.requirement("STA-038")
def test_the_table_of_sizes_is_what_the_overlays_ask_for(
    ours: None, overlays: Mapping[str, Objects], pytestconfig: pytest.Config
) -> None:
    """Precondition: every overlay is rendered. The table in manifests/README.md is the sum of their requests, and the
    components `size` are those that the sizes make.
    """
    sized = {overlay for size in load_sizes().values() for overlay in size.overlays}
    text = README.read_text(encoding="utf-8")
    if sized <= overlays.keys():
        stale = [line for line in table(overlays).splitlines() if line not in text]
        assert with_table(text, table(overlays)) == text, (
            f"manifests/README.md: the table of sizes says otherwise than {stale[:2]}; "
            "run python -m fixtures.rendering.footprint"
        )
    texts = wanted(load_sizes())
    there = {path for path in OVERLAYS.glob("*/size/**/*") if path.is_file()}
    stale = [str(path.relative_to(OVERLAYS)) for path in sorted(there ^ texts.keys())]
    stale += [
        str(path.relative_to(OVERLAYS))
        for path in sorted(there & texts.keys())
        if path.read_text(encoding="utf-8") != texts[path]
    ]
    assert not stale, (
        f"overlays/{stale[0]}: is not what its size makes; run python -m fixtures.rendering.sizes"
    )
