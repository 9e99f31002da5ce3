"""Commands that only read find no database: one line, at once, and nothing is left."""

import os
from pathlib import Path

import pytest

from ...forks import Forks

READING = [
    "status x",
    "query leaderboard --study x",
    "query --sql values(1)",
    "study list",
    "study show x",
    "study check x",
    "study pause x",
    "study delete x --yes",
    "trial show x 0",
    "trial replay x 0",
    "report x",
    "final x",
    "worker x",
    "health",
    "dashboard",
    "db status",
    "db url",
    "db psql",
    "db logins login",
]
PROGRAM = """
import sys
from blood_hpo.cli.main import main
try:
    main()
finally:
    print(*({"tensorflow", "keras", "optuna"} & set(sys.modules)))
"""


@pytest.mark.parametrize("command", READING)
def test_reading_creates_nothing(light_forks: Forks, tmp_path: Path, command: str) -> None:
    login = tmp_path / "login"
    login.write_text("postgresql://blood_hpo_worker:s3cret@host/blood_hpo")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BLOOD_HPO", "DATABASE"))}
    done = light_forks.run(command.split(), tmp_path, kept, PROGRAM)
    assert done.returncode == 4
    *before, last = done.stderr.splitlines()
    assert last.startswith(f"error: there is no database in {tmp_path}/.blood_hpo; ")
    assert "BLOOD_HPO_HOME" in last
    assert "DATABASE_URL" in last
    assert before == [] or command == "worker x"  # which says that it starts
    assert list(tmp_path.iterdir()) == [login]
    # What takes seconds to load is not loaded for it; a worker is about to need it anyway.
    assert done.stdout.split() == [] or command == "worker x"
