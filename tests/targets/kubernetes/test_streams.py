"""What a command in a container says is read to its end, however its words and its end come in."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

import pytest
from kubernetes.stream.ws_client import ERROR_CHANNEL, STDERR_CHANNEL, STDOUT_CHANNEL, WSClient

from fixtures.deployment.interface import DeploymentError
from fixtures.targets.kubernetes.streams import read_to_the_end

SUCCESS = json.dumps({"status": "Success"}).encode()
THREE = json.dumps(
    {"status": "Failure", "details": {"causes": [{"reason": "ExitCode", "message": "3"}]}}
).encode()

Frame = tuple[int, bytes] | None
"""Channel and content; None: nothing has come yet."""


class Scripted(WSClient):
    """The client's own channels, whose frames come in one at a time, whenever somebody looks for one."""

    def __init__(self, *frames: Frame) -> None:
        self._connected, self.binary = True, True
        self._channels, self._closed_channels = dict[int, bytes](), set[int]()
        self._frames = list(frames)

    def update(self, timeout: float = 0) -> None:
        """Take the next one in; after the last one the connection ends. Nobody has to wait for one."""
        del timeout
        if not self._frames:
            self._connected = False
        elif (frame := self._frames.pop(0)) is not None:
            channel, content = frame
            self._channels[channel] = self._channels.get(channel, b"") + content


def ended(*frames: Frame, within: float = 60.0) -> tuple[int, bytes, bytes]:
    """Exit code, output and errors of a command of which these frames came."""
    done = read_to_the_end(Scripted(*frames), time.monotonic() + within, "a command", within)
    return done.exit_code, done.stdout, done.stderr


def late(frames: Iterable[Frame], looks: int) -> list[Frame]:
    """The frames after so many looks that find nothing."""
    return [*[None] * looks, *frames]


@pytest.mark.parametrize("looks", range(7))
def test_what_was_said_right_before_the_end_is_heard(looks: int) -> None:
    said: list[Frame] = [(STDOUT_CHANNEL, b"open\n"), (ERROR_CHANNEL, SUCCESS)]
    assert ended(*late(said, looks)) == (0, b"open\n", b"")


@pytest.mark.parametrize("looks", range(7))
def test_both_streams_are_heard_in_parts(looks: int) -> None:
    said: list[Frame] = [
        *((STDOUT_CHANNEL, b"a"), (STDERR_CHANNEL, b"x"), (STDOUT_CHANNEL, b"b")),
        *((STDERR_CHANNEL, b"y"), (ERROR_CHANNEL, THREE)),
    ]
    assert ended(*late(said, looks)) == (3, b"ab", b"xy")


@pytest.mark.parametrize("looks", range(7))
def test_an_end_without_a_verdict_is_an_error(looks: int) -> None:
    with pytest.raises(DeploymentError, match="without a word of the exit code"):
        ended(*late([(STDOUT_CHANNEL, b"half a sent")], looks))


def test_what_does_not_end_is_given_up() -> None:
    with pytest.raises(TimeoutError, match="a command: did not end"):
        ended(None, within=0.0)
