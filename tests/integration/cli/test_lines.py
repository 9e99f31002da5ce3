"""Every error is one line, whatever is wrong with options, output or the door to the database."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


def shell(folder: Path, line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which ``blood-hpo`` is the program."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BLOOD_HPO", "DATABASE"))}
    program = f'set -o pipefail; blood-hpo() {{ {sys.executable} -m blood_hpo "$@"; }}; '
    return subprocess.run(
        ["bash", "-c", program + line],
        cwd=folder,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("status x --formt json", "No such option: --formt (Possible options: --format); see"),
        ("stauts", "Did you mean 'status'? see `blood-hpo --help`"),
        ("study creat x", "Did you mean 'create'? see `blood-hpo study --help`"),
        ("final", "Missing argument 'study'; see `blood-hpo final --help`"),
        ("status x --interval a", "see `blood-hpo status --help`"),
        ("status x --format y", "'y' is not one of 'table', 'json', 'csv'"),
        ("status x --watch --format json", "leave out --format, or --watch"),
        ("run", "Missing argument 'FILE...'"),
        ("query --set top=3", "name one"),
        ("data synthetic x.npz --train-size 1000000", "200000"),
        ("run a b --name c", "each study keeps its own"),
        ("query --set", "requires an argument"),
        ("trial show x 1.5", "see `blood-hpo trial show --help`"),
        ("dashboard --port 99999", "65535"),
        ("worker x --name y", "No such option: --name"),
        ("$'status\\n'", "No such command"),
        ("status $'a\\xff'", "is no name of a study"),
        ("study create /dev/zero", "not a regular file"),
    ],
)
def test_a_wrong_command_line_is_one_line_with_exit_code_2(
    tmp_path: Path, line: str, said: str
) -> None:
    done = shell(tmp_path, f"blood-hpo {line}", DATABASE_URL=NOWHERE)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("blood-hpo query > /dev/full", 1, "No space left on device"),
        ("blood-hpo query --format csv > /dev/full", 1, "No space left on device"),
        ("blood-hpo --help > /dev/full", 1, "No space left on device"),
        ("blood-hpo query >&-", 1, "Bad file descriptor"),
        ("blood-hpo query --format json | head -c 1", 0, ""),
        ("blood-hpo query --format json | true", 0, ""),
        ("blood-hpo query > /dev/null 2>&-", 0, ""),
        ("blood-hpo status x 2> /dev/full", 4, ""),
        ("blood-hpo status x <&- >&- 2>&-", 4, ""),
        ("PYTHONIOENCODING=ascii blood-hpo --help > /dev/null", 0, ""),
    ],
)
def test_output_that_cannot_be_written_is_no_traceback(
    tmp_path: Path, line: str, code: int, said: str
) -> None:
    done = shell(tmp_path, line)
    assert done.returncode == code
    assert said in done.stderr
    assert done.stderr.count("\n") == (1 if said else 0)


def test_an_address_that_is_no_text_is_not_repeated(tmp_path: Path) -> None:
    url = "postgresql://me:s3cret\udcff@127.0.0.1:1/none"
    done = shell(tmp_path, "blood-hpo study list", DATABASE_URL=url)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "s3cret" not in done.stderr
