"""The process that has imported the program, and forks for everyone who asks over its socket.

Started as ``fork_origin.py SOCKET PYTHON MODULES``: the number of a listening socket, what commands
are to take for the interpreter, and what to import; no module stands for the whole program.
"""

import ast
import atexit
import gc
import importlib
import os
import pkgutil
import select
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress


def _serve(listener: socket.socket) -> str:
    """Fork for every caller, until the standard input ends; the program, in what is forked."""
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        caller, _ = listener.accept()
        if not os.fork():
            listener.close()
            return _attend(caller)
        caller.close()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:  # those who attended to earlier callers
                pass
    os._exit(0)


def _attend(caller: socket.socket) -> str:
    """Tell the caller the process and its exit code; it ends with the caller.

    Returns the program in the process that is to run it.
    """
    asked, given, _, _ = socket.recv_fds(caller, 1 << 20, 3)
    process = os.fork()
    if not process:
        caller.close()
        return _become(asked, given)
    for one in given:
        os.close(one)
    with suppress(BrokenPipeError):
        caller.send(str(process).encode())
    ended = os.pidfd_open(process)
    watched: list[int | socket.socket] = [ended, caller]
    if ended not in select.select(watched, [], [])[0]:
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    with suppress(BrokenPipeError):
        caller.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _import(modules: Sequence[str]) -> None:
    for module in modules or _everything():
        importlib.import_module(module)
    gc.freeze()
    gc.enable()


def _everything() -> list[str]:
    import blood_hpo
    from blood_hpo.training.runtime import configure

    configure()
    found = pkgutil.walk_packages(blood_hpo.__path__, "blood_hpo.")
    return [module.name for module in found if not module.name.endswith("__main__")]


def _become(asked: bytes, given: list[int]) -> str:
    """Take over what a command of its own process would have; the program to run."""
    for number, one in enumerate(given):
        os.dup2(one, number)
        os.close(one)
    program: str
    program, sys.argv, folder, environment = ast.literal_eval(asked.decode())
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    return program


def _end(program: str) -> None:
    """Run the program and end at once: to take apart all that was imported takes long."""
    code = 1
    try:
        exec(program, {"__name__": "__main__"})
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    gc.disable()  # importing makes no garbage, and to look for it takes a quarter of the time
    _, number, sys.executable, *named = sys.argv
    _import(named)
    _end(_serve(socket.socket(fileno=int(number))))
