"""What the views of effects, cost, curves and final results say about a study that Optuna wrote."""

import pytest
from optuna.trial import TrialState
from sqlalchemy import Engine, text

from blood_hpo.data.bloodmnist import CLASSES

from .conftest import Recorder, rows


def test_mean_curves_average_the_folds_that_were_trained(
    recorder: Recorder, connected: Engine
) -> None:
    trial = recorder.start("mlp", "host:1:0")
    uneven = {"train_loss": [[3.0, 1.0], [1.0]], "validation": [[0.2, 0.4], [0.4]], "score": []}
    recorder.end(trial, TrialState.COMPLETE, [0.7, 0.8], curves=uneven)
    found = rows(connected, "SELECT * FROM hpo.mean_curves ORDER BY epoch")
    assert [(row["epoch"], row["folds"], row["train_loss"], row["score"]) for row in found] == [
        (1, 2, 2.0, None),
        (2, 1, 1.0, None),
    ]
    assert found[0]["validation"] == pytest.approx(0.3)
    points = rows(connected, "SELECT fold, epoch FROM hpo.learning_curves ORDER BY fold, epoch")
    assert [tuple(row.values()) for row in points] == [(1, 1), (1, 2), (2, 1)]


def test_curves_go_with_their_trial(recorder: Recorder, study: str, connected: Engine) -> None:
    assert rows(connected, "SELECT * FROM hpo.curves LIMIT 1")
    recorder.storage.delete_study(recorder.study._study_id)
    assert study
    assert rows(connected, "SELECT * FROM hpo.curves") == []


@pytest.mark.parametrize("value", ["no curves", 7, {"score": 3}, {"score": [["a"]]}, [[[1.0]]]])
def test_another_programs_attribute_of_that_name_is_left_alone(
    recorder: Recorder, connected: Engine, value: object
) -> None:
    trial = recorder.study.ask()
    trial.set_user_attr("curves", value)
    assert trial.user_attrs["curves"] == value
    assert rows(connected, "SELECT * FROM hpo.learning_curves") == []


def test_effects_are_means_over_complete_trials(study: str, connected: Engine) -> None:
    found = rows(
        connected,
        "SELECT family, parameter, place, value, low, trials, mean, best, difference"
        " FROM hpo.parameter_effects WHERE study = :s AND parameter = 'standardise'",
        s=study,
    )
    assert {row["family"] for row in found} == {"mlp"}
    assert sum(int(str(row["trials"])) for row in found) == 2
    assert {row["value"] for row in found} <= {"true", "false"}
    assert all(row["low"] is None for row in found)


def test_numbers_with_many_values_are_cut_into_five_ranges(
    recorder: Recorder, connected: Engine
) -> None:
    for score in range(20):
        trial = recorder.start("mlp", "host:1:0", config_hash=f"{score:016x}")
        recorder.end(trial, TrialState.COMPLETE, [score / 20])
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
    for kernel, score in ((3, 0.5), (3, 0.7), (5, 0.6)):
        config = {"kernel_size": kernel, "filters": 32}
        trial = recorder.start("cnn", "host:1:0", config=config)
        recorder.end(trial, TrialState.COMPLETE, [score])
    pruned = recorder.start("cnn", "host:1:0", config={"kernel_size": 3, "filters": 32})
    recorder.end(pruned, TrialState.PRUNED, [0.99])
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
    for epochs, state in ((120, TrialState.COMPLETE), (80, TrialState.COMPLETE)):
        trial = recorder.start("cnn", "host:1:0")
        recorder.end(trial, state, [0.5], epochs_trained=epochs)
    pruned = recorder.start("cnn", "host:1:0")
    recorder.end(pruned, TrialState.PRUNED, [0.1], epochs_trained=20, seconds=10.0)
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
        ("mlp", "FAIL", 1, 2, 10.0),
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


def test_repeats_avoided_are_summed_where_they_were_counted(
    recorder: Recorder, connected: Engine
) -> None:
    recorder.start("cnn", "host:1:0", repeats_avoided=3)
    recorder.start("cnn", "host:1:0", repeats_avoided=0)
    recorder.start("mlp", "host:1:0")
    found = rows(
        connected,
        "SELECT family, trials, counted, repeats_avoided, most, share"
        " FROM hpo.repeats_avoided ORDER BY family",
    )
    assert [tuple(row.values()) for row in found] == [
        ("cnn", 2, 2, 3, 3, pytest.approx(0.6)),
        ("mlp", 1, 0, None, None, None),
    ]


def test_the_classes_are_those_of_the_data_set(connected: Engine) -> None:
    with connected.connect() as connection:
        named = connection.scalars(
            text("SELECT hpo.class_name(label) FROM generate_series(0, 7) AS label")
        ).all()
    assert tuple(named) == CLASSES


def test_final_views_show_what_a_tested_model_got_wrong(
    recorder: Recorder, connected: Engine
) -> None:
    confusion = [[0] * 8 for _ in range(8)]
    confusion[2][2], confusion[2][5] = 3, 1
    tested = {
        "test": {"accuracy": 0.75, "count": 4, "errors": 1},
        "confusion": confusion,
        "misclassified": {
            "image": [1],
            "true": [2],
            "predicted": [5],
            "confidence": [0.6],
            "true_probability": [0.3],
        },
    }
    plan = {"family": "mlp", "config_hash": "aa" * 8, "rules": {}, "seeds": 1}
    name = "blood-final"
    recorder.storage.create_new_study([recorder.study.direction], name)
    final = Recorder(type(recorder.study)(name, recorder.storage), recorder.storage)
    final.study.set_user_attr("stage_of", "blood")
    final.study.set_user_attr("plan", [plan])
    trial = final.start("mlp", "host:1:0", config_hash="aa" * 8, rules={}, replicate=1)
    final.end(trial, TrialState.COMPLETE, [0.9], **tested)
    (result,) = rows(connected, "SELECT * FROM hpo.final_results")
    assert (result["study"], result["seeds"], result["accuracy"]) == ("blood", 1, 0.75)
    # Wilson's interval of 3 of 4.
    assert result["low"] == pytest.approx(0.3006, abs=1e-4)
    assert result["high"] == pytest.approx(0.9544, abs=1e-4)
    cells = rows(
        connected,
        "SELECT true_class, predicted_class, images, share FROM hpo.confusion WHERE images > 0",
    )
    assert [tuple(row.values()) for row in cells] == [
        ("erythroblast", "erythroblast", 3, 0.75),
        ("erythroblast", "monocyte", 1, 0.25),
    ]
    (wrong,) = rows(connected, "SELECT * FROM hpo.misclassified")
    shown = ("study", "image", "true_class", "predicted_class", "confidence", "true_probability")
    assert tuple(wrong[one] for one in shown) == (
        "blood",
        1,
        "erythroblast",
        "monocyte",
        0.6,
        0.3,
    )


def test_the_held_out_confusion_of_a_trial_has_a_row_a_cell(
    recorder: Recorder, connected: Engine
) -> None:
    counts = [[row * 8 + column for column in range(8)] for row in range(8)]
    trial = recorder.start("cnn", "host:1:0")
    recorder.end(trial, TrialState.COMPLETE, [0.5], held_out_confusion=counts)
    found = rows(
        connected,
        "SELECT true_class, predicted_class, images FROM hpo.held_out_confusion ORDER BY images",
    )
    assert len(found) == 64
    assert tuple(found[10].values()) == (CLASSES[1], CLASSES[2], 10)
