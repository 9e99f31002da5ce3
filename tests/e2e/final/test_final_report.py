"""The report of a study that real workers took to its tested models, written from the database."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics
from sqlalchemy import text

from .conftest import House

WITHOUT = """
import sys
for name in ("tensorflow", "keras", "optuna"):
    sys.modules[name] = None
sys.argv = ["blood-hpo", *sys.argv[1:]]
from blood_hpo.cli.main import main
main()
"""


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_it_is_rebuilt_byte_for_byte_without_tensorflow_and_without_the_data_set(
    finished: House, report: Path
) -> None:
    program = [sys.executable, "-c", WITHOUT, "report", "whole", "--out", "two"]
    environment = {
        **{name: value for name, value in os.environ.items() if "BLOOD_HPO" not in name},
        "BLOOD_HPO_HOME": str(finished.folder / "home"),
        "BLOOD_HPO_DATA": "nothing.npz",
    }
    subprocess.run(program, cwd=finished.folder, env=environment, check=True, timeout=280)
    first, second = content(report), content(finished.folder / "two")
    one, two = (json.loads(each["report.json"])["written_at"] for each in (first, second))
    for old, new in ((two, one), (_minute(two), _minute(one)), (_micro(second), _micro(first))):
        second = {name: value.replace(old.encode(), new.encode()) for name, value in second.items()}
    assert second == first


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")


def _micro(folder: dict[str, bytes]) -> str:
    page = folder["report.html"].decode()
    return page.partition('<time datetime="')[2].partition('"')[0]


def test_its_numbers_are_those_of_scikit_learn_on_the_csv(finished: House, report: Path) -> None:
    (path,) = (report / "predictions").glob("*@whole-mlp-1.csv")
    scores = np.loadtxt(path, delimiter=",")[:, 1:]
    beside = np.loadtxt(report / "predictions/whole-mlp-1.csv", delimiter=",", skiprows=1)
    np.testing.assert_allclose(beside[:, 4:], scores, atol=1e-7)
    assert beside[:, 2].tolist() == scores.argmax(axis=1).tolist()
    with np.load(finished.data) as archive:
        labels = archive["test_labels"].ravel()
    assert beside[:, 1].tolist() == labels.tolist()
    tests = json.loads((report / "report.json").read_text())["sections"]["test"]
    (row,) = tests["tables"]["seeds"]
    assert row["accuracy"] == pytest.approx(metrics.accuracy_score(labels, scores.argmax(1)))
    expected = metrics.balanced_accuracy_score(labels, scores.argmax(1))
    assert row["balanced accuracy"] == pytest.approx(expected)
    expected = metrics.roc_auc_score(labels, scores, multi_class="ovr")
    assert row["macro AUC"] == pytest.approx(expected)
    assert row["accuracy"] == pytest.approx(row["medmnist ACC"])
    assert row["macro AUC"] == pytest.approx(row["medmnist AUC"])
    (model,) = tests["models"]
    matrix = metrics.confusion_matrix(labels, scores.argmax(1), labels=range(8))
    assert model["confusion"] == matrix.tolist()


def test_its_interval_is_the_views(finished: House, report: Path) -> None:
    tests = json.loads((report / "report.json").read_text())["sections"]["test"]
    shown = {row["score"]: row["MLP"] for row in tests["tables"]["test"]}
    (view,) = finished.rows("SELECT * FROM hpo.final_results WHERE study = 'whole'")
    assert shown["accuracy"] == pytest.approx(view["accuracy"])
    assert shown["log-loss"] == pytest.approx(view["log_loss"])
    assert shown["95 % interval of the accuracy"] == pytest.approx([view["low"], view["high"]])


def test_it_proves_which_configuration_was_tested(finished: House, report: Path) -> None:
    sections = json.loads((report / "report.json").read_text())["sections"]
    (row,) = sections["training"]["tables"]["models"]
    (source,) = finished.rows(
        "SELECT * FROM hpo.trials WHERE study = 'whole' AND number = :number",
        number=row["source"]["trial"],
    )
    assert row["configuration hash"] == source["config_hash"]
    assert row["parameters"] == source["parameter_count"]


def test_synthetic_images_are_named_at_the_top(report: Path) -> None:
    body = (report / "report.html").read_text().partition("<body>")[2]
    assert body.index("<strong>SYNTHETIC data:</strong>") < body.index("<h1>")


OF_FILE = (
    "(study_id, sha256) IN (SELECT study_id, sha256 FROM hpo.artefact WHERE name ~ :file)"
    " AND piece = 0"
)
FLIPPED = f"hpo.piece SET content = set_bit(content, 0, 1 - get_bit(content, 0)) WHERE {OF_FILE}"
CHANGED = (FLIPPED, FLIPPED)
DELETED = (
    "hpo.artefact SET name = name || '-gone' WHERE name ~ :file",
    "hpo.artefact SET name = regexp_replace(name, '-gone$', '') WHERE name ~ :file",
)


@contextmanager
def altered(house: House, file: str, change: tuple[str, str]) -> Iterator[None]:
    """A saved file that is not what it was, for as long as it is needed."""
    there, back = (f"UPDATE {step}" for step in change)
    pattern = {"file": f"^[0-9]+/{file}(-gone)?$"}
    with house.database.begin() as connection:
        connection.execute(text(there), pattern)
    yield
    with house.database.begin() as connection:
        connection.execute(text(back), pattern)


@pytest.mark.parametrize("file", ["predictions.npz", "model.keras", "medmnist.csv"])
@pytest.mark.parametrize(
    ("change", "message"),
    [(CHANGED, "has been changed since it was written"), (DELETED, "has no file '0/")],
)
def test_a_changed_or_deleted_file_is_one_line_and_leaves_the_report_that_was(
    finished: House, report: Path, file: str, change: tuple[str, str], message: str
) -> None:
    before = content(report)
    with altered(finished, file, change):
        code, _, err = finished.answer("report", "whole", "--out", "one")
    assert code == 5, err
    (line,) = err.strip().splitlines()
    assert message in line
    assert content(report) == before
    assert [one.name for one in report.parent.glob(".one-*")] == []


@pytest.mark.parametrize(
    ("study", "message"),
    [
        ("nothing", "there is no study 'nothing'; `blood-hpo study list` shows"),
        ("whole-final", "is a stage of 'whole'; run `blood-hpo report whole`"),
    ],
)
def test_what_is_no_study_to_report_on_is_one_line(
    finished: House, study: str, message: str
) -> None:
    code, _, err = finished.answer("report", study)
    assert code == 5
    assert message in err
    assert len(err.strip().splitlines()) == 1
