"""Hosts that are not of the deployment."""

import pytest

from fixtures.deployment.rules.outside import Hosts, strangers
from fixtures.rendering.objects import Manifest

HOSTS = Hosts.model_validate({"known": [{"host": "known.example.dev", "reason": "a test"}], "silent": []})
SYNAPSE = "server_name: chat.company.com\npublic_baseurl: https://matrix.company.com/\n"


def deployment(text: str) -> list[Manifest]:
    config = {"kind": "ConfigMap", "metadata": {"name": "synapse-conf.d"}, "data": {"10-a.yaml": SYNAPSE}}
    service = {"kind": "Service", "metadata": {"name": "s3"}, "spec": {}}
    pod = {
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"args": [text], "image": "docker.io/a"}]},
    }
    return [config, service, pod]


@pytest.mark.parametrize(
    "text",
    [
        "http://s3:8333",
        "http://a-{0...3}.s3:9000",
        "http://s3.${NAMESPACE}.svc.cluster.local",
        "https://matrix.company.com/x",
        "element.chat.company.com",
        "https://anything.test",
        "127.0.0.1:80 10.0.0.1 0.0.0.0",
        "8.8.8.0/24",
        "synapse.app.generic_worker",
        "ext://sys.stdout",
        "known.example.dev",
    ],
)
def test_what_may_be_named(text: str) -> None:
    assert not list(strangers(deployment(text), HOSTS))


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://matrix.org/_matrix", "matrix.org"),
        ("--resolver=8.8.8.8", "8.8.8.8"),
        ("http://elsewhere:80", "elsewhere"),
        ("turn:turn.company.net:3478", "turn.company.net"),
        ("https://user@evil.co/", "evil.co"),
    ],
)
def test_what_may_not(text: str, host: str) -> None:
    (finding,) = strangers(deployment(text), HOSTS)
    assert host in finding.fault
    assert finding.field == "spec.containers[0].args[0]"


def test_a_comment_says_what_it_likes() -> None:
    config, *others = deployment("")
    commented = config | {"data": {"10-a.yaml": f"# see https://matrix.org\n{SYNAPSE}"}}
    assert not list(strangers([commented, *others], HOSTS))
