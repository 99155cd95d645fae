"""Prints, as JSON, what Synapse processes register: (method, pattern, servlet). Runs in the environment of Synapse.

usage: python synapse_servlets.py '{"KIND": ["--config-path=FILE", …], …}'
"""

import json
import re
import sys
from unittest.mock import MagicMock

from synapse.config.homeserver import HomeServerConfig
from synapse.federation.transport.server import register_servlets as register_federation
from synapse.rest import ClientRestResource, admin
from synapse.rest.client import media
from synapse.rest.key.v2.remote_key_resource import RemoteKey


class Register:
    """Stands for the HTTP server: keeps (method, pattern, servlet)."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str]] = []

    def register_paths(
        self,
        method: str,
        path_patterns: list[re.Pattern[str]],
        callback: object,  # noqa: ARG002 - the signature is Synapse's
        servlet_classname: str,
    ) -> None:
        self.rows.extend((method, pattern.pattern, servlet_classname) for pattern in path_patterns)


def registered(arguments: list[str]) -> list[tuple[str, str, str]]:
    config = HomeServerConfig.load_config("servlets", arguments)
    worker = config.worker.worker_app is not None
    listeners = config.worker.worker_listeners if worker else config.server.listeners
    names = {
        name
        for listener in listeners
        if listener.http_options is not None
        for resource in listener.http_options.resources
        for name in resource.names
    }
    homeserver, found = MagicMock(), Register()
    homeserver.config = config
    homeserver.hostname = config.server.server_name
    transport = {"resource": found, "authenticator": MagicMock(), "ratelimiter": MagicMock()}
    if "client" in names:
        ClientRestResource.register_servlets(found, homeserver, ["client"])
        admin.register_servlets(homeserver, found)
    if "federation" in names:
        register_federation(homeserver, **transport)
        RemoteKey(homeserver).register(found)
    if config.media.can_load_media_repo and names & {"media", "client"}:
        media.register_servlets(homeserver, found)
        admin.register_servlets_for_media_repo(homeserver, found)
        if "federation" not in names:
            register_federation(homeserver, **transport, servlet_groups=["media"])
    return found.rows


json.dump({kind: registered(arguments) for kind, arguments in json.loads(sys.argv[1]).items()}, sys.stdout)
