"""What a worker runs: on which machine and processor, which program."""

import platform
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from blood_hpo.text import printable
from blood_hpo.version import __version__


def this_host() -> str:
    """The name of this machine, as it stands in the names of its workers."""
    return printable(socket.gethostname())


def program(root: Path = Path(__file__).parents[2]) -> str:
    """The commit checked out in ``root``, "-dirty" where files differ from it, or the version."""
    if (root / ".git").exists():
        describe = ("describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
        with suppress(OSError, subprocess.SubprocessError):
            command = ["git", "-C", str(root), *describe]  # of whatever git the machine has
            said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603
            return said.stdout.strip()
    return __version__


def processor() -> str:
    """This machine's processor, such as "AMD EPYC, family 25 model 1", or its architecture.

    The name alone does not tell apart generations that compute, and round, in other ways.
    """
    with suppress(OSError, KeyError):
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0]
        pairs = (line.partition(":") for line in first.splitlines())
        said = {key.strip(): value.strip() for key, _, value in pairs}
        return "{model name}, family {cpu family} model {model}".format_map(said)
    return platform.processor() or platform.machine()
