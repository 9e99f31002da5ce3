"""The program in processes of its own, forked from one that has imported it already.

To start Python and import costs a short command a second, and one that needs TensorFlow six.
"""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from .forked import COMMAND, Asked, ask, connected

HERE = Path(__file__).parent
Completed = subprocess.CompletedProcess[str]


class Forks:
    """Runs commands; closed, it has waited for the process that they come from.

    Attributes:
        python: An interpreter for ``-m blood_hpo``, also for the workers that a command starts.
    """

    def __init__(self, *modules: str) -> None:
        """Import these modules first; none stands for the whole program and TensorFlow."""
        self._folder = tempfile.TemporaryDirectory(prefix="blood-hpo-forks-")
        self._address = f"{self._folder.name}/origin"
        self.python = f"{self._folder.name}/python"
        self._write_python()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(self._address)
            listener.listen()
            self._origin = subprocess.Popen(
                [
                    sys.executable,
                    HERE / "fork_origin.py",
                    str(listener.fileno()),
                    self.python,
                    *modules,
                ],
                pass_fds=[listener.fileno()],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # no thread may see a fork
            )

    def _write_python(self) -> None:
        path = Path(self.python)
        start = f"import sys; sys.path.insert(0, {str(HERE)!r})\nfrom forked import main\n"
        path.write_text(f"#!{sys.executable} -IS\n{start}main({self._address!r})\n", "utf-8")
        path.chmod(0o700)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._origin.communicate()
        self._folder.cleanup()

    def start(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> "subprocess.Popen[str]":
        """Start ``blood-hpo`` in a folder; what it says can be read."""
        return subprocess.Popen(
            [self.python, "-m", "blood_hpo", *words],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        words: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        program: str = COMMAND,
    ) -> Completed:
        """Run ``blood-hpo`` in a folder, as if it had been started there."""
        with ExitStack() as stack:
            nothing = stack.enter_context(Path(os.devnull).open("rb"))
            out, err = (stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(2))
            files = [one.fileno() for one in (nothing, out, err)]
            origin = stack.enter_context(connected(self._address))
            ask(origin, Asked(words, str(folder), environment, program), files)
            code = int(origin.recv(16))
            for file in (out, err):
                file.seek(0)
            return subprocess.CompletedProcess(words, code, out.read(), err.read())
