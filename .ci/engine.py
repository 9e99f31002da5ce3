"""Restarts a private container engine: ``engine.py PIDFILE reboot`` or ``engine.py PIDFILE power``.

A reboot asks the engine to end, which stops its containers; a power cut kills it and all of them.
Both start it again with the same command line and environment.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SECONDS = 120.0
"""Longest wait for the engine to end, or to answer again."""


def words(process: int, what: str) -> list[str]:
    """Command line or environment of a process."""
    return os.fsdecode(Path(f"/proc/{process}/{what}").read_bytes()).split("\0")[:-1]


def runs(process: int) -> bool:
    """Whether a process is there and no zombie."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def company(command: list[str]) -> set[int]:
    """The helpers of an engine, and all that runs in its containers."""
    folder = command[command.index("--exec-root") + 1] + "/"
    group = command[command.index("--cgroup-parent") + 1] + "/"
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            own = folder in os.fsdecode((path / "cmdline").read_bytes())
            if own or group in (path / "cgroup").read_text():
                found.add(int(path.name))
    return found


def unmount(folder: Path) -> None:
    """Undo what a boot would find undone: mounts and sockets under a folder."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for place in sorted(mounts, reverse=True):
        if place.startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", place], check=True)


def wait(done: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds, or fail."""
    deadline = time.monotonic() + SECONDS
    while not done():
        if time.monotonic() > deadline:
            sys.exit(f"the engine does not {what}")
        time.sleep(0.1)


def main(file: Path, how: str) -> None:
    """End the engine, and start it again."""
    process = int(file.read_text())
    command, environment = words(process, "cmdline"), words(process, "environ")
    others = company(command)
    if how == "power":
        os.kill(process, signal.SIGSTOP)  # it must not see the others die
        for one in (*others, process):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
    else:
        os.kill(process, signal.SIGTERM)
    wait(lambda: not any(map(runs, {process, *others})), "end")
    if how == "power":
        unmount(file.parent)
        file.unlink()
    subprocess.Popen(
        command,
        env=dict(one.partition("=")[::2] for one in environment),
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    asked = ["docker", "version"]
    wait(lambda: subprocess.run(asked, capture_output=True, check=False).returncode == 0, "answer")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
