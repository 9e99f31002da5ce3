"""What the views say about a study in which every state occurs."""

from datetime import UTC, datetime, timedelta

import optuna
import pytest
from optuna.storages import RDBStorage
from sqlalchemy import Engine

from blood_hpo.database.address import engine_options

from .conftest import MLP, Recorder, rows, unguarded

NAME_SAYS_IT = {
    *("accuracy", "best", "created_at", "finished_at", "folds", "images", "mean", "optimizer"),
    *("parameter", "predicted_class", "processor", "pruner", "sampler", "search_score", "seed"),
    *("seed_number", "sha256", "started_at", "train_loss", "trials", "true_class"),
    *("test_accuracy", "test_balanced_accuracy", "test_errors", "test_images"),
    *("test_log_loss", "test_macro_auc", "validation_accuracy", "validation_balanced_accuracy"),
    *("validation_errors", "validation_images", "validation_log_loss", "validation_macro_auc"),
}
"""Columns of views that are described where their name is not enough, and else nowhere."""


def test_a_trial_has_its_facts_as_columns(study: str, connected: Engine) -> None:
    (found,) = rows(connected, "SELECT * FROM hpo.trials WHERE study = :s AND number = 0", s=study)
    expected = {
        "family": "mlp",
        "state": "COMPLETE",
        "score": pytest.approx(0.8),
        "epoch": 2,
        "epochs": 6,
        "seconds": 10.0,
        "parameter_count": 302_216,
        "fold_scores": [0.7, 0.8, 0.9],
        "fold_epochs": [2, 2, 2],
        "fold_best_epochs": [1, 1, 1],
        "optimizer": "adamw",
        "learning_rate": 0.002,
        "batch_size": 16,
        "units": 512,
        "standardise": True,
        "pool_size": None,
        "config": {**MLP, "digest": "aa" * 8},
        "config_hash": "aa" * 8,
        "seed": 3,
        "in_force": True,
        "attempt": 1,
        "retry_of": None,
        "worker": "host-a:1:0",
        "failure": None,
        "reason": None,
    }
    assert {name: found[name] for name in expected} == expected


def test_hyperparameters_of_another_type_are_null_as_columns(
    recorder: Recorder, connected: Engine
) -> None:
    odd = {"units": "many", "filters": {"a": 1}, "dropout": None, "pool_size": 2, "optimizer": 7}
    recorder.attempt(recorder.configuration("mlp", "aa" * 8, odd), "RUNNING", "host:1:0")
    (found,) = rows(connected, "SELECT * FROM hpo.trials")
    shown = ("units", "filters", "dropout", "pool_size", "optimizer", "config")
    assert tuple(found[name] for name in shown) == (
        *(None, None, None, "2", "7"),
        {**odd, "digest": "aa" * 8},
    )


def test_times_are_the_moments_at_which_things_happened(study: str, connected: Engine) -> None:
    (found,) = rows(
        connected, "SELECT * FROM hpo.trials WHERE study = :s AND state = 'FAIL'", s=study
    )
    started, finished = found["started_at"], found["finished_at"]
    assert isinstance(started, datetime)
    assert isinstance(finished, datetime)
    assert datetime.now(UTC) - timedelta(minutes=5) < started < finished < datetime.now(UTC)


def test_a_retry_names_the_attempt_before_and_a_failure_its_reason(
    study: str, connected: Engine
) -> None:
    found = rows(
        connected,
        "SELECT number, state, attempt, retry_of, failure, reason, worker FROM hpo.trials"
        " WHERE study = :s AND number IN (4, 5) ORDER BY number",
        s=study,
    )
    assert [tuple(row.values()) for row in found] == [
        (4, "FAIL", 1, None, "error", "loss is NaN in epoch 2", "host-b:2:0"),
        (5, "WAITING", 2, 4, None, None, None),
    ]


def test_the_leaderboard_ranks_complete_trials_of_each_family(
    study: str, connected: Engine
) -> None:
    found = rows(
        connected,
        "SELECT family, rank, number, score, sd, standard_error, folds FROM hpo.leaderboard"
        " WHERE study = :s ORDER BY family, rank",
        s=study,
    )
    assert [tuple(row.values()) for row in found] == [
        ("cnn", 1, 2, pytest.approx(0.5), pytest.approx(0), pytest.approx(0), 3),
        ("mlp", 1, 1, pytest.approx(0.9), pytest.approx(0), pytest.approx(0), 3),
        ("mlp", 2, 0, pytest.approx(0.8), pytest.approx(0.1), pytest.approx(0.1 / 3**0.5), 3),
    ]


def test_fold_scores_are_one_row_a_fold(study: str, connected: Engine) -> None:
    found = rows(
        connected,
        "SELECT fold, score, epochs, best_epoch FROM hpo.fold_scores"
        " WHERE study = :s AND number = 0 ORDER BY fold",
        s=study,
    )
    assert [tuple(row.values()) for row in found] == [
        (1, 0.7, 2, 1),
        (2, 0.8, 2, 1),
        (3, 0.9, 2, 1),
    ]


def test_learning_curves_are_one_row_an_epoch(study: str, connected: Engine) -> None:
    found = rows(
        connected,
        "SELECT fold, epoch, train_loss, validation, score FROM hpo.learning_curves"
        " WHERE study = :s AND number = 0 ORDER BY fold, epoch",
        s=study,
    )
    assert [tuple(row.values()) for row in found] == [
        (fold, epoch, loss, pytest.approx(score + step), pytest.approx(score + step))
        for fold, score in ((1, 0.7), (2, 0.8), (3, 0.9))
        for epoch, loss, step in ((1, 1.0, 0.0), (2, 0.5, 0.01))
    ]


def test_reported_scores_show_running_trials(study: str, connected: Engine) -> None:
    found = rows(
        connected,
        "SELECT number, family, epoch, score FROM hpo.reported_scores"
        " WHERE study = :s AND state = 'RUNNING' ORDER BY epoch",
        s=study,
    )
    assert [tuple(row.values()) for row in found] == [(6, "cnn", 1, 0.4), (6, "cnn", 2, 0.6)]


def test_a_value_that_is_no_number_is_null(recorder: Recorder, connected: Engine) -> None:
    trial_id = recorder.start("mlp", "host:1:0", "aa" * 8)
    for step, kind in enumerate(("NAN", "INF_POS", "INF_NEG"), start=1):
        recorder.insert(
            "trial_intermediate_values",
            trial_id=trial_id,
            step=step,
            intermediate_value_type=kind,
        )
    found = rows(connected, "SELECT score FROM hpo.reported_scores ORDER BY epoch")
    assert [row["score"] for row in found] == [None, None, None]


@pytest.mark.parametrize("score", ["NaN", "1.5", "-0.1"])
def test_what_no_score_can_be_ranks_nowhere(study: str, connected: Engine, score: str) -> None:
    with unguarded(connected) as connection:
        connection.exec_driver_sql(f"UPDATE public.trial_values SET value = '{score}'")
    assert rows(connected, "SELECT * FROM hpo.leaderboard WHERE study = :s", s=study) == []
    best = rows(connected, "SELECT best_score FROM hpo.progress WHERE study = :s", s=study)
    assert {row["best_score"] for row in best} == {None}
    assert rows(connected, "SELECT * FROM hpo.parameter_effects WHERE study = :s", s=study) == []


def test_progress_counts_complete_and_pruned_trials(study: str, connected: Engine) -> None:
    found = rows(connected, "SELECT * FROM hpo.progress WHERE study = :s", s=study)
    counts = (
        "budget",
        "counted",
        "complete",
        "pruned",
        "running",
        "waiting",
        "failed",
        "remaining",
    )
    assert {row["family"]: tuple(row[name] for name in counts) for row in found} == {
        "mlp": (5, 2, 2, 0, 0, 1, 1, 3),
        "cnn": (3, 2, 1, 1, 1, 0, 0, 1),
        "resnet": (2, 0, 0, 0, 0, 0, 0, 2),
    }


def test_progress_estimates_the_time_left(study: str, connected: Engine) -> None:
    found = rows(connected, "SELECT * FROM hpo.progress WHERE study = :s", s=study)
    by_family = {row["family"]: row for row in found}
    # Ten seconds a trial, also of the ResNet, of which none has ended: six are left, and the one
    # that runs alone has just begun.
    left = [by_family[family]["eta_seconds"] for family in ("mlp", "cnn", "resnet")]
    assert left == [pytest.approx(60, abs=5)] * 3
    assert by_family["cnn"]["best_score"] == pytest.approx(0.5)  # the pruned one has 0.95
    assert by_family["mlp"]["epochs"] == 12


def test_a_trial_names_the_program_and_the_processor_of_its_worker(
    recorder: Recorder, study: str, connected: Engine
) -> None:
    recorder.insert(
        "hpo.worker", worker="host-a:1:0", program="abc", processor="fast", grace_seconds=30.0
    )
    asked = "SELECT DISTINCT worker, program, processor FROM hpo.trials WHERE worker < 'host-c'"
    found = rows(connected, f"{asked} AND study = :s ORDER BY worker", s=study)
    assert [tuple(row.values()) for row in found] == [
        ("host-a:1:0", "abc", "fast"),
        ("host-b:2:0", None, None),
    ]


def test_progress_counts_what_holds_a_place_of_the_budget(
    recorder: Recorder, study: str, connected: Engine
) -> None:
    recorder.run(
        "UPDATE hpo.configuration SET place = NULL, given_up_at = now() WHERE config_hash = :h",
        h="aa" * 8,
    )
    wanted = (
        "SELECT counted, complete, remaining FROM hpo.progress WHERE study = :s AND family = :f"
    )
    assert rows(connected, wanted, s=study, f="mlp") == [
        {"counted": 1, "complete": 1, "remaining": 4}
    ]
    recorder.run("UPDATE hpo.budget SET closed = true WHERE family = 'mlp'")
    assert rows(connected, wanted, s=study, f="mlp")[0]["remaining"] == 0
    (found,) = rows(connected, "SELECT closed, counted FROM hpo.studies")
    assert found == {"closed": ["mlp"], "counted": 3}


def test_workers_show_what_they_do(study: str, connected: Engine) -> None:
    found = rows(connected, "SELECT * FROM hpo.workers WHERE study = :s ORDER BY worker", s=study)
    shown = ("worker", "host", "trial", "family", "epoch", "finished", "failed")
    assert [tuple(row[name] for name in shown) for row in found] == [
        ("host-a:1:0", "host-a", None, None, None, 3, 0),
        ("host-b:2:0", "host-b", None, None, None, 1, 1),
        ("host-c:3:0", "host-c", 6, "cnn", 2, 0, 0),
    ]
    since = found[2]["seconds_since_heartbeat"]
    assert isinstance(since, float)
    assert 0 <= since < 300


@pytest.mark.usefixtures("study")
def test_a_heartbeat_ages(connected: Engine) -> None:
    with connected.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE hpo.attempt SET heartbeat_at = heartbeat_at - interval '1 hour' FROM trials"
            " WHERE trials.trial_id = attempt.trial_id AND trials.state = 'RUNNING'"
        )
    (found,) = rows(connected, "SELECT * FROM hpo.workers WHERE trial IS NOT NULL")
    since = found["seconds_since_heartbeat"]
    assert isinstance(since, float)
    assert 3600 <= since < 3900


@pytest.mark.usefixtures("study")
def test_studies_say_what_they_are(recorder: Recorder, connected: Engine) -> None:
    recorder.run("UPDATE hpo.study SET paused = 'disk full'")
    (found,) = rows(connected, "SELECT * FROM hpo.studies")
    expected = {
        "study": "blood",
        "stage": "search",
        "search": "blood",
        "description": "a small study",
        "objective": "accuracy",
        "folds": 3,
        "most_epochs": 50,
        "data_fraction": 0.4,
        "data_label": "a test set",
        "synthetic": True,
        "budget": 10,
        "trials": 7,
        "counted": 4,
        "running": 1,
        "paused": "disk full",
        "program_version": "0.1.0",
    }
    assert {name: found[name] for name in expected} == expected


def every_row(connected: Engine) -> dict[str, list[dict[str, object]]]:
    found = rows(
        connected,
        "SELECT relname FROM pg_class WHERE relnamespace = 'hpo'::regnamespace AND relkind = 'v'",
    )
    passing = {"seconds_since_heartbeat", "eta_seconds"}
    return {
        str(view["relname"]): [
            {key: value for key, value in row.items() if key not in passing}
            for row in rows(connected, f"SELECT * FROM hpo.{view['relname']} ORDER BY 1, 2, 3")
        ]
        for view in found
    }


@pytest.mark.usefixtures("study")
def test_studies_and_trials_of_other_programs_change_nothing(
    connected: Engine, database_url: str
) -> None:
    before = every_row(connected)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = RDBStorage(database_url, engine_kwargs=engine_options("test"))
    other = optuna.create_study(storage=storage, study_name="theirs")
    for wrong in ("spec", "data", "paused", "closed"):
        other.set_user_attr(wrong, ["nonsense", 1.5])
    for one in (other, optuna.load_study(storage=storage, study_name="blood")):
        trial_id = storage.create_new_trial(one._study_id)  # ask() would take the one that waits
        trial = optuna.Trial(one, trial_id)
        trial.suggest_float("units", 0, 1)
        for key in ("family", "config", "curves", "seconds", "epochs", "fold_scores"):
            trial.set_user_attr(key, "3.2 s")
        trial.report(float("nan"), 1)
        one.tell(trial, 1e300)
    storage.engine.dispose()
    assert every_row(connected) == before


def test_the_best_of_a_family_and_those_near_it(recorder: Recorder, connected: Engine) -> None:
    for digest, score in zip("abc", (0.8, 0.79, 0.6), strict=True):
        trial_id = recorder.start("mlp", "host:1:0", digest * 16)
        recorder.end(trial_id, "COMPLETE", [score - 0.05, score, score + 0.05])
    found = rows(connected, "SELECT rank, behind, near_best FROM hpo.leaderboard ORDER BY rank")
    # The standard error of the best is 0.05 / sqrt(3) = 0.029.
    assert [tuple(row.values()) for row in found] == [
        (1, 0, True),
        (2, pytest.approx(0.01), True),
        (3, pytest.approx(0.2), False),
    ]


def test_of_two_that_are_best_the_first_says_what_is_near(
    recorder: Recorder, connected: Engine
) -> None:
    for digest, spread in zip("abc", (0.05, 0.001, 0.05), strict=True):
        trial_id = recorder.start("mlp", "host:1:0", digest * 16)
        score = 0.8 if digest < "c" else 0.79
        recorder.end(trial_id, "COMPLETE", [score - spread, score, score + spread])
    found = rows(connected, "SELECT rank, near_best FROM hpo.leaderboard ORDER BY number")
    assert [tuple(row.values()) for row in found] == [(1, True), (1, True), (3, True)]


def test_tables_and_views_are_described_and_columns_whose_name_is_not_enough(
    connected: Engine,
) -> None:
    silent = rows(
        connected,
        "SELECT relkind, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE relnamespace = 'hpo'::regnamespace AND relkind IN ('v', 'r') AND attnum > 0"
        " AND (obj_description(attrelid) IS NULL"
        " OR relkind = 'v' AND col_description(attrelid, attnum) IS NULL)",
    )
    assert {row["attname"] for row in silent} == NAME_SAYS_IT


@pytest.mark.parametrize(
    ("objective", "chance"), [("accuracy", 0.4), ("balanced_accuracy", 0.125), ("macro_auc", 0.5)]
)
def test_folds_within_a_margin_of_chance_are_flagged(
    recorder: Recorder, connected: Engine, objective: str, chance: float
) -> None:
    spec = "UPDATE hpo.study SET spec = jsonb_set(spec, '{objective}', to_jsonb(CAST(:o AS text)))"
    recorder.run(spec, o=objective)
    # 30, 0, 0, 0, 0, 0, 30 and 40 images of the eight classes
    confusion = [10, 20, *[0] * 52, 30, *[0] * 8, 40]
    trial = recorder.start("mlp", "host:1:0", "aa" * 8)
    scores = [chance, chance + 0.049, chance + 0.051]
    recorder.end(trial, "COMPLETE", scores, confusion=confusion)
    folds = "SELECT fold, collapsed FROM hpo.fold_scores ORDER BY fold"
    assert [row["collapsed"] for row in rows(connected, folds)] == [True, True, False]
    (found,) = rows(connected, "SELECT score FROM hpo.chance WHERE study = 'blood'")
    assert found == {"score": pytest.approx(chance)}


def test_where_chance_is_not_known_no_fold_is_flagged(study: str, connected: Engine) -> None:
    found = rows(connected, "SELECT collapsed FROM hpo.fold_scores WHERE study = :s", s=study)
    assert {row["collapsed"] for row in found} == {None}
