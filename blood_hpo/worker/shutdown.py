"""The request to stop: a first signal drains the process, a second ends it at once."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT)
INTERRUPTED = 130
"""Exit code of a process that was asked to stop before it was done."""


class Shutdown:
    """Whether this process was asked to stop, and how long it may still wait for the database."""

    def __init__(self, patience_seconds: float) -> None:
        """Start unasked; the patience is for an absent database, after the request."""
        self._requested = threading.Event()
        self._patience = patience_seconds
        self.deadline = float("inf")
        """When to wait for the database no longer, by the monotonic clock."""
        self._until_the_process_ends = ExitStack()
        self.last_words = LastWords(self)

    @property
    def requested(self) -> bool:
        """Whether the process was asked to stop."""
        return self._requested.is_set()

    def request(self) -> None:
        """Ask the process to stop."""
        self.deadline = time.monotonic() + self._patience
        self._requested.set()

    def wait(self, seconds: float) -> bool:
        """Wait, but no longer than until the request; True if there was one."""
        return self._requested.wait(seconds)

    def on_signals(self) -> None:
        """Take SIGTERM and SIGINT as the request from now on; to be called in the main thread."""
        self._until_the_process_ends.enter_context(heard(self._on_signal))

    def _on_signal(self, received: signal.Signals) -> None:
        if self.requested:
            log.warning(
                "%s: ends at once; its trial is recovered after the grace time", received.name
            )
            os._exit(INTERRUPTED)
        log.info("%s: draining; once more ends at once", received.name)
        self.request()


@contextmanager
def heard(act: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Have a thread of its own act on each SIGTERM and SIGINT; to be entered in the main thread.

    The main thread may be inside TensorFlow for a whole epoch or inside a call to the database: a
    handler in Python runs only afterwards, two signals that arrive meanwhile look like one to it,
    and what it interrupts may hold the very lock that it needs (a write, the wait for a process).
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = {number: signal.signal(number, _nothing_more) for number in SIGNALS}
    # The interpreter writes the number of a signal there whatever its threads are doing.
    woken = signal.set_wakeup_fd(writing)
    threading.Thread(target=_listen, args=(reading, act), name="signals", daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(woken)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(writing)


def _listen(reading: int, act: Callable[[signal.Signals], None]) -> None:
    """Act on each signal until the other end of the pipe is closed."""
    while numbers := os.read(reading, 1):
        if numbers[0] in SIGNALS:
            act(signal.Signals(numbers[0]))
    os.close(reading)


def _nothing_more(_number: int, _frame: FrameType | None) -> None:
    """Instead of the default action of a signal."""


class LastWords:
    """Waiting for the database with something to tell it, for which a request leaves some time."""

    def __init__(self, shutdown: Shutdown) -> None:
        self._shutdown = shutdown

    def wait(self, seconds: float) -> bool:
        """Wait, only briefly once the request has come; True when the time for waiting is over."""
        if self._shutdown.wait(seconds):
            # Asked already, so the wait above was none: come back soon, but not at once.
            time.sleep(min(seconds, 0.5))
        return time.monotonic() >= self._shutdown.deadline
