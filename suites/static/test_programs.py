"""The programs themselves take the configuration that their containers would see."""

import pytest

from fixtures.deployment.questions import DATA_STORES, HAPROXY, NGINX
from fixtures.deployment.rules.program_rules import Programs
from fixtures.deployment.rules.synapse_rules import SynapseRules
from fixtures.plugins.judging import Judge
from fixtures.rendering.programs import Program


@pytest.mark.requirement("STA-030")
def test_synapse_takes_the_configuration_of_every_process(judge: Judge, synapse: SynapseRules) -> None:
    """Precondition: every overlay is rendered. The entry point of each pod of Synapse runs with the pod's own files and
    name; Synapse's parser takes what it is given, and neither prints nor logs a warning.
    """
    judge(synapse.accepted)


@pytest.mark.requirement("STA-030")
def test_synapse_knows_every_setting(judge: Judge, synapse: SynapseRules) -> None:
    """Precondition: as above. Each setting is read by some process of the overlay; what Synapse does not know it
    passes over in silence.
    """
    judge(synapse.known)


@pytest.mark.requirement("STA-031")
def test_haproxy_finds_nothing_to_complain_about(judge: Judge, programs: Programs) -> None:
    """Precondition: every overlay is rendered. The edge and the proxy of Redis are started by their own commands, as
    far as `haproxy -c`; warnings count as errors.
    """
    judge(programs.accept([HAPROXY]))


@pytest.mark.requirement("STA-032")
def test_data_stores_start_with_their_configuration(judge: Judge, programs: Programs) -> None:
    """Precondition: every overlay is rendered. Redis, Sentinel, PostgreSQL and SeaweedFS are started by their own
    commands; each comes up, or as far as it comes without its peers.
    """
    judge(programs.accept(DATA_STORES))


@pytest.mark.requirement("STA-033")
def test_nginx_finds_nothing_to_complain_about(judge: Judge, programs: Programs, nginx: Program) -> None:
    """Precondition: every overlay is rendered, and this machine has nginx. `nginx -t` is content with Element Web's."""
    judge(programs.accept([NGINX], nginx))
