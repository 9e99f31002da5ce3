"""The import contracts hold, and each of them catches the import that it is there for."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts on the copy of the package in a folder."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with the configuration and the sources, free to be spoilt."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "blood_hpo", tmp_path / "blood_hpo")
    return tmp_path


def test_every_contract_is_kept() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "statement", "contract"),
    [
        ("errors", "from blood_hpo import settings", "Imports point down"),
        ("worker/worker", "import blood_hpo.cli", "Imports point down"),
        ("kitchen/__init__", "", "Imports point down"),
        (
            "report/read/scores",
            "import blood_hpo.report.render",
            "Imports of the report point down",
        ),
        ("cli/views/charts", "import blood_hpo.cli.main", "Imports of the command line point down"),
        ("worker/worker", "import tensorflow", "Only the packages that train import TensorFlow"),
        (
            "cli/output",
            "def late():\n    import keras",
            "Only the packages that train import TensorFlow",
        ),
        ("training/fit", "from optuna import Trial", "Only the packages that search import Optuna"),
        ("database/query", "import optuna", "Only the packages that search import Optuna"),
        (
            "report/render",
            "import blood_hpo.search.space",
            "The report knows neither Keras nor Optuna",
        ),
        (
            "search/dataset",
            "import blood_hpo.data.held_out_test",
            "Only the final evaluation can load the test split",
        ),
        (
            "search/dataset",
            "from blood_hpo.data.archive import read_split",
            "Only the data package reads the archive, which holds the test split too",
        ),
        (
            "cli/output",
            "import blood_hpo.data.held_out_test",
            "Only the final evaluation can load the test split",
        ),
    ],
)
def test_a_forbidden_import_is_caught(
    copy: Path, module: str, statement: str, contract: str
) -> None:
    source = copy / "blood_hpo" / f"{module}.py"
    source.parent.mkdir(exist_ok=True)
    (source.parent / "__init__.py").touch()
    with source.open("a", encoding="utf-8") as file:
        file.write(f"\n{statement}\n")
    result = lint_imports(copy)
    assert result.returncode == 1
    assert f"{contract} BROKEN" in result.stdout
