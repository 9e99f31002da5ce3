"""From a study file to tested models, with real workers, also when one is killed in between."""

import hashlib
import io
import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from blood_hpo.data.medmnist_package import evaluator
from blood_hpo.database.artefacts import listing, load, load_arrays
from blood_hpo.report.read.uncertainty import interval

from ...waiting import until
from .conftest import House

MINE = "JOIN trials USING (trial_id) JOIN studies USING (study_id) WHERE study_name = :study"


def figures(house: House, study: str) -> dict[str, Any]:
    """What the database has of the model that a study's final stage tested."""
    (found,) = house.rows(
        "SELECT tested_model.*, fold.*, result.parameter_count, configuration.config_hash,"
        " configuration.seed FROM hpo.tested_model JOIN hpo.result USING (trial_id)"
        " JOIN hpo.fold USING (trial_id) JOIN hpo.attempt USING (trial_id)"
        " JOIN hpo.configuration USING (configuration_id)"
        " JOIN studies ON studies.study_id = attempt.study_id WHERE study_name = :study",
        study=study,
    )
    return found


def model(house: House, study: str) -> dict[str, Any]:
    (found,) = house.rows("SELECT * FROM hpo.models WHERE study = :study", study=study)
    return found


def true_labels(data: Path) -> np.ndarray:
    with np.load(data) as archive:
        labels: np.ndarray = archive["test_labels"].ravel()
        return labels


def test_every_configuration_is_confirmed_once_a_split(finished: House) -> None:
    found = finished.rows(
        "SELECT config_hash, replicate FROM hpo.trials WHERE study = 'whole-confirm'"
    )
    pairs = {(row["config_hash"], row["replicate"]) for row in found}
    assert len(found) == len(pairs) == 4
    confirmed = finished.rows("SELECT * FROM hpo.confirmations WHERE study = 'whole' ORDER BY rank")
    assert [row["rank"] for row in confirmed] == [1, 2]
    for row in confirmed:
        (source,) = finished.rows(
            "SELECT * FROM hpo.trials WHERE study = 'whole' AND number = :number",
            number=row["number"],
        )
        assert source["config_hash"] == row["config_hash"]
        assert source["score"] == row["search_score"]
        assert row["mean"] == pytest.approx(np.mean(row["scores"]))
        assert [len(split) for split in row["scores"]] == [2, 2]


def test_the_tested_model_is_the_winner(finished: House) -> None:
    (winner,) = finished.rows("SELECT * FROM hpo.confirmations WHERE study = 'whole' AND winner")
    found = model(finished, "whole")
    assert found["source_number"] == winner["number"]
    assert found["config_hash"] == winner["config_hash"]
    assert found["parameter_count"] == winner["parameter_count"]
    assert found["in_force"]
    assert found["test_openings"] == 1


def test_the_interval_of_the_accuracy_is_kept_where_everybody_reads_it(finished: House) -> None:
    (found,) = finished.rows("SELECT * FROM hpo.final_results WHERE study = 'whole'")
    arrays = load_arrays(finished.database, "whole-final", "0/predictions.npz")
    correct = arrays["test_probabilities"].argmax(axis=1) == arrays["test_labels"]
    _, low, high = interval(correct[None])
    assert (found["low"], found["high"]) == pytest.approx((low, high))
    assert low < found["accuracy"] < high


def test_every_figure_follows_from_the_saved_predictions(finished: House) -> None:
    arrays = load_arrays(finished.database, "whole-final", "0/predictions.npz")
    labels, probabilities = arrays["test_labels"], arrays["test_probabilities"]
    np.testing.assert_array_equal(labels, true_labels(finished.data))
    predicted = probabilities.argmax(axis=1)
    found = model(finished, "whole")
    assert found["test_accuracy"] == metrics.accuracy_score(labels, predicted)
    assert found["test_balanced_accuracy"] == pytest.approx(
        metrics.balanced_accuracy_score(labels, predicted)
    )
    wrong = (predicted != labels).sum()
    assert found["test_errors"] == len(arrays["misclassified_images"]) == wrong
    assert arrays["misclassified_images"].shape == (found["test_errors"], 28, 28, 3)
    assert arrays["duplicates"].shape == (0, 5)


def test_medmnists_own_evaluator_reads_the_result_file(finished: House, tmp_path: Path) -> None:
    noted = figures(finished, "whole-final")
    content = load(finished.database, "whole-final", "0/medmnist.csv")
    scores = pd.read_csv(io.BytesIO(content), index_col=0, header=None).to_numpy()
    np.savez(tmp_path / "bloodmnist.npz", test_labels=true_labels(finished.data)[:, None])
    judge = evaluator().Evaluator("bloodmnist", "test", root=str(tmp_path))
    found = judge.evaluate(scores)
    area, accuracy = found
    assert area == pytest.approx(noted["medmnist_auc"], abs=1e-6)
    assert accuracy == noted["medmnist_acc"]
    assert noted["medmnist_acc"] == model(finished, "whole")["test_accuracy"]
    assert noted["medmnist_file"] == judge.get_standard_evaluation_filename(found, "whole-mlp-1")


def test_a_downloaded_model_is_one_that_can_be_used(finished: House, tmp_path: Path) -> None:
    from blood_hpo.final.predict import read_model

    finished.run("trial", "files", "whole-final", "0", "--out", str(tmp_path))
    content = load(finished.database, "whole-final", "0/model.keras")
    assert read_model(tmp_path / "0-model.keras") == content


def test_the_file_of_the_model_gives_the_saved_predictions(finished: House) -> None:
    from blood_hpo.final.export import load as loaded
    from blood_hpo.final.export import parameter_counts, predict

    content = load(finished.database, "whole-final", "0/model.keras")
    noted = figures(finished, "whole-final")
    assert hashlib.sha256(content).hexdigest() == noted["sha256"]
    assert noted["loading_difference"] < 1e-5
    network = loaded(content)
    arrays = load_arrays(finished.database, "whole-final", "0/predictions.npz")
    with np.load(finished.data) as archive:
        images = archive["test_images"]
    # Another process may compute with other kernels of TensorFlow.
    again = predict(network, images)
    np.testing.assert_allclose(again, arrays["test_probabilities"], atol=1e-6)
    symmetries = [np.rot90(one, n, (1, 2)) for one in (images, images[:, ::-1]) for n in range(4)]
    averaged = np.mean([predict(network, one) for one in symmetries], axis=0)
    np.testing.assert_allclose(averaged, arrays["test_averaged"], atol=1e-6)
    assert parameter_counts(network)[0] == noted["parameter_count"]
    card = load(finished.database, "whole-final", "0/model.md").decode()
    assert "SYNTHETIC" in card
    assert noted["sha256"] in card


def test_an_onlooker_finds_pictures_and_a_note(finished: House) -> None:
    note = (
        "SELECT value_json::jsonb #>> '{}' AS text FROM study_system_attributes"
        " JOIN studies USING (study_id) WHERE study_name = :study AND key = 'dashboard:note_str:0'"
    )
    for study, said in (("whole", "Retrained and tested once"), ("whole-final", "**Finished**")):
        (found,) = finished.rows(note, study=study)
        assert said in found["text"]
        assert f"{model(finished, 'whole')['test_accuracy']:.4f}" in found["text"]
    linked = finished.rows(
        f"SELECT key FROM trial_system_attributes {MINE} AND key LIKE 'artifacts:%'",
        study="whole-final",
    )
    kept = {one.name: one.sha256 for one in listing(finished.database, "whole-final")}
    pictures = {kept["0/curves.svg"], kept["0/confusion.svg"]}
    assert pictures < {row["key"].removeprefix("artifacts:") for row in linked}
    drawn = load(finished.database, "whole-final", "0/confusion.svg").decode()
    arrays = load_arrays(finished.database, "whole-final", "0/predictions.npz")
    guessed = arrays["test_probabilities"].argmax(axis=1)
    right = metrics.accuracy_score(true_labels(finished.data), guessed)
    assert f"({right:.2%})" in drawn


def test_finished_again_nothing_is_trained_or_tested_again(finished: House) -> None:
    before = [one.sha256 for one in listing(finished.database, "whole-final")]
    out, err = finished.run("final", "whole", "--workers", "1", "--format", "json")
    (row,) = json.loads(out)
    assert row["test_openings"] == 1
    assert row["test_accuracy"] == model(finished, "whole")["test_accuracy"]
    assert [one.sha256 for one in listing(finished.database, "whole-final")] == before
    assert "report: report/whole/report.html" in err
    assert finished.rows("SELECT count(*) AS n FROM hpo.trials WHERE study = 'whole-final'") == [
        {"n": 1}
    ]


def test_a_retraining_that_was_killed_ends_as_if_it_had_not_been(finished: House) -> None:
    finished.create("killed")
    worker = finished.start("worker", "killed")
    reached = "SELECT max(epoch) AS epoch FROM hpo.reported_scores WHERE study = 'killed-final'"
    until(lambda: (finished.rows(reached)[0]["epoch"] or 0) >= 5, "epoch 5", 200)
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    assert finished.rows("SELECT state FROM hpo.trials WHERE study = 'killed-final'") == [
        {"state": "RUNNING"}
    ]
    _, log = finished.run("worker", "killed")
    assert "goes on from epoch" in log
    own = {"trial_id", "file", "sha256", "bytes", "medmnist_file", "architecture"}
    killed, whole = (
        {
            name: value
            for name, value in figures(finished, f"{study}-final").items()
            if name not in own
        }
        for study in ("killed", "whole")
    )
    assert killed == whole
    predictions = [
        load(finished.database, f"{name}-final", f"{number}/predictions.npz")
        for name, number in (("whole", 0), ("killed", 1))
    ]
    assert predictions[0] == predictions[1]


def test_deleted_with_its_study(finished: House) -> None:
    finished.run("study", "delete", "killed", "--yes")
    assert finished.rows("SELECT study FROM hpo.studies WHERE study LIKE 'killed%'") == []
    assert listing(finished.database, "killed-final") == []
