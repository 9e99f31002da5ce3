"""medmnist is used without torch, without its misleading line, without a folder in HOME."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from blood_hpo.data.bloodmnist import CLASSES, OFFICIAL_COUNTS
from blood_hpo.data.medmnist_package import evaluator, info

PROGRAM = """
import sys
from blood_hpo.data.medmnist_package import evaluator, info
assert info()["url"]
{use_evaluator}
assert not {{"torch", "torchvision"}} & set(sys.modules)
assert not [name for name in sys.modules if name.split(".")[0] == "medmnist"]
"""


@pytest.mark.parametrize("use_evaluator", ["", "assert evaluator().Evaluator"])
def test_nothing_is_printed_and_no_folder_appears(tmp_path: Path, use_evaluator: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(use_evaluator=use_evaluator)],
        env={"HOME": str(tmp_path), "PYTHONPATH": ":".join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.stdout, result.stderr, result.returncode) == ("", "", 0)
    assert list(tmp_path.iterdir()) == []


def test_the_facts_agree_with_the_package() -> None:
    names = info()["label"]
    assert all(names[str(label)].startswith(name) for label, name in enumerate(CLASSES))
    totals = {split: sum(counts) for split, counts in OFFICIAL_COUNTS.items()}
    assert list(totals.values()) == [info()["n_samples"][key] for key in ("train", "val", "test")]


def test_the_official_evaluator_scores_a_file(tmp_path: Path, synthetic_npz: Path) -> None:
    (tmp_path / "bloodmnist.npz").write_bytes(synthetic_npz.read_bytes())
    official = evaluator().Evaluator("bloodmnist", "test", root=str(tmp_path))
    certain = np.eye(8)[official.labels[:, 0]]
    assert official.evaluate(certain) == (1.0, 1.0)
    assert official.evaluate(np.full((64, 8), 1 / 8)).AUC == 0.5
