"""Standard output and error that may be full, closed, or of a reader who has gone."""

import contextlib
import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from blood_hpo.errors import BloodHpoError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Output(io.FileIO):
    def write(self, content: "ReadableBuffer") -> int:
        try:
            return super().write(content) or 0
        except OSError as error:
            # What is still in a buffer is written again when the program ends: let that pass.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            if error.errno == errno.EPIPE:  # the reader has seen enough (``| head``): no failure
                raise SystemExit(0) from error
            raise BloodHpoError(
                f"standard output cannot be written ({error.strerror}); send it to a place with"
                " room, as in > FILE"
            ) from error


class _Errors(io.FileIO):
    def write(self, content: "ReadableBuffer") -> int:
        with contextlib.suppress(OSError):
            super().write(content)
        return memoryview(content).nbytes  # or the work would end for want of a place to report


def guard() -> None:
    """Have output that cannot be written end in one line, and messages that cannot be said pass."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed: the next file would take its number, and be written into
            os.open(os.devnull, os.O_RDONLY)
    if sys.stdout is sys.__stdout__:
        sys.stdout = _text(_Output(1, "w", closefd=False), sys.__stdout__)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text(_Errors(2, "w", closefd=False), sys.__stderr__)


def _text(raw: io.FileIO, before: TextIO | None) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding if before else "utf-8",
        errors="backslashreplace",  # a terminal that knows no "…" is no reason to fail
        line_buffering=raw.isatty() or raw.fileno() == 2,  # noqa: PLR2004 - standard error
    )
