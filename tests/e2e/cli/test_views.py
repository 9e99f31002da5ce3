"""The views for people over a real study: in a pipe, and on terminals of two widths."""

import fcntl
import os
import re
import struct
import subprocess
import termios

import pytest

from .conftest import Program

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def on_a_terminal(program: Program, columns: int, *words: str, **environment: str) -> list[str]:
    """What a command prints on a terminal of that many columns, line by line."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        [program.forks.python, "-m", "blood_hpo", *words],
        cwd=program.folder,
        env={**program.environment, "TERM": "xterm-256color", **environment},
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    pieces = []
    try:
        while piece := os.read(ours, 65536):
            pieces.append(piece)
    except OSError:  # the other end has been closed
        pass
    os.close(ours)
    assert process.wait(60) == 0
    return b"".join(pieces).decode().replace("\r", "").splitlines()


def test_in_a_pipe_the_view_is_plain_text(program: Program) -> None:
    shown = program.run("status", "tiny").stdout.splitlines()
    assert shown[0].startswith("tiny  finished  on SYNTHETIC")
    assert not any("\x1b" in one or one != one.rstrip() for one in shown)
    (row,) = [one for one in shown if one.startswith("cnn ")]
    assert "3/3" in row
    assert "█" * 30 in row
    assert row.endswith("done")


@pytest.mark.parametrize("columns", [80, 200])
def test_on_a_terminal_it_fits(program: Program, columns: int) -> None:
    lines = on_a_terminal(program, columns, "status", "tiny")
    assert any("\x1b[1" in one for one in lines)  # bold
    plain = [ESCAPE.sub("", one) for one in lines]
    assert max(map(len, plain)) <= columns
    assert "…" not in "".join(plain)
    (row,) = [one for one in plain if one.startswith("cnn ")]
    assert row.count("█") >= (30 if columns == 200 else 10)


def test_without_colour_nothing_is_coloured(program: Program) -> None:
    lines = on_a_terminal(program, 80, "status", "tiny", NO_COLOR="1")
    coloured = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-9]|9[0-7]|4[0-8])m")
    assert not any(coloured.search(one) for one in lines)
    assert any(one.startswith("cnn ") for one in lines)


def test_a_watch_ends_with_the_study(program: Program) -> None:
    lines = [ESCAPE.sub("", one) for one in on_a_terminal(program, 80, "status", "tiny", "--watch")]
    assert any(one.startswith("mlp ") and "3/3" in one for one in lines)
    assert any("watched for" in one for one in lines)


def test_a_trial_shows_its_curves(program: Program) -> None:
    shown = program.run("trial", "show", "tiny", "0").stdout
    assert shown.startswith("trial 0 of tiny: ")
    assert "searched: " in shown
    assert len(re.findall(r"^ +[123]  0\.\d{4} .*[▁▂▃▄▅▆▇█]+$", shown, re.MULTILINE)) == 3
    assert shown.count("┤") == 8


def test_a_study_shows_data_standing_and_leaderboards(program: Program) -> None:
    shown = program.run("study", "show", "tiny", "--top", "2").stdout
    assert re.search(r"data: .*SYNTHETIC.*\nSHA-256: [0-9a-f]{64}\n", shown)
    assert "tiny, cnn: best of the search" in shown
    assert shown.count("batch_size=") == 4
