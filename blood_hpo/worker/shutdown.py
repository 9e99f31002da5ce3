"""The request to stop: a first signal drains the process, a second ends it at once."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
INTERRUPTED = 130  # exit code of a process that was asked to stop before it was done


class Shutdown:
    """Whether this process was asked to stop, and how long it may still wait for the database."""

    def __init__(self, patience_seconds: float) -> None:
        """Start unasked; the patience is for an absent database, after the request."""
        self._requested = threading.Event()
        self._patience = patience_seconds
        self.deadline = float("inf")  # for the database, by the monotonic clock
        self._until_the_process_ends = ExitStack()

    @property
    def requested(self) -> bool:
        """Whether the process was asked to stop."""
        return self._requested.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait, but no longer than until the request; True if there was one."""
        return self._requested.wait(seconds)

    def last_words(self, seconds: float) -> bool:
        """Wait with something to tell, only briefly once asked; True when the time is over."""
        if self.wait(seconds):
            # Asked already, so the wait above was none: come back soon, but not at once.
            time.sleep(min(seconds, 0.5))
        return time.monotonic() >= self.deadline

    def on_signals(self) -> None:
        """Take these signals as the request from now on; to be called in the main thread."""
        last = partial(log.warning, "ends at once; its trial is recovered after the grace time")
        self._until_the_process_ends.enter_context(heard(self._drain, last))

    def _drain(self) -> None:
        log.info("draining; another signal ends at once")
        self.deadline = time.monotonic() + self._patience
        self._requested.set()


@contextmanager
def heard(first: Callable[[], None], second: Callable[[], None]) -> Iterator[None]:
    """Have a thread of its own act on a signal, and on a second, which ends the process.

    To be entered in the main thread. That may be inside TensorFlow for a whole epoch, or inside a
    call to the database: a handler in Python runs only afterwards, two signals that arrive
    meanwhile look like one to it, and what it interrupts may hold the very lock that it needs.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    # The interpreter writes the number of a signal there whatever its threads are doing.
    woken = signal.set_wakeup_fd(writing)
    before = {number: signal.signal(number, lambda *_: None) for number in _heeded()}
    told = (reading, [second, first])
    threading.Thread(target=_listen, args=told, name="signals", daemon=True).start()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(woken)
        os.close(writing)


def _heeded() -> list[signal.Signals]:
    """All, but none of a closed terminal where the process is to outlive it, as under ``nohup``."""
    ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    return [number for number in SIGNALS if not (ignored and number == signal.SIGHUP)]


def _listen(reading: int, acts: list[Callable[[], None]]) -> None:
    """Act on signals until the other end of the pipe is closed."""
    while numbers := os.read(reading, 1):
        repeated = numbers[0] == signal.SIGHUP and len(acts) == 1  # a closed terminal may say twice
        if numbers[0] in SIGNALS and not repeated:
            acts.pop()()
            if not acts:
                os._exit(INTERRUPTED)
    os.close(reading)
