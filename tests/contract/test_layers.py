"""The import contracts hold, and each of them catches the imports that it is there for."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOWN = "Imports point down"
TENSORFLOW = "Only the packages that train import TensorFlow"
OPTUNA = "Only the packages that search import Optuna"
TEST_SPLIT = "Only the final evaluation can load the test split"
FORBIDDEN = [
    ("errors", "from blood_hpo import settings", DOWN, "blood_hpo.settings"),
    ("worker/worker", "import blood_hpo.cli", DOWN, "blood_hpo.cli"),
    (
        "report/read/scores",
        "import blood_hpo.report.render",
        "Imports of the report point down",
        "blood_hpo.report.render",
    ),
    (
        "cli/views/charts",
        "import blood_hpo.cli.main",
        "Imports of the command line point down",
        "blood_hpo.cli.main",
    ),
    ("worker/worker", "import tensorflow", TENSORFLOW, "tensorflow"),
    ("cli/output", "def late():\n    import keras", TENSORFLOW, "keras"),
    ("training/fit", "from optuna import Trial", OPTUNA, "optuna"),
    ("database/query", "import optuna", OPTUNA, "optuna"),
    (
        "report/render",
        "import blood_hpo.search.space",
        "The report knows neither Keras nor Optuna",
        "blood_hpo.search.space",
    ),
    (
        "search/dataset",
        "import blood_hpo.data.held_out_test",
        TEST_SPLIT,
        "blood_hpo.data.held_out_test",
    ),
    (
        "search/dataset",
        "from blood_hpo.data.archive import read_split",
        "Only the data package reads the archive, which holds the test split too",
        "blood_hpo.data.archive",
    ),
    (
        "cli/output",
        "import blood_hpo.data.held_out_test",
        TEST_SPLIT,
        "blood_hpo.data.held_out_test",
    ),
]
"""Module, what it must not say, the contract that forbids it, and what is imported."""


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts on the copy of the package in a folder."""
    command: list[str | Path] = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    wide = {**os.environ, "COLUMNS": "500"}
    return subprocess.run(
        command, cwd=folder, env=wide, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is said of each contract about a copy in which all that is forbidden was done."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copy(ROOT / "pyproject.toml", copy)
    shutil.copytree(ROOT / "blood_hpo", copy / "blood_hpo")
    (copy / "blood_hpo/kitchen").mkdir()
    (copy / "blood_hpo/kitchen/__init__.py").touch()
    for module, statement, *_ in FORBIDDEN:
        with (copy / f"blood_hpo/{module}.py").open("a", encoding="utf-8") as file:
            file.write(f"\n{statement}\n")
    result = lint_imports(copy)
    assert result.returncode == 1
    _, found = result.stdout.split("Broken contracts\n")
    parts = re.split(r"\n(\S.*)\n-+\n", found)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_contract_is_kept() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "contract", "imported"), [(one, kept, found) for one, _, kept, found in FORBIDDEN]
)
def test_a_forbidden_import_is_caught(
    broken: dict[str, str], module: str, contract: str, imported: str
) -> None:
    importer = f"blood_hpo.{module.replace('/', '.')}"
    assert re.search(rf"-\s+{re.escape(importer)} -> {re.escape(imported)} \(", broken[contract])


def test_a_package_that_has_no_layer_is_caught(broken: dict[str, str]) -> None:
    _, unlisted = broken[DOWN].split("not listed as layers:")
    assert "- blood_hpo.kitchen\n" in unlisted
