"""How far a download is, on standard error: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SECONDS_BETWEEN_LINES = 5.0
_MEGABYTE = 1_000_000


@contextmanager
def show_progress(name: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show how much of a download has arrived.

    Args:
        name: What is downloaded.
        total: Its size in bytes, if the server says it.

    Yields:
        A function to call with the number of bytes that have newly arrived.
    """
    show = _bar if sys.stderr.isatty() else _lines
    with show(name, total) as advance:
        yield advance


@contextmanager
def _bar(name: str, total: int | None) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(name, total=total)
        yield lambda count: progress.advance(task, count)


@contextmanager
def _lines(name: str, total: int | None) -> Iterator[Callable[[int], None]]:
    size = "" if total is None else f" of {total / _MEGABYTE:.1f}"
    done, next_line = 0, time.monotonic()

    def advance(count: int) -> None:
        nonlocal done, next_line
        done += count
        if time.monotonic() >= next_line or done == total:
            next_line = time.monotonic() + _SECONDS_BETWEEN_LINES
            print(f"{name}: {done / _MEGABYTE:.1f}{size} MB", file=sys.stderr, flush=True)

    yield advance
