"""Whatever is typed or set, the answer is a line and an exit code, and nothing is half done."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from blood_hpo import settings as of_the_program
from blood_hpo.cli.main import app
from blood_hpo.errors import BloodHpoError

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
"""Nothing listens there: what passes the command line ends at the database."""

COMMANDS = [
    ["study", "show"],
    ["study", "check"],
    ["study", "pause"],
    ["study", "create"],
    ["status"],
    ["trial", "show"],
    ["run"],
    ["predict"],
    ["data", "info"],
    ["data", "synthetic"],
    ["db", "status"],
]
OPTIONS = [
    "--format",
    "--top",
    "--budget",
    "--data",
    "--name",
    "--watch",
    "--repair",
    "--seed",
    "--crop",
    "--sha256",
]
PRINTABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
WORDS = st.sampled_from([*OPTIONS, "json", "0", "-1", "mlp=3", "mlp=x", "", "/", "."]) | PRINTABLE
VARIABLES = [
    "BLOOD_HPO_HOME",
    "BLOOD_HPO_CACHE",
    "BLOOD_HPO_DATA",
    "BLOOD_HPO_GRACE_SECONDS",
    "BLOOD_HPO_HEARTBEAT_SECONDS",
    "BLOOD_HPO_MAX_ATTEMPTS",
    "BLOOD_HPO_STUDY",
    "DATABASE_URL",
    "DATABASE_URL_FILE",
]
ANY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, without a database."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("BLOOD_HPO", "DATABASE_URL")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATABASE_URL", NOWHERE)
    return tmp_path


def answer(words: list[str], **environment: str) -> int:
    """Run a command; its refusal must be one line, its exit code one of those documented."""
    of_the_program.settings.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        result = CliRunner().invoke(app, words)
    of_the_program.settings.cache_clear()
    error = result.exception
    if isinstance(error, BloodHpoError):
        assert len(str(error).splitlines()) == 1
        return error.exit_code
    assert error is None or isinstance(error, SystemExit), repr(error)
    return result.exit_code


@ANY
@given(command=st.sampled_from(COMMANDS), words=st.lists(WORDS, max_size=4))
def test_any_command_line_is_answered(
    elsewhere: Path, command: list[str], words: list[str]
) -> None:
    assert answer([*command, *words]) in {0, 2, 3, 4, 5}
    left = {path.name for path in elsewhere.iterdir()}
    assert not any(name.endswith((".part", ".unfinished")) for name in left)


@ANY
@given(
    command=st.sampled_from([["status", "x"], ["data", "info"], ["study", "check", "x"]]),
    variable=st.sampled_from(VARIABLES),
    value=PRINTABLE | st.sampled_from(["-1", "0", "nan", "inf", "1e400", "postgresql://", "/"]),
)
def test_any_environment_is_answered(
    elsewhere: Path, command: list[str], variable: str, value: str
) -> None:
    assert elsewhere.exists()
    base = {"DATABASE_URL": NOWHERE, "BLOOD_HPO_DATA": "nothing.npz"}
    assert answer(command, **{**base, variable: value}) in {0, 2, 3, 4, 5}


@ANY
@given(contents=st.binary(max_size=300))
def test_any_data_file_is_answered(elsewhere: Path, contents: bytes) -> None:
    (elsewhere / "set.npz").write_bytes(contents)
    assert answer(["data", "info", "--data", "set.npz"]) == 3


@ANY
@given(contents=st.binary(max_size=300))
def test_any_study_file_is_answered(elsewhere: Path, contents: bytes) -> None:
    (elsewhere / "own.toml").write_bytes(contents)
    assert answer(["run", "own.toml"]) == 2
