"""What ``make secrets`` writes, and how the scripts of the containers read .env."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the scripts and the shipped studies."""
    for name in ("docker", "studies"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def run(clone: Path, *words: str) -> str:
    path = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(words, cwd=clone, env=path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_secrets_are_made_once_and_for_their_owner_alone(clone: Path) -> None:
    run(clone, "docker/secrets.sh")
    before = {one.name: one.read_text() for one in (clone / "secrets").iterdir()}
    run(clone, "docker/secrets.sh")
    assert before == {one.name: one.read_text() for one in (clone / "secrets").iterdir()}
    assert len(set(before.values())) == len(before)
    for one in (clone / "secrets").iterdir():
        assert stat.S_IMODE(one.stat().st_mode) == 0o600


def test_settings_that_are_there_stay(clone: Path) -> None:
    (clone / ".env").write_text("WORKERS=4")  # a last line without an end
    run(clone, "docker/secrets.sh")
    first, second = (clone / ".env").read_text().splitlines()
    assert first == "WORKERS=4"
    assert second.startswith("BLOOD_HPO_USER=")
    run(clone, "docker/secrets.sh")
    assert len((clone / ".env").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    "written",
    [
        "studies/blood.toml",
        '"studies/blood.toml"',
        "'studies/blood.toml' # the default",
        "studies/blood.toml  # the default",
    ],
)
def test_a_setting_is_read_as_compose_reads_it(clone: Path, written: str) -> None:
    (clone / ".env").write_text(f"WORKERS=4\nSTUDY_FILE={written}\n")
    assert run(clone, "docker/dotenv.sh", "STUDY_FILE") == "studies/blood.toml\n"
    assert run(clone, "docker/dotenv.sh", "DATA_FILE") == ""
    run(clone, "docker/secrets.sh")
