"""What the views of effects, cost, curves and final results say about a study."""

from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from blood_hpo.data.bloodmnist import CLASSES
from blood_hpo.database.query import run_query

from .conftest import MLP, Recorder, insert, rows, unguarded


def test_everything_goes_with_its_study(recorder: Recorder, study: str, connected: Engine) -> None:
    assert rows(connected, "SELECT * FROM hpo.learning_curves WHERE study = :s", s=study)
    recorder.run("DELETE FROM trial_intermediate_values")
    for table in ("trial_params", "trial_values", "trials", "study_directions", "studies"):
        recorder.run(f"DELETE FROM {table}")
    for table in ("study", "budget", "configuration", "attempt", "result", "fold"):
        assert rows(connected, f"SELECT * FROM hpo.{table}") == []


def test_effects_are_means_over_complete_trials(recorder: Recorder, connected: Engine) -> None:
    ended = ((True, 0.7, "COMPLETE"), (True, 0.9, "COMPLETE"), (False, 0.5, "COMPLETE"))
    for place, (value, score, state) in enumerate([*ended, (False, 0.99, "PRUNED")]):
        config = {"standardise": value}
        trial_id = recorder.start("mlp", "host:1:0", f"{place:016x}", config=config)
        recorder.end(trial_id, state, [score])
    found = rows(
        connected,
        "SELECT family, parameter, place, value, low, trials, mean, best, difference"
        " FROM hpo.parameter_effects ORDER BY place",
    )
    assert [tuple(row.values()) for row in found] == [
        ("mlp", "standardise", 1, "false", None, 1, 0.5, 0.5, pytest.approx(-0.2)),
        ("mlp", "standardise", 2, "true", None, 2, pytest.approx(0.8), 0.9, pytest.approx(0.1)),
    ]


def test_numbers_with_many_values_are_cut_into_five_ranges(
    recorder: Recorder, connected: Engine
) -> None:
    recorder.run("UPDATE hpo.budget SET budget = 20")
    for score in range(20):
        config = {"learning_rate": (score * 7 % 20 + 1) / 100}
        trial_id = recorder.start("mlp", "host:1:0", f"{score:016x}", config=config)
        recorder.end(trial_id, "COMPLETE", [score / 20])
    found = rows(
        connected,
        "SELECT * FROM hpo.parameter_effects WHERE parameter = 'learning_rate' ORDER BY place",
    )
    assert [(row["place"], row["trials"]) for row in found] == [(n, 4) for n in range(1, 6)]
    ends = [(row["low"], row["high"]) for row in found]
    assert ends == sorted(ends)
    mean = sum(float(str(row["mean"])) * 4 for row in found) / 20
    assert mean == pytest.approx(sum(range(20)) / 400)
    (spread,) = rows(
        connected,
        "SELECT stddev_samp(score) AS sd FROM hpo.trials"
        " WHERE (params ->> 'learning_rate')::double precision BETWEEN :low AND :high",
        low=found[0]["low"],
        high=found[0]["high"],
    )
    assert found[0]["sd"] == pytest.approx(spread["sd"])


def test_pairs_of_kernel_size_and_filters_name_their_best_trial(
    recorder: Recorder, connected: Engine
) -> None:
    recorder.run("UPDATE hpo.budget SET budget = 4")
    pairs = ((3, 0.5, "COMPLETE"), (3, 0.7, "COMPLETE"), (5, 0.6, "COMPLETE"), (3, 0.99, "PRUNED"))
    for place, (kernel, score, state) in enumerate(pairs):
        config = {"kernel_size": kernel, "filters": 32}
        trial_id = recorder.start("cnn", "host:1:0", f"{place:016x}", config=config)
        recorder.end(trial_id, state, [score])
    found = rows(
        connected,
        "SELECT kernel_size, filters, trials, mean, best, best_trial FROM hpo.kernel_filters"
        " ORDER BY kernel_size",
    )
    assert [tuple(row.values()) for row in found] == [
        (3, 32, 2, pytest.approx(0.6), 0.7, 1),
        (5, 32, 1, pytest.approx(0.6), 0.6, 2),
    ]


def test_pruning_says_what_it_saved(recorder: Recorder, connected: Engine) -> None:
    for place, epochs in enumerate((120, 80)):
        trial_id = recorder.start("cnn", "host:1:0", f"{place:016x}")
        recorder.end(trial_id, "COMPLETE", [0.5], epochs=epochs)
    pruned = recorder.start("cnn", "host:1:0", "ff" * 8)
    recorder.end(pruned, "PRUNED", [0.1], epochs=20, seconds=10.0)
    (found,) = rows(connected, "SELECT * FROM hpo.pruning")
    shown = ("number", "epoch", "usual_epochs", "saved_epochs", "saved_seconds")
    assert tuple(found[name] for name in shown) == (2, 2, 100.0, 80.0, 40.0)


def test_cost_adds_up_by_family_and_state(study: str, connected: Engine) -> None:
    found = rows(
        connected,
        "SELECT family, state, trials, epochs, seconds, share FROM hpo.cost WHERE study = :s"
        " AND state IN ('COMPLETE', 'PRUNED', 'FAIL') ORDER BY family, state",
        s=study,
    )
    assert [tuple(row.values())[:5] for row in found] == [
        ("cnn", "COMPLETE", 1, 6, 10.0),
        ("cnn", "PRUNED", 1, 6, 10.0),
        ("mlp", "COMPLETE", 2, 12, 20.0),
        ("mlp", "FAIL", 1, None, pytest.approx(0, abs=5)),
    ]
    assert sum(float(str(row["share"])) for row in found) == pytest.approx(1)


def test_attempts_are_chained_by_their_origin(study: str, connected: Engine) -> None:
    found = rows(
        connected,
        "SELECT origin, number, attempt, attempts, state FROM hpo.attempts"
        " WHERE study = :s AND attempts > 1 ORDER BY number",
        s=study,
    )
    assert [tuple(row.values()) for row in found] == [
        (4, 4, 1, 2, "FAIL"),
        (4, 5, 2, 2, "WAITING"),
    ]


def test_the_classes_are_those_of_the_data_set(connected: Engine) -> None:
    with connected.connect() as connection:
        named = connection.scalars(
            text("SELECT hpo.class_name(label) FROM generate_series(0, 7) AS label")
        ).all()
    assert tuple(named) == CLASSES


RESULTS: dict[str, Any] = {
    "loading_difference": 0,
    "non_trainable_count": 0,
    "validation_images": 4,
    "validation_errors": 0,
    "validation_accuracy": 1,
    "validation_balanced_accuracy": 1,
    "validation_log_loss": 0.1,
    "test_images": 4,
    "test_errors": 1,
    "test_accuracy": 0.75,
    "test_balanced_accuracy": 0.75,
    "test_log_loss": 0.2,
    "medmnist_auc": 0.9,
    "medmnist_acc": 0.75,
    "medmnist_file": "m.csv",
}


def add_model(recorder: Recorder, seed: int, *, place: int | None) -> int:
    """A model of the final stage that gets one of four test images wrong."""
    found = recorder.configuration(
        "mlp", "aa" * 8, MLP, seed=seed, replicate=seed, place=place, recipe="winner",
        source_number=1,
    )  # fmt: skip
    trial_id = recorder.attempt(found, "RUNNING", "host:1:0")
    recorder.insert("hpo.test_opening", trial_id=trial_id)
    recorder.end(trial_id, "COMPLETE", [0.9])
    confusion = [0] * 64
    confusion[2 * 8 + 2], confusion[2 * 8 + 5] = 3, 1
    with unguarded(recorder.connected) as connection:
        insert(
            connection, "hpo.tested_model", trial_id=trial_id, file="model.keras",
            sha256="ab" * 32, bytes=7, confusion=confusion, scaling_mean=[0.5],
            scaling_deviation=[0.5], class_weights=[1.0], architecture={}, versions={}, **RESULTS,
        )  # fmt: skip
        insert(
            connection, "hpo.mistake", trial_id=trial_id, image=1, true_class=2,
            predicted_class=5, confidence=0.6, true_probability=0.3,
        )  # fmt: skip
    return trial_id


@pytest.fixture
def final(recorder: Recorder, study: str) -> Recorder:
    """The final stage of the study, with two models of the plan in force and one of another."""
    assert study
    found = Recorder(recorder.connected)
    found.study_id = found.create("blood-final", "final", recorder.study_id, mlp=2)
    add_model(found, 1, place=1)
    add_model(found, 2, place=2)
    add_model(found, 3, place=None)
    found.insert(
        "hpo.test_interval", study_id=found.study_id, config_hash="aa" * 8, seeds=2, low=0.6,
        high=0.9,
    )  # fmt: skip
    return found


@pytest.mark.usefixtures("final")
def test_a_seed_without_a_confusion_counts_in_its_mean(connected: Engine) -> None:
    with unguarded(connected) as connection:
        connection.exec_driver_sql(
            "UPDATE hpo.tested_model SET confusion[19] = confusion[19] + confusion[22],"
            " confusion[22] = 0 WHERE trial_id = (SELECT trial_id FROM hpo.models"
            " WHERE seed_number = 2)"
        )
    (row,) = run_query(connected, "confusion", study="blood", top=5).rows
    assert row == ("mlp", "winner", "erythroblast", "monocyte", 1, 0.125)


@pytest.mark.usefixtures("final")
def test_no_model_is_tested_whose_test_was_not_opened(connected: Engine) -> None:
    """Not even when the opening is forgotten."""
    with connected.begin() as connection:
        connection.exec_driver_sql("DELETE FROM hpo.test_opening")
    assert rows(connected, "SELECT * FROM hpo.tested_model") == []


@pytest.mark.usefixtures("final")
def test_final_views_show_what_tested_models_got_wrong(connected: Engine) -> None:
    cells = rows(
        connected,
        "SELECT final_number, true_class, predicted_class, images, share FROM hpo.confusion"
        " WHERE images > 0 AND seed_number = 1",
    )
    assert [tuple(row.values()) for row in cells] == [
        (0, "erythroblast", "erythroblast", 3, 0.75),
        (0, "erythroblast", "monocyte", 1, 0.25),
    ]
    (wrong,) = rows(connected, "SELECT * FROM hpo.misclassified WHERE seed_number = 1")
    shown = ("study", "final_study", "image", "true_class", "predicted_class", "confidence")
    assert tuple(wrong[one] for one in shown) == (
        "blood",
        "blood-final",
        1,
        "erythroblast",
        "monocyte",
        0.6,
    )


def test_results_are_of_the_plan_in_force_with_the_stored_interval(
    final: Recorder, connected: Engine
) -> None:
    shown = ("study", "final_study", "seeds", "accuracy", "sd", "low", "high", "log_loss")
    (result,) = rows(connected, "SELECT * FROM hpo.final_results")
    assert tuple(result[one] for one in shown) == (
        "blood", "blood-final", 2, 0.75, 0, 0.6, 0.9, pytest.approx(0.2),
    )  # fmt: skip
    # An interval over other seeds is not this result's.
    final.run("UPDATE hpo.configuration SET place = NULL WHERE seed = 2")
    (result,) = rows(connected, "SELECT seeds, low, high FROM hpo.final_results")
    assert result == {"seeds": 1, "low": None, "high": None}


@pytest.mark.usefixtures("final")
def test_a_model_joins_the_trial_that_found_its_configuration_and_no_other(
    connected: Engine,
) -> None:
    with pytest.raises(ProgrammingError, match="number"):
        rows(connected, "SELECT * FROM hpo.trials JOIN hpo.models USING (study, number)")
    found = rows(
        connected,
        "SELECT DISTINCT trials.number, trials.worker FROM hpo.models JOIN hpo.trials"
        " ON (trials.study, trials.number) = (models.study, models.source_number)",
    )
    assert found == [{"number": 1, "worker": "host-b:2:0"}]
    opened = rows(connected, "SELECT final_number, test_openings, in_force FROM hpo.models")
    assert sorted(tuple(row.values()) for row in opened) == [
        (0, 1, True),
        (1, 1, True),
        (2, 1, False),
    ]
    progress = rows(connected, "SELECT counted FROM hpo.progress WHERE study = 'blood-final'")
    assert progress == [{"counted": 2}]


def test_a_confirmed_configuration_names_the_trial_of_the_search(
    recorder: Recorder, study: str, connected: Engine
) -> None:
    confirm = recorder.create("blood-confirm", "confirm", recorder.study_id, mlp=2)
    told: dict[str, Any] = {"scores": [0.8, 0.9], "mean": 0.85, "sd": 0.07}
    for rank, (number, digest) in enumerate(((1, "bb" * 8), (0, "aa" * 8)), start=1):
        recorder.insert(
            "hpo.candidate", study_id=confirm, family="mlp", config_hash=digest,
            source_number=number, search_rank=rank, search_score=0.9, rank=rank, winner=rank == 1,
            separable=None if rank == 1 else False, **told,
        )  # fmt: skip
    found = rows(
        connected,
        "SELECT confirmations.number, confirmations.winner, separable, trials.config_hash"
        " FROM hpo.confirmations JOIN hpo.trials USING (study, number, config_hash)"
        " WHERE study = :s ORDER BY rank",
        s=study,
    )
    assert [tuple(row.values()) for row in found] == [
        (1, True, None, "bb" * 8),
        (0, False, False, "aa" * 8),
    ]


def test_the_held_out_confusion_of_a_trial_has_a_row_a_cell(
    recorder: Recorder, connected: Engine
) -> None:
    trial_id = recorder.start("cnn", "host:1:0", "aa" * 8)
    recorder.end(trial_id, "COMPLETE", [0.5], confusion=list(range(64)))
    found = rows(
        connected,
        "SELECT true_class, predicted_class, images FROM hpo.held_out_confusion ORDER BY images",
    )
    assert len(found) == 64
    assert tuple(found[10].values()) == (CLASSES[1], CLASSES[2], 10)
