"""That nothing outside the deployment is asked: what is rendered works where nothing else can be reached."""

from pathlib import Path

import pytest

from fixtures.deployment.rules.outside import Hosts, load_hosts, strangers, talkative
from fixtures.plugins.judging import Judge


@pytest.fixture(scope="module")
def hosts() -> Hosts:
    """What may be named, and what has to be silent."""
    return load_hosts(Path(__file__).with_name("hosts.yaml"))


@pytest.mark.requirement("STA-017")
def test_no_host_outside_is_named(ours: None, judge_all: Judge, hosts: Hosts) -> None:
    """Precondition: overlays are rendered. Hosts are Services, its own names, reserved or declared."""
    judge_all(lambda objects: strangers(objects, hosts))


@pytest.mark.requirement("STA-017")
def test_no_server_outside_is_asked(ours: None, judge_all: Judge, hosts: Hosts) -> None:
    """Precondition: overlays are rendered. What programs would ask of servers outside by default is switched off."""
    judge_all(lambda objects: talkative(objects, hosts))
