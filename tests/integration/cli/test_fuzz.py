"""Whatever is typed or set, the answer is a line and an exit code, and nothing is half done.

Every example goes through the program's main function: an exception that it does not turn into a
line fails the test, and so does an answer that takes long.
"""

import contextlib
import io
import os
import sys
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blood_hpo import settings as of_the_program
from blood_hpo.cli.main import main

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
"""Nothing listens there: what passes the command line ends at the database."""

PATIENCE_SECONDS = 20.0
"""Far more than any example takes, also on a busy machine."""

SHIPPED = [path.read_bytes() for path in sorted(Path(__file__).parents[3].glob("studies/*.toml"))]
COMMANDS = [
    ["study", "list"],
    ["study", "show"],
    ["study", "check"],
    ["study", "pause"],
    ["study", "resume"],
    ["study", "delete"],
    ["study", "create"],
    ["status"],
    ["trial", "show"],
    ["run"],
    ["final"],
    ["report"],
    ["query"],
    ["predict"],
    ["data", "info"],
    ["db", "status"],
    ["db", "url"],
    ["db", "logins"],
    [],
]
OPTIONS = [
    "--format",
    "--top",
    "--budget",
    "--data",
    "--name",
    "--seed",
    "--watch",
    "--repair",
    "--study",
    "--set",
    "--sql",
    "--workers",
    "--grid",
    "--around",
    "--crop",
    "--sha256",
    "--help",
    "--formt",
    "-q",
    "--",
]
# What a shell hands over: bytes that are no UTF-8 arrive as halves of surrogate pairs.
TYPED = st.binary(max_size=12).map(lambda raw: os.fsdecode(raw.replace(b"\0", b"")))
WORDS = (
    st.sampled_from(
        [
            *OPTIONS,
            "json",
            "csv",
            "0",
            "-1",
            "1e9",
            "mlp=3",
            "mlp=x",
            "top=1",
            "",
            "/",
            ".",
            "x.toml",
        ]
    )
    | TYPED
)
VARIABLES = [
    "BLOOD_HPO_HOME",
    "BLOOD_HPO_CACHE",
    "BLOOD_HPO_DATA",
    "BLOOD_HPO_GRACE_SECONDS",
    "BLOOD_HPO_HEARTBEAT_SECONDS",
    "BLOOD_HPO_DRAIN_SECONDS",
    "BLOOD_HPO_CHECKPOINT_SECONDS",
    "BLOOD_HPO_MAX_ATTEMPTS",
    "BLOOD_HPO_STUDY",
    "BLOOD_HPO_GRACE",
    "DATABASE_URL",
    "DATABASE_URL_FILE",
]
VALUES = ["-1", "0", "nan", "inf", "1e400", "7", "postgresql://", "/", "/dev/zero", "/dev/stdin"]


def many(examples: int) -> settings:
    return settings(
        max_examples=examples, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, without a database."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("BLOOD_HPO", "DATABASE_URL")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BLOOD_HPO_DATA", "nothing.npz")
    return tmp_path


def answer(words: list[str], **environment: str) -> tuple[int, str]:
    """Run a command: its exit code and all that it printed; a refusal must be one line."""
    out, err = io.StringIO(), io.StringIO()
    before, began = set(Path().rglob("*")), time.monotonic()
    of_the_program.settings.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["blood-hpo", *words])
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as ended,
        ):
            main()
    of_the_program.settings.cache_clear()
    code = ended.value.code or 0
    assert code in {0, 1, 2, 3, 4, 5}
    refusals = [line for line in err.getvalue().splitlines() if line.startswith("error: ")]
    assert len(refusals) == (1 if code else 0) or (code == 2 and not words)
    assert all(line.isprintable() for line in refusals)
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert set(Path().rglob("*")) == before, "a file is left"
    return int(code), out.getvalue() + err.getvalue()


@many(250)
@given(command=st.sampled_from(COMMANDS), words=st.lists(WORDS, max_size=4))
def test_any_command_line_is_answered(
    elsewhere: Path, command: list[str], words: list[str]
) -> None:
    assert elsewhere.exists()
    answer([*command, *words], DATABASE_URL=NOWHERE)


@many(150)
@given(
    command=st.sampled_from([["status", "x"], ["data", "info"], ["study", "check", "x"]]),
    changed=st.dictionaries(
        st.sampled_from(VARIABLES), TYPED | st.sampled_from(VALUES), min_size=1, max_size=3
    ),
)
def test_any_environment_is_answered(
    elsewhere: Path, command: list[str], changed: dict[str, str]
) -> None:
    assert elsewhere.exists()
    code, _ = answer(command, **{"DATABASE_URL": NOWHERE, **changed})
    assert code


PIECES = st.text("@:/?#[]%&=+ \\'\"äx1", max_size=6)


@many(150)
@given(
    scheme=st.sampled_from(["postgresql", "postgres", "postgresql+psycopg", "mysql", "", "a b"]),
    secret=st.tuples(PIECES, PIECES),
    host=st.sampled_from(["127.0.0.1", "", "[::1]", "[", "h:1", "h:99999", "a,b"]) | PIECES,
    rest=st.sampled_from(["/d", "", "/", "/d?sslmode=x", "/d?host=/x"]) | PIECES,
)
def test_no_part_of_a_password_is_printed(
    elsewhere: Path, scheme: str, secret: tuple[str, str], host: str, rest: str
) -> None:
    assert elsewhere.exists()
    password = f"zq{secret[0]}wk{secret[1]}jv"
    _, said = answer(["db", "url"], DATABASE_URL=f"{scheme}://me:{password}@{host}{rest}")
    assert not any(part in said for part in ("zq", "wk", "jv"))


@many(100)
@given(contents=st.binary(max_size=300))
def test_any_data_file_is_answered(elsewhere: Path, contents: bytes) -> None:
    (elsewhere / "set.npz").write_bytes(contents)
    assert answer(["data", "info", "--data", "set.npz"])[0] == 3


@many(100)
@given(
    names=st.lists(st.sampled_from(["train_images", "train_labels", "test_labels", "synthetic"])),
    contents=st.binary(max_size=100),
)
def test_any_archive_is_answered(elsewhere: Path, names: list[str], contents: bytes) -> None:
    with zipfile.ZipFile(elsewhere / "set.npz", "w") as archive:
        for name in dict.fromkeys(names):
            archive.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00" + contents)
    assert answer(["data", "info", "--data", "set.npz"])[0] == 3


@many(15)  # what may stand in one is tried in tests/unit/studyfile
@given(contents=st.binary(max_size=300))
def test_any_study_file_is_answered(elsewhere: Path, contents: bytes) -> None:
    (elsewhere / "own.toml").write_bytes(contents)
    assert answer(["run", "own.toml"], DATABASE_URL=NOWHERE)[0] == 2


@many(25)
@given(data=st.data())
def test_a_damaged_study_file_is_answered(elsewhere: Path, data: st.DataObject) -> None:
    contents = bytearray(data.draw(st.sampled_from(SHIPPED)))
    start = data.draw(st.integers(0, len(contents) - 1))
    contents[start : start + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=10))
    (elsewhere / "own.toml").write_bytes(contents)
    assert answer(["study", "create", "own.toml"], DATABASE_URL=NOWHERE)[0] in {2, 3}
