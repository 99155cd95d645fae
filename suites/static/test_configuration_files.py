"""That configuration reaches somebody, where it can be mounted."""

import pytest

from fixtures.plugins.judging import Judge
from fixtures.rendering.rules.usage import dead_configuration, nested_mounts


@pytest.mark.requirement("STA-023")
def test_no_configuration_is_dead(judge: Judge) -> None:
    """Precondition: the overlays are rendered. Each ConfigMap is read by somebody, each volume is mounted."""
    judge(dead_configuration)


@pytest.mark.requirement("STA-023")
def test_no_mount_lies_inside_a_read_only_one(judge: Judge) -> None:
    """Precondition: the overlays are rendered. No container mounts something below a read-only volume."""
    judge(nested_mounts)
