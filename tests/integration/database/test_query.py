"""The named questions, asked of a study with trials in every state."""

import pytest
from sqlalchemy import Engine, text

from blood_hpo.database.query import run_query
from blood_hpo.database.statements import load_query, names, queries
from blood_hpo.errors import DatabaseError, InputError

from .conftest import Recorder

NO_ROWS = {
    *("confirmation", "models", "results", "confusion", "misclassified"),
    *("kernel_filters", "confused", "inconsistencies", "collapsed"),
}
"""Questions to which a search alone gives no rows."""


def test_every_question_has_an_answer(study: str, connected: Engine) -> None:
    values = {"study": study, "number": 0, "top": 3, "grace": 30.0}
    for name in (*names(), "reported", "described", "inconsistencies"):
        wanted = {parameter: values[parameter] for parameter in load_query(name).parameters}
        found = run_query(connected, name, **wanted)
        assert found.columns
        assert found.rows or name in NO_ROWS, name
        assert all(len(row) == len(found.columns) for row in found.rows)


def test_the_database_understands_every_statement(connected: Engine) -> None:
    lists = {key: ["a"] for key in ("names", "studies", "families", "roles")}
    known = {"state": "FAIL", "least_seconds": 1.0, "unfinished": [1], **lists}
    for one in queries().values():
        given = {key: known.get(key) for key in one.parameters}
        with connected.connect() as connection:
            assert connection.execute(text(f"EXPLAIN {one.sql}"), given).all(), one.name


def test_the_leaderboard_ends_where_it_is_cut(study: str, connected: Engine) -> None:
    found = run_query(connected, "leaderboard", study=study, top=1)
    place = found.columns.index("number")
    assert [row[place] for row in found.rows] == [2, 1]


def test_running_trials_carry_the_score_of_their_last_epoch(study: str, connected: Engine) -> None:
    found = run_query(connected, "running", study=study)
    (row,) = (dict(zip(found.columns, row, strict=True)) for row in found.rows)
    assert (row["number"], row["family"], row["epoch"], row["score"]) == (6, "cnn", 2, 0.6)


def test_a_trial_that_has_not_reported_is_running_too(
    recorder: Recorder, connected: Engine
) -> None:
    recorder.start("mlp", "host:1:0", "aa" * 8)
    found = run_query(connected, "running", study="blood")
    (row,) = (dict(zip(found.columns, row, strict=True)) for row in found.rows)
    assert (row["number"], row["epoch"], row["score"]) == (0, None, None)


def test_pruned_trials_have_a_rank_among_the_complete_ones(
    recorder: Recorder, connected: Engine
) -> None:
    for place, score in enumerate((0.5, 0.7, 0.9)):
        recorder.end(recorder.start("mlp", "host:1:0", f"{place:016x}"), "COMPLETE", [score])
    for digest, score in (("ff", 0.6), ("ee", 0.7)):  # of equals none is better
        recorder.end(recorder.start("mlp", "host:1:0", digest * 8), "PRUNED", [score])
    assert run_query(connected, "pruned_ranks", study="blood").rows == [
        ("mlp", 4, 2, 0.7, 2, 3),
        ("mlp", 3, 2, 0.6, 3, 3),
    ]


def test_a_parameter_that_decides_the_score_has_all_of_its_variance(
    recorder: Recorder, connected: Engine
) -> None:
    recorder.run("UPDATE hpo.budget SET budget = 8")
    for place in range(8):
        config = {"units": 64 << (place // 4), "batch_size": 8 << (place % 2)}
        trial_id = recorder.start("mlp", "host:1:0", f"{place:016x}", config=config)
        recorder.end(trial_id, "COMPLETE", [0.5 + (place // 4) / 4])
    found = run_query(connected, "importances", study="blood").rows
    shares = {row[1]: row[4] for row in found if row[1] != "model"}
    assert shares["units"] == pytest.approx(1)
    assert shares["batch_size"] == 0


def test_attempts_are_those_at_the_same_configuration(study: str, connected: Engine) -> None:
    for number in (4, 5):
        found = run_query(connected, "attempts", study=study, number=number)
        assert [row[0] for row in found.rows] == [4, 5]


def test_parameters_are_bound(study: str, connected: Engine) -> None:
    name = f"{study}' OR 'a' = 'a"
    assert run_query(connected, "trials", study=name).rows == []


def test_an_unknown_question_names_the_nearest(connected: Engine) -> None:
    with pytest.raises(InputError, match="'leaderbord'; did you mean 'leaderboard'"):
        run_query(connected, "leaderbord")


def test_a_database_without_views_is_one_line(connected: Engine) -> None:
    with connected.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA hpo CASCADE")
    with pytest.raises(DatabaseError, match="blood-hpo db migrate") as caught:
        run_query(connected, "studies")
    assert "\n" not in str(caught.value)


def test_a_reason_stays_its_words(study: str, connected: Engine) -> None:
    found = run_query(connected, "trials", study=study)
    reasons = [row[found.columns.index("reason")] for row in found.rows]
    assert "loss is NaN in epoch 2" in reasons


def test_what_another_program_stored_cannot_steer_a_terminal(
    study: str, recorder: Recorder, connected: Engine
) -> None:
    recorder.run(
        "ALTER TABLE hpo.attempt DISABLE TRIGGER USER,"
        " DROP CONSTRAINT attempt_worker_check, DROP CONSTRAINT attempt_reason_check"
    )
    recorder.run("ALTER TABLE hpo.configuration DROP CONSTRAINT configuration_params_check")
    recorder.run("UPDATE hpo.attempt SET worker = :w, reason = :r", w="a\x1b[2J", r="a\nb")
    recorder.run("UPDATE hpo.configuration SET params = :p", p='{"units": ["\\u001b"]}')
    for name in ("trials", "running", "workers", "attempts", "leaderboard"):
        asked = {"study": study, "number": 0, "top": 10}
        known = {key: asked[key] for key in load_query(name).parameters}
        answer = run_query(connected, name, **known)
        assert str(answer.rows).isprintable()
        assert all(one.isprintable() for row in answer.rows for one in row if isinstance(one, str))
