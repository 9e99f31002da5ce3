"""What the views say about a study that Optuna wrote."""

from datetime import UTC, datetime, timedelta

import pytest
from optuna.trial import TrialState
from sqlalchemy import Engine

from blood_hpo.database.query import run_query

from .conftest import Recorder, rows


def test_a_trial_shows_what_optuna_suggested(
    recorder: Recorder, study: str, connected: Engine
) -> None:
    found = rows(connected, "SELECT number, params FROM hpo.trials WHERE study = :s", s=study)
    trials = recorder.study.get_trials()
    assert {row["number"]: row["params"] or {} for row in found} == {
        trial.number: trial.params for trial in trials
    }
    assert isinstance(trials[0].params["units"], int)


def test_a_trial_has_its_attributes_as_columns(study: str, connected: Engine) -> None:
    (found,) = rows(connected, "SELECT * FROM hpo.trials WHERE study = :s AND number = 0", s=study)
    expected = {
        "family": "mlp",
        "state": "COMPLETE",
        "score": pytest.approx(0.8),
        "epoch": 2,
        "epochs_trained": 6,
        "seconds": 10.0,
        "parameter_count": 302_216,
        "optimizer": "adamw",
        "learning_rate": 0.002,
        "batch_size": 16,
        "units": 512,
        "standardise": True,
        "pool_size": None,
        "config_hash": "aa" * 8,
        "seed": 3,
        "attempt": 1,
        "retry_of": None,
        "worker": "host-a:1:0",
        "reason": None,
    }
    assert {name: found[name] for name in expected} == expected


def test_times_are_the_moments_at_which_things_happened(study: str, connected: Engine) -> None:
    (found,) = rows(
        connected, "SELECT * FROM hpo.trials WHERE study = :s AND state = 'FAIL'", s=study
    )
    started, finished = found["started_at"], found["finished_at"]
    assert isinstance(started, datetime)
    assert isinstance(finished, datetime)
    assert datetime.now(UTC) - timedelta(minutes=5) < started < finished < datetime.now(UTC)


def test_a_retry_names_its_first_attempt_and_a_failure_its_reason(
    study: str, connected: Engine
) -> None:
    found = rows(
        connected,
        "SELECT number, state, attempt, retry_of, reason, worker FROM hpo.trials"
        " WHERE study = :s AND number IN (4, 5) ORDER BY number",
        s=study,
    )
    assert [tuple(row.values()) for row in found] == [
        (4, "FAIL", 1, None, "loss is NaN in epoch 2", "host-b:2:0"),
        (5, "WAITING", 2, 4, None, None),
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


def test_learning_curves_are_one_row_an_epoch_and_survive_nan(
    study: str, connected: Engine
) -> None:
    found = rows(
        connected,
        "SELECT fold, epoch, train_loss, validation, score FROM hpo.learning_curves"
        " WHERE study = :s AND number = 0 ORDER BY fold, epoch",
        s=study,
    )
    assert [tuple(row.values()) for row in found] == [
        (fold, epoch, loss, pytest.approx(score + step), pytest.approx(score + step))
        for fold, score in ((1, 0.7), (2, 0.8), (3, 0.9))
        for epoch, loss, step in ((1, 1.0, 0.0), (2, None, 0.01))
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
    trial = recorder.start("mlp", "host:1:0")
    for step, value in enumerate((float("nan"), float("inf"), float("-inf")), start=1):
        trial.report(value, step)
    found = rows(connected, "SELECT score FROM hpo.reported_scores ORDER BY epoch")
    assert [row["score"] for row in found] == [None, float("inf"), float("-inf")]


def test_early_scores_are_those_where_the_first_of_the_family_was_pruned(
    recorder: Recorder, connected: Engine
) -> None:
    ends = {"mlp": [(0.1, 0.2, 0.3), (0.3, 0.4)], "cnn": [(0.5, 0.6, 0.7, 0.8), (0.9,)]}
    for family, trials in ends.items():
        for scores, state in zip(trials, (TrialState.COMPLETE, TrialState.PRUNED), strict=True):
            trial = recorder.start(family, "host:1:0")
            for epoch, score in enumerate(scores, start=1):
                trial.report(score, epoch)
            recorder.study.tell(trial, scores[-1] if state.name == "COMPLETE" else None, state)
    recorder.start("mlp", "host:1:0").report(0.9, 1)
    found = run_query(connected, "early_scores", study=recorder.study.study_name).rows
    assert [tuple(row) for row in found] == [(0, 2, 0.2), (1, 2, 0.4), (2, 1, 0.5), (3, 1, 0.9)]


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
    # Ten seconds a trial, one trial running.
    assert by_family["mlp"]["eta_seconds"] == pytest.approx(30)
    assert by_family["cnn"]["eta_seconds"] == pytest.approx(10)
    assert by_family["resnet"]["eta_seconds"] is None
    assert by_family["cnn"]["best_score"] == pytest.approx(0.5)  # the pruned one has 0.95
    assert by_family["mlp"]["epochs_trained"] == 14


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
            "UPDATE trial_heartbeats SET heartbeat = heartbeat - interval '1 hour' FROM trials"
            " WHERE trials.trial_id = trial_heartbeats.trial_id AND trials.state = 'RUNNING'"
        )
    (found,) = rows(connected, "SELECT * FROM hpo.workers WHERE trial IS NOT NULL")
    since = found["seconds_since_heartbeat"]
    assert isinstance(since, float)
    assert 3600 <= since < 3900


@pytest.mark.usefixtures("study")
def test_studies_say_what_they_are(recorder: Recorder, connected: Engine) -> None:
    recorder.study.set_user_attr("paused", {"reason": "disk full", "at": "2030-01-01T00:00:00"})
    (found,) = rows(connected, "SELECT * FROM hpo.studies")
    expected = {
        "study": "blood",
        "description": "a small study",
        "objective": "accuracy",
        "folds": 3,
        "epochs": 50,
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


def test_a_study_of_another_program_is_shown_without_what_it_lacks(
    recorder: Recorder, connected: Engine
) -> None:
    trial = recorder.study.ask()
    trial.suggest_float("x", 0, 1)
    recorder.study.tell(trial, 1.0)
    (found,) = rows(connected, "SELECT family, score, params FROM hpo.trials")
    assert found == {"family": None, "score": 1.0, "params": trial.params}
    (described,) = rows(connected, "SELECT study, trials, spec, paused FROM hpo.studies")
    assert described == {"study": "blood", "trials": 1, "spec": None, "paused": None}
    assert rows(connected, "SELECT * FROM hpo.progress") == []
    assert len(rows(connected, "SELECT * FROM hpo.leaderboard")) == 1
    assert rows(connected, "SELECT * FROM hpo.workers") == []


def test_every_view_and_column_is_described(connected: Engine) -> None:
    undescribed = rows(
        connected,
        "SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE relnamespace = 'hpo'::regnamespace AND relkind IN ('v', 'r') AND attnum > 0"
        " AND (col_description(attrelid, attnum) IS NULL OR obj_description(attrelid) IS NULL)",
    )
    assert undescribed == []
