"""The program in processes of its own, forked from one that has imported it already.

To start Python and import costs a short command a second, and one that needs TensorFlow six.
"""

import ast
import atexit
import gc
import importlib
import os
import pkgutil
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

Completed = subprocess.CompletedProcess[str]


class Forks:
    """Runs commands one at a time; closed, it has waited for the process that they come from."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._origin = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # no thread may see a fork
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()
        self._origin.wait()

    def run(
        self, words: tuple[str, ...], folder: Path, environment: Mapping[str, str]
    ) -> Completed:
        """Run ``blood-hpo`` in a folder, as if it had been started there."""
        with ExitStack() as stack:
            out, err = (stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(2))
            asked = repr((["blood-hpo", *words], str(folder), dict(environment)))
            socket.send_fds(self._control, [asked.encode()], [out.fileno(), err.fileno()])
            try:
                code = int(self._control.recv(16))
            except BaseException:  # or the next command would be told the end of this one
                self._origin.kill()
                raise
            for file in (out, err):
                file.seek(0)
            return subprocess.CompletedProcess(words, code, out.read(), err.read())


def _serve(control: socket.socket) -> None:
    """Fork for every request and tell its exit code; returns in the children, and at the end."""
    while True:
        asked, given, _, _ = socket.recv_fds(control, 1 << 20, 2)
        child = os.fork() if asked else 0
        if not child:
            return _become(asked, given)
        for one in given:
            os.close(one)
        _, status = os.waitpid(child, 0)
        control.send(str(os.waitstatus_to_exitcode(status)).encode())


def _import_everything() -> None:
    import blood_hpo
    from blood_hpo.training.runtime import configure

    configure()
    for module in pkgutil.walk_packages(blood_hpo.__path__, "blood_hpo."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    gc.freeze()


def _become(asked: bytes, given: list[int]) -> None:
    """Take over what a command of its own process would have."""
    if not asked:
        os._exit(0)
    for number, one in enumerate(given, start=1):
        os.dup2(one, number)
        os.close(one)
    sys.argv, folder, environment = ast.literal_eval(asked.decode())
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)


def _end() -> None:
    """Run the command and end at once: to take apart all that was imported takes long."""
    from blood_hpo.cli.main import main

    code = 1
    try:
        main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    _import_everything()
    _serve(socket.socket(fileno=int(sys.argv[1])))
    _end()
