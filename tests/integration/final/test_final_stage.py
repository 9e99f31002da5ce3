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

from .conftest import House, until

MINE = "JOIN trials USING (trial_id) JOIN studies USING (study_id) WHERE study_name = :study"


def attributes(house: House, study: str) -> dict[str, Any]:
    """What the completed trial of a study has noted."""
    found = house.rows(
        f"SELECT key, hpo.parse(value_json) AS value FROM trial_user_attributes {MINE}"
        " AND state = 'COMPLETE'",
        study=study,
    )
    return {row["key"]: row["value"] for row in found}


def model(house: House, study: str) -> dict[str, Any]:
    (found,) = house.rows("SELECT * FROM hpo.models WHERE study = :study", study=study)
    return found


def true_labels(data: Path) -> np.ndarray:
    with np.load(data) as archive:
        labels: np.ndarray = archive["test_labels"].ravel()
        return labels


def test_every_configuration_is_confirmed_once_a_split(finished: House) -> None:
    found = finished.rows(
        "SELECT config_hash, params FROM hpo.trials WHERE study = 'whole-confirm'"
    )
    pairs = {(row["config_hash"], row["params"]["split"]) for row in found}
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
        # Fresh folds: not one of the scores is that of the search by the same folds and seed.
        assert [len(split) for split in row["scores"]] == [2, 2]


def test_the_tested_model_is_the_winner(finished: House) -> None:
    (winner,) = finished.rows("SELECT * FROM hpo.confirmations WHERE study = 'whole' AND winner")
    tested = model(finished, "whole")
    assert tested["source_trial"] == winner["number"]
    assert tested["config_hash"] == winner["config_hash"]
    assert tested["parameter_count"] == winner["parameter_count"]
    assert tested["current"]
    assert tested["test_openings"] == 1


def test_every_figure_follows_from_the_saved_predictions(finished: House) -> None:
    arrays = load_arrays(finished.database, "whole-final", "0/predictions.npz")
    labels, probabilities = arrays["test_labels"], arrays["test_probabilities"]
    np.testing.assert_array_equal(labels, true_labels(finished.data))
    predicted = probabilities.argmax(axis=1)
    tested = model(finished, "whole")
    assert tested["test_accuracy"] == metrics.accuracy_score(labels, predicted)
    assert tested["test_balanced_accuracy"] == pytest.approx(
        metrics.balanced_accuracy_score(labels, predicted)
    )
    assert tested["test_errors"] == len(arrays["misclassified"]) == (predicted != labels).sum()
    assert arrays["misclassified_images"].shape == (tested["test_errors"], 28, 28, 3)
    assert arrays["test_averaged"].shape == probabilities.shape
    assert arrays["duplicates"].shape == (0, 5)


def test_medmnists_own_evaluator_reads_the_result_file(finished: House, tmp_path: Path) -> None:
    noted = attributes(finished, "whole-final")["medmnist"]
    content = load(finished.database, "whole-final", "0/medmnist.csv")
    scores = pd.read_csv(io.BytesIO(content), index_col=0, header=None).to_numpy()
    np.savez(tmp_path / "bloodmnist.npz", test_labels=true_labels(finished.data)[:, None])
    judge = evaluator().Evaluator("bloodmnist", "test", root=str(tmp_path))
    found = judge.evaluate(scores)
    area, accuracy = found
    assert area == pytest.approx(noted["auc"], abs=1e-6)
    assert accuracy == noted["acc"]
    assert noted["acc"] == model(finished, "whole")["test_accuracy"]
    assert noted["file"] == judge.get_standard_evaluation_filename(found, "whole-mlp-1")


def test_the_file_of_the_model_gives_the_saved_predictions(finished: House) -> None:
    from blood_hpo.final.export import load as loaded
    from blood_hpo.final.export import parameter_counts, predict

    content = load(finished.database, "whole-final", "0/model.keras")
    noted = attributes(finished, "whole-final")
    assert hashlib.sha256(content).hexdigest() == noted["model"]["sha256"]
    assert noted["model"]["loading_difference"] < 1e-5
    network = loaded(content)
    arrays = load_arrays(finished.database, "whole-final", "0/predictions.npz")
    with np.load(finished.data) as archive:
        again = predict(network, archive["test_images"])
    np.testing.assert_array_equal(again, arrays["test_probabilities"])
    assert parameter_counts(network)[0] == noted["parameter_count"]
    card = load(finished.database, "whole-final", "0/model.md").decode()
    assert "SYNTHETIC" in card
    assert noted["model"]["sha256"] in card


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
    until(lambda: (finished.rows(reached)[0]["epoch"] or 0) >= 5)
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    assert finished.rows("SELECT state FROM hpo.trials WHERE study = 'killed-final'") == [
        {"state": "RUNNING"}
    ]
    _, log = finished.run("worker", "killed")
    assert "goes on from epoch" in log
    same = ("curves", "validation", "test", "test_averaged", "best_epoch", "config_hash", "seed")
    killed, whole = (attributes(finished, f"{name}-final") for name in ("killed", "whole"))
    assert {name: killed[name] for name in same} == {name: whole[name] for name in same}
    predictions = [
        load(finished.database, f"{name}-final", f"{number}/predictions.npz")
        for name, number in (("whole", 0), ("killed", 1))
    ]
    assert predictions[0] == predictions[1]


def test_deleted_with_its_study(finished: House) -> None:
    finished.run("study", "delete", "killed", "--yes")
    assert finished.rows("SELECT study FROM hpo.studies WHERE study LIKE 'killed%'") == []
    assert listing(finished.database, "killed-final") == []
