"""Starts a process of Synapse as soon as its database takes connections.

`python -m await_database synapse.app.APP --config-path=FILE...`. Synapse by itself ends at the first connection that is
refused, and is then started again after a pause that grows. It is loaded first, so that nobody waits for that as well.
There is no bound: the startup probe has one.
"""

from __future__ import annotations

import importlib
import signal
import socket
import sys
import time
from pathlib import Path

import yaml

ASK_EVERY_S = 0.2
TELL_EVERY_S = 5.0
CONNECT_S = 2.0


def address(arguments: list[str]) -> tuple[str, int] | None:
    """Host and port in the last configuration file that has a database; None for a socket, or several hosts."""
    found = {}
    for argument in arguments:
        option, _, path = argument.partition("=")
        if option == "--config-path":
            settings = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
            found = (settings or {}).get("database", found)
    named = found.get("args") or {}
    host = str(named.get("host") or "/")
    return None if "/" in host or "," in host else (host, int(named.get("port") or 5432))


def wait(host: str, port: int) -> None:
    """Returns when a connection is taken."""
    begin = told = time.monotonic()
    while True:
        try:
            socket.create_connection((host, port), CONNECT_S).close()
        except OSError as error:
            if (now := time.monotonic()) >= told:
                print(
                    f"await_database: waiting for {host}:{port} for {now - begin:.0f} s: {error}", flush=True
                )
                told = now + TELL_EVERY_S
            time.sleep(ASK_EVERY_S)
        else:
            return


def main() -> None:
    """Loads the app, waits, and becomes it."""
    app = importlib.import_module(sys.argv.pop(1))
    sys.argv[0] = app.__file__ or sys.argv[0]  # Synapse writes its name into the log
    if (there := address(sys.argv[1:])) is not None:
        # The first process of a container has no default answer to SIGTERM. Twisted brings its own later.
        before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        wait(*there)
        signal.signal(signal.SIGTERM, before)
    app.main()


if __name__ == "__main__":
    main()
