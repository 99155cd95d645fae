"""A run that is asked to end (SIGTERM: `timeout`, CI systems, a node that is drained) ends as if by Ctrl-C.

What fixtures made is taken down, and there is a report of what was seen until then.
"""

import signal
import threading
from types import FrameType

import pytest

from reports.record import RUN

ASKED = "it was asked to end (SIGTERM)"


def pytest_sessionstart(session: pytest.Session) -> None:
    """From now on SIGTERM is Ctrl-C; the second one ends the process at once."""
    record = session.config.stash[RUN]

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        record.interruption = ASKED
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells start what runs in the background
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGINT)

    if threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGTERM, interrupt)

        def as_before() -> None:
            signal.signal(signal.SIGTERM, before)

        session.config.add_cleanup(as_before)
