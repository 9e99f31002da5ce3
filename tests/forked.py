"""Stands for a command that is forked elsewhere: asks for it, hands signals on, ends as it ends.

Killed, it takes the command along. Imports little, since it is started for every worker.
"""

import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

COMMAND = "from blood_hpo.cli.main import main; main()"


class Asked(NamedTuple):
    """The words after ``blood-hpo``, where, in which environment, and what program heeds them."""

    words: Sequence[str]
    folder: str
    environment: Mapping[str, str]
    program: str = COMMAND


def ask(origin: socket.socket, asked: Asked, files: Sequence[int]) -> int:
    """Have a command run on three open files; the number of its process.

    Its exit code is what ``origin`` sends next.
    """
    line = ["blood-hpo", *asked.words]
    message = repr((asked.program, line, asked.folder, dict(asked.environment)))
    socket.send_fds(origin, [message.encode()], files)
    return int(origin.recv(16))


def connected(address: str) -> socket.socket:
    found = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    found.connect(address)
    return found


def main(address: str) -> None:
    """Be the interpreter for ``-m blood_hpo WORDS``; all else is for the one that there is."""
    option, module, *words = sys.argv[1:]
    if (option, module) != ("-m", "blood_hpo"):
        os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
    handed_on = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(
        signal.SIG_BLOCK, handed_on
    )  # what comes before there is a process waits
    with connected(address) as origin:
        process = ask(origin, Asked(words, str(Path.cwd()), os.environ), (0, 1, 2))

        def hand_on(number: int, _: object) -> None:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(process, number)

        for number in handed_on:
            signal.signal(number, hand_on)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, handed_on)
        code = int(origin.recv(16))
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)
