"""Studies and files that leave the program, and studies that come in, without becoming its own."""

import hashlib
import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import optuna
import pytest

from ...ports import free_port
from .conftest import Program

DEADLINE = 120.0


@pytest.fixture(scope="module")
def exported(program: Program) -> Path:
    said = program.run("study", "export", "tiny", "tiny.db", "--files", "tiny-files").stdout
    assert "study tiny: 6 trials\n" in said
    return program.folder / "tiny.db"


def test_an_exported_study_is_plain_optuna(program: Program, exported: Path) -> None:
    found = optuna.load_study(study_name="tiny", storage=f"sqlite:///{exported}")
    told = json.loads(program.run("trial", "list", "tiny", "--format", "json").stdout)
    assert [trial.value for trial in found.trials] == [row["score"] for row in told]
    assert [trial.params["model"] for trial in found.trials] == [row["family"] for row in told]
    assert found.metric_names == ["accuracy"]
    digests = {path.name for path in (program.folder / "tiny-files").iterdir()}
    listed = json.loads(program.run("trial", "files", "tiny", "--format", "json").stdout)
    assert digests == {row["sha256"] for row in listed} != set()


def test_nothing_but_optuna_dashboard_shows_it_with_its_pictures(exported: Path) -> None:
    command = [sys.executable, "-c", "from optuna_dashboard._cli import main; main()"]
    files = str(exported.parent / "tiny-files")
    port = free_port()
    options = [f"sqlite:///{exported}", "--artifact-dir", files, "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    with subprocess.Popen([*command, *options], stderr=subprocess.DEVNULL) as process:
        try:
            (study,) = answer(f"{address}/api/studies")["study_summaries"]
            trial = answer(f"{address}/api/studies/{study['study_id']}")["trials"][0]
            picture = trial["artifacts"][0]["artifact_id"]
            path = f"/artifacts/{study['study_id']}/{trial['trial_id']}/{picture}"
            with urlopen(f"{address}{path}", timeout=60) as found:
                assert hashlib.sha256(found.read()).hexdigest() == picture
        finally:
            process.terminate()


def answer(url: str) -> dict[str, list[dict[str, Any]]]:
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            with urlopen(url, timeout=60) as found:
                shown: dict[str, list[dict[str, Any]]] = json.load(found)
                return shown
        except URLError:
            assert time.monotonic() < deadline, "optuna-dashboard does not answer"
            time.sleep(0.1)


def test_a_study_of_another_program_comes_in_and_stays_its_own(program: Program) -> None:
    theirs = optuna.create_study(
        study_name="parabola",
        storage=f"sqlite:///{program.folder}/plain.db",
        directions=["minimize", "maximize"],
    )
    theirs.optimize(lambda trial: (trial.suggest_float("x", -1, 1) ** 2, 1.0), n_trials=3)
    assert program.run("study", "import", "plain.db").stdout == "study parabola: 3 trials\n"
    back = program.run("study", "export", "parabola", "back.db").stdout
    assert back == "study parabola: 3 trials\n"
    ours = optuna.load_study(study_name="parabola", storage=f"sqlite:///{program.folder}/back.db")
    assert [one.values for one in ours.trials] == [one.values for one in theirs.trials]
    assert "parabola" not in program.run("study", "list").stdout
    refused = program.run("worker", "parabola", code=5)
    assert "was created by another program" in refused.stderr
    program.run("study", "import", "plain.db", "parabola", "--name", "twin")
    for name in ("parabola", "twin"):
        program.run("study", "delete", name, "--yes")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("export", "tiny", "tiny.db"), 5, "the place has a study 'tiny' already"),
        (("export", "tony", "x.db"), 5, "did you mean 'tiny'?"),
        (("export", "tiny", "nowhere/x.db"), 2, "unable to open database file"),
        (("import", "nothing.db"), 2, "no such file"),
        (("import", "sqlite:///nothing.db"), 2, "no such file"),
        (("import", "garbage.db"), 2, "file is not a database"),
        (("import", "empty.db"), 2, "no such table"),
        (("import", "tiny.db"), 5, "there is a study 'tiny' already"),
        (("import", "tiny.db", "other"), 2, "tiny.db holds tiny; name one"),
        (("import", "mysql://me:s3cret@127.0.0.1:1/x"), 2, "me:***@"),
        (("import", "a://b:c:d@"), 2, "cannot be used as Optuna's storage"),
    ],
)
def test_what_cannot_be_handed_over_is_said_in_one_line(
    program: Program, exported: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    (program.folder / "garbage.db").write_text("no database" * 100)
    with sqlite3.connect(program.folder / "empty.db") as empty:
        empty.execute("CREATE TABLE IF NOT EXISTS theirs (a)")
    refused = program.run("study", *words, code=code)
    assert said in refused.stderr
    assert "s3cret" not in refused.stderr
    assert refused.stderr.count("\n") == 1
    tables = sqlite3.connect(program.folder / "empty.db").execute("SELECT name FROM sqlite_master")
    assert tables.fetchall() == [("theirs",)]
    assert exported.exists()


def test_files_are_listed_and_downloaded_from_terminal_and_notebook(
    program: Program, tmp_path: Path
) -> None:
    words = ("trial", "files", "tiny", "0", "--out", str(tmp_path / "of-0"), "--format", "json")
    listed = json.loads(program.run(*words).stdout)
    names = {row["file"]: row["sha256"] for row in listed}
    assert set(names) == {"0/confusion.svg", "0/curves.svg"}
    for name, digest in names.items():
        content = (tmp_path / "of-0" / name.replace("/", "-")).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
    script = (
        "import blood_hpo; study = blood_hpo.open_study('tiny');"
        "frame = study.files(); name = frame['name'][0];"
        "print(len(frame), name, len(study.file(name)) == frame['size'][0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=program.folder,
        env=program.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    every = json.loads(program.run("trial", "files", "tiny", "--format", "json").stdout)
    assert done.stdout == f"{len(every)} 0/confusion.svg True\n"
    crowded = subprocess.run(
        ["sh", "-c", f'ulimit -f 0; exec "{sys.executable}" -m blood_hpo trial files tiny --out x'],
        cwd=program.folder,
        env=program.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    refused = "error: the system refused (File too large); make room and try again\n"
    assert (crowded.returncode, crowded.stderr) == (2, refused)
    missing = program.run("trial", "files", "tiny", "--out", "/dev/null/x", code=2)
    assert missing.stderr == "error: /dev/null/x cannot be used (Not a directory); name another\n"
