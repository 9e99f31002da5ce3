"""No budget is overspent and nothing is trained or numbered twice: two connections race for it.

Nothing of the program takes part. What holds is the schema, at every isolation level.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from blood_hpo.database.address import engine

from ...waiting import until
from ..conftest import copy_of
from .conftest import BUDGETS, MLP, Recorder, rows, unguarded, write_trials

ENDED = """
    WITH ended AS (UPDATE public.trials SET state = 'COMPLETE', datetime_complete = now())"""
LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
NEW = """
    INSERT INTO hpo.configuration (
        study_id, stage, family, config_hash, seed, config, params, budget, place
    )
    SELECT study_id, 'search', 'mlp', '{digest}', {seed}, '{{"digest": "{digest}"}}', '{{}}', 5,
        {place} FROM hpo.study
"""
ATTEMPT = """
    WITH made AS (
        INSERT INTO public.trials (study_id, number, state)
        SELECT study_id, {number}, 'RUNNING' FROM hpo.study
        RETURNING trial_id, study_id
    )
    INSERT INTO hpo.attempt (trial_id, configuration_id, study_id, number, attempt)
    SELECT trial_id, {configuration}, study_id, {number}, {attempt} FROM made
"""
RACES = {
    "a configuration twice": (
        NEW.format(digest="a" * 16, seed=1, place=3),
        NEW.format(digest="a" * 16, seed=2, place=4),
    ),
    "a configuration twice, under another hash": (
        NEW.format(digest="a" * 16, seed=1, place=3),
        NEW.format(digest="a" * 16, seed=1, place=4).replace("'aaaa", "'bbbb"),
    ),
    "a place of the budget twice": (
        NEW.format(digest="a" * 16, seed=1, place=3),
        NEW.format(digest="b" * 16, seed=1, place=3),
    ),
    "two attempts that have not failed": (
        ATTEMPT.format(configuration=1, number=0, attempt=1),
        ATTEMPT.format(configuration=1, number=1, attempt=2),
    ),
    "a number twice": (
        ATTEMPT.format(configuration=1, number=0, attempt=1),
        ATTEMPT.format(configuration=2, number=0, attempt=1),
    ),
    "a budget below a place that is being taken": (
        NEW.format(digest="a" * 16, seed=1, place=5),
        "UPDATE hpo.budget SET budget = 4 WHERE family = 'mlp'",
    ),
    "a place above a budget that is being lowered": (
        "UPDATE hpo.budget SET budget = 4 WHERE family = 'mlp'",
        NEW.format(digest="a" * 16, seed=1, place=5),
    ),
}
"""What two connections do at the same time, of which one must fail."""
NO_STUDY_FILES = {
    "a name that is a path": ("{name}", '"../x"'),
    "a seed that is no number": ("{seed}", '"x"'),
    "a seed too large": ("{seed}", "1e30"),
    "an objective that is no name": ("{objective}", '"<script>"'),
    "folds in words": ("{training,folds}", '"three"'),
    "no epochs": ("{training,epochs}", "null"),
    "more than all data": ("{data,fraction}", "1e400"),
    "a fraction in a list": ("{data,fraction}", "[0.5]"),
    "a fraction too small for a number": ("{data,fraction}", "1e-400"),
    "no data": ("{data,fraction}", "0.0"),
    "families that are none": ("{families}", "[]"),
    "a family without a space": ("{families}", '{"mlp": {}}'),
    "a family that is a list": ("{families}", '{"mlp": [{"space": {}}]}'),
}
"""What no program may make of a stored study file: place and value."""
NO_DATA_SETS = {
    "no label": "data - 'label'",
    "a label in numbers": """jsonb_set(data, '{label}', '3')""",
    "a label that steers a terminal": r"""jsonb_set(data, '{label}', '"\u001b[2J"')""",
    "no checksum": "data - 'sha256'",
    "half a checksum": """jsonb_set(data, '{md5}', '"ab"')""",
    "a mark that is no truth": """jsonb_set(data, '{synthetic}', '"x"')""",
    "nothing": "'{}'",
}
"""What no program may make of the data set of a study."""
ALONE = {
    "a place above the budget": NEW.format(digest="a" * 16, seed=1, place=6),
    "a budget below a place that is held": "UPDATE hpo.budget SET budget = 1 WHERE family = 'mlp'",
    "a budget of one's own": NEW.format(digest="a" * 16, seed=1, place=6).replace("5, 6", "9, 6"),
    "a place that is neither held nor given up": "UPDATE hpo.configuration SET place = NULL",
    "a place that was given up and is held": "UPDATE hpo.configuration SET given_up_at = now()",
    "a file whose checksum is a path": (
        "INSERT INTO hpo.piece SELECT study_id, '../x', 0, 'x' FROM hpo.study"
    ),
    "a file that is named after a path": (
        "INSERT INTO hpo.artefact SELECT study_id, 'x', '../x', 1 FROM hpo.study"
    ),
    "an attempt in another study than its configuration": """
        WITH other AS (INSERT INTO public.studies (study_name) VALUES ('other') RETURNING study_id),
        made AS (
            INSERT INTO public.trials (study_id, number, state)
            SELECT study_id, 0, 'COMPLETE' FROM other RETURNING trial_id, study_id
        )
        INSERT INTO hpo.attempt (trial_id, configuration_id, study_id, number, attempt)
        SELECT trial_id, 1, study_id, 0, 1 FROM made""",
    "an attempt under another number than its trial": ATTEMPT.format(
        configuration=1, number=0, attempt=1
    ).replace("study_id, 0, 1 FROM made", "study_id, 7, 1 FROM made"),
    "a parameter that no number can hold": NEW.format(digest="a" * 16, seed=1, place=3).replace(
        "'{}', 5", """'{"dropout": 1e400}', 5"""
    ),
    "a parameter that a number takes for 0": NEW.format(digest="a" * 16, seed=1, place=3).replace(
        "'{}', 5", """'{"dropout": -1e-400}', 5"""
    ),
    "a stage that is not the study's": NEW.format(digest="a" * 16, seed=1, place=3).replace(
        "'search'", "'final'"
    ),
}


@pytest.fixture(scope="module")
def unchanged(server: Engine, migrated: str) -> Iterator[Engine]:
    """A database with a study that all who are refused may share."""
    with copy_of(migrated, server) as url:
        found = engine(url, "test")
        recorder = Recorder(found)
        recorder.study_id = recorder.create("blood", **BUDGETS)
        write_trials(recorder)
        yield found
        found.dispose()


@pytest.fixture
def two_held(recorder: Recorder) -> None:
    """Places 1 and 2 of five are held by configurations 1 and 2."""
    recorder.configuration("mlp", "c" * 16, MLP)
    recorder.configuration("mlp", "d" * 16, MLP)


@pytest.fixture
def running(recorder: Recorder) -> None:
    """Configuration 1 has a trial that runs."""
    recorder.attempt(1, "RUNNING", "host:1:0")


@pytest.fixture(params=LEVELS)
def pair(request: pytest.FixtureRequest, connected: Engine) -> Iterator[list[Connection]]:
    """Two transactions that have begun, and seen the same state of the database."""
    engine = connected.execution_options(isolation_level=request.param)
    with engine.connect() as one, engine.connect() as other:
        for connection in (one, other):
            connection.execute(text("SELECT count(*) FROM hpo.configuration"))
        yield [one, other]


def until_blocked(connected: Engine, process: object) -> None:
    """Wait until a server process waits for a lock."""
    asked = "SELECT wait_event_type AS waits FROM pg_stat_activity WHERE pid = :process"
    until(lambda: rows(connected, asked, process=process) == [{"waits": "Lock"}], "it waits")


def refusal(connected: Engine, pair: list[Connection], *statements: str) -> str:
    """Have each connection execute one, the second before the first commits: the error's code."""
    first, second = pair
    process = second.scalar(text("SELECT pg_backend_pid()"))
    with ThreadPoolExecutor(1) as pool:
        first.execute(text(statements[0]))
        late = pool.submit(second.execute, text(statements[1]))
        until_blocked(connected, process)
        first.commit()
        with pytest.raises(DBAPIError) as caught:
            late.result(20)
    second.rollback()
    return getattr(caught.value.orig, "pgcode", "")


@pytest.mark.usefixtures("two_held")
@pytest.mark.parametrize("race", RACES)
def test_of_two_that_race_one_fails(connected: Engine, pair: list[Connection], race: str) -> None:
    # A constraint, or a transaction that could not be told apart from one that came later.
    assert refusal(connected, pair, *RACES[race]) in {"23505", "23514", "23503", "40001"}
    (kept,) = rows(
        connected,
        "SELECT count(*) FILTER (WHERE place > budget) AS above, count(*) AS places"
        " FROM hpo.configuration WHERE place IS NOT NULL",
    )
    assert kept["above"] == 0


@pytest.mark.usefixtures("two_held")
@pytest.mark.parametrize("wrong", ALONE)
def test_what_no_row_may_say_is_refused(connected: Engine, wrong: str) -> None:
    with pytest.raises(DBAPIError) as caught, connected.begin() as connection:
        connection.execute(text(ALONE[wrong]))
    assert getattr(caught.value.orig, "pgcode", "").startswith("23")


@pytest.mark.usefixtures("two_held")
def test_a_failed_attempt_makes_room_for_another(recorder: Recorder) -> None:
    failed = recorder.attempt(1, "RUNNING", "host:1:0")
    recorder.fail(failed, "lost", "not heard of")
    assert recorder.number(recorder.attempt(1, "RUNNING", "host:2:0")) == 1


@pytest.mark.usefixtures("two_held")
def test_a_place_that_is_given_back_is_taken_again(recorder: Recorder) -> None:
    recorder.run("UPDATE hpo.configuration SET place = NULL, given_up_at = now() WHERE place = 1")
    again = recorder.configuration("mlp", "e" * 16, MLP, place=1)
    assert (
        recorder.run("SELECT place FROM hpo.configuration WHERE configuration_id = :c", c=again)
        == 1
    )
    with pytest.raises(DBAPIError, match="configuration_once"):
        recorder.configuration("mlp", "c" * 16, MLP, seed=4)


@pytest.mark.parametrize("whose", ["study_user", "study_system", "trial_user", "trial_system"])
def test_what_the_dashboard_reads_is_json(connected: Engine, whose: str) -> None:
    told = (
        f"INSERT INTO public.{whose}_attributes ({whose.partition('_')[0]}_id, key, value_json)"
        " SELECT min({id}), 'told', '{value}' FROM public.{table}"
    ).replace("{id}", f"{whose.partition('_')[0]}_id")
    told = told.replace("{table}", "studies" if whose.startswith("study") else "trials")
    with connected.connect() as connection:
        connection.exec_driver_sql(told.replace("{value}", '{"loss": [NaN, -Infinity]}'))
        with pytest.raises(DBAPIError, match="json"):
            connection.exec_driver_sql(told.replace("{value}", "{").replace("'told'", "'other'"))


@pytest.mark.parametrize("wrong", NO_STUDY_FILES)
def test_a_stored_study_file_stays_one(unchanged: Engine, wrong: str) -> None:
    place, value = NO_STUDY_FILES[wrong]
    statement = text("UPDATE hpo.study SET spec = jsonb_set(spec, :place, cast(:value AS jsonb))")
    given = {"place": place, "value": value}
    with unchanged.begin() as connection, pytest.raises(DBAPIError, match="study_spec_is"):
        connection.execute(statement, given)


@pytest.mark.parametrize(
    "wrong",
    [
        *("result SET seconds = 'NaN'", "result SET seconds = 'inf'", "result SET seconds = -1"),
        *("result SET epochs = -1", "result SET seconds = 1e300", "fold SET score = 'NaN'"),
        *("fold SET score = '-inf'", "fold SET score = 1.5", "fold SET epochs = -1"),
    ],
)
def test_what_a_trial_measured_is_finite(unchanged: Engine, wrong: str) -> None:
    refused = pytest.raises(DBAPIError, match=r"_is_(finite|a_score)")
    with unguarded(unchanged) as connection, refused:
        connection.exec_driver_sql(f"UPDATE hpo.{wrong}")


@pytest.mark.parametrize(
    "change",
    [
        "public.trials SET state = 'RUNNING' WHERE state = 'COMPLETE'",
        "public.trials SET datetime_complete = now() WHERE state = 'FAIL'",
        "hpo.attempt SET failure = 'lost' WHERE failure IS NULL AND NOT open",
        "hpo.attempt SET open = true WHERE NOT open",
        "public.trial_values SET value = 0.99",
        "public.trial_intermediate_values SET intermediate_value = 0.99",
        "public.trial_params SET param_value = 0",
        "hpo.result SET seconds = 1",
        "hpo.fold SET score = 0.99",
    ],
)
def test_what_has_ended_stays_as_it_is(unchanged: Engine, change: str) -> None:
    with unchanged.begin() as connection, pytest.raises(DBAPIError, match="has ended"):
        connection.exec_driver_sql(f"UPDATE {change}")


@pytest.mark.usefixtures("two_held", "running")
def test_nothing_is_added_beside_the_end(connected: Engine, pair: list[Connection]) -> None:
    end = f"{ENDED} UPDATE hpo.attempt SET open = false"
    report = """
        INSERT INTO public.trial_intermediate_values
            (trial_id, step, intermediate_value, intermediate_value_type)
        SELECT trial_id, 1, 0.5, 'FINITE' FROM hpo.attempt"""
    assert refusal(connected, pair, end, report) in {"23001", "40001"}


@pytest.mark.usefixtures("two_held", "running")
@pytest.mark.parametrize(
    "end",
    [
        "UPDATE hpo.attempt SET open = false",
        "UPDATE hpo.attempt SET failure = 'lost'",
        f"{ENDED} UPDATE hpo.attempt SET open = false, failure = 'lost'",
    ],
)
def test_an_attempt_ends_with_its_trial_and_as_it(connected: Engine, end: str) -> None:
    """Or nobody could take the trial over, or its configuration could be counted twice."""
    with pytest.raises(DBAPIError, match="for its worker to end"), connected.begin() as connection:
        connection.exec_driver_sql(end)


@pytest.mark.usefixtures("two_held", "running")
@pytest.mark.parametrize("state", ["COMPLETE", "FAIL"])
def test_no_other_program_ends_a_trial(connected: Engine, state: str) -> None:
    """As the button of optuna-dashboard would, and nobody could go on from it."""
    with pytest.raises(DBAPIError, match="for its worker to end"), connected.begin() as connection:
        connection.exec_driver_sql(f"UPDATE public.trials SET state = '{state}'")


ADDED = {
    "a report": "public.trial_intermediate_values"
    " (trial_id, step, intermediate_value, intermediate_value_type) SELECT {}, 99, 1, 'FINITE'",
    "a parameter": "public.trial_params (trial_id, param_name) SELECT {}, 'more'",
    "a fold": "hpo.fold SELECT trial_id, 9, 1, 1, 1, '{{1}}', '{{1}}' FROM hpo.fold"
    " WHERE trial_id = {} LIMIT 1",
    "a test": "hpo.test_opening (trial_id) SELECT {}",
}


@pytest.mark.parametrize("what", ADDED)
def test_nothing_is_added_to_what_has_ended(unchanged: Engine, what: str) -> None:
    ended = "(SELECT max(trial_id) FROM hpo.fold JOIN hpo.attempt USING (trial_id) WHERE NOT open)"
    with unchanged.begin() as connection, pytest.raises(DBAPIError, match="has ended"):
        connection.exec_driver_sql(f"INSERT INTO {ADDED[what].format(ended)}")


@pytest.mark.parametrize(
    "change",
    [
        "hpo.attempt SET worker = E'host\\x1b[2J'",
        "hpo.attempt SET reason = E'two\\nlines'",
        "hpo.study SET paused = E'\\b'",
        'hpo.configuration SET params = \'{"units": "\\u001b"}\'',
        "hpo.budget SET family = E'mlp\\n'",
    ],
)
def test_a_text_is_one_that_every_terminal_can_show(unchanged: Engine, change: str) -> None:
    with unguarded(unchanged) as connection, pytest.raises(DBAPIError, match="_check"):
        connection.exec_driver_sql(f"UPDATE {change}")


def test_a_heartbeat_lies_at_most_an_hour_ahead(unchanged: Engine) -> None:
    """Or nobody could ever take the trial over."""
    ahead = "UPDATE hpo.attempt SET heartbeat_at = now() + interval '{} minutes' WHERE open"
    with unchanged.begin() as connection:
        connection.exec_driver_sql(ahead.format(59))
        with pytest.raises(DBAPIError, match="heartbeat_at_check"):
            connection.exec_driver_sql(ahead.format(61))


@pytest.mark.parametrize("wrong", NO_DATA_SETS)
def test_a_stored_data_set_stays_one(unchanged: Engine, wrong: str) -> None:
    with unchanged.begin() as connection, pytest.raises(DBAPIError, match="study_data_is"):
        connection.exec_driver_sql(f"UPDATE hpo.study SET data = {NO_DATA_SETS[wrong]}")


@pytest.mark.parametrize("when", ["20000-01-01", "infinity", "0044-03-15 BC"])
@pytest.mark.parametrize("of", ["study SET created_at", "attempt SET heartbeat_at"])
def test_a_time_is_one_that_every_reader_can_hold(unchanged: Engine, of: str, when: str) -> None:
    with unguarded(unchanged) as connection, pytest.raises(DBAPIError, match="moment_check"):
        connection.exec_driver_sql(f"UPDATE hpo.{of} = '{when}'")


@pytest.mark.parametrize("fraction", ["1", "1.0", "0.5", "0.30000000000000004", "1e-5", "2.5e-16"])
def test_a_share_of_the_data_may_be_any_number(
    recorder: Recorder, connected: Engine, fraction: str
) -> None:
    assert recorder.study_id
    changed = "UPDATE hpo.study SET spec = jsonb_set(spec, '{data,fraction}', cast(:f AS jsonb))"
    with connected.begin() as connection:
        assert connection.execute(text(changed), {"f": fraction}).rowcount == 1


@pytest.mark.parametrize("when", ["20000-01-01", "infinity", "0044-03-15 BC"])
def test_a_time_of_optunas_that_no_reader_can_hold_is_left_out(
    study: str, connected: Engine, when: str
) -> None:
    with connected.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE public.trials DISABLE TRIGGER USER")
        connection.exec_driver_sql(
            f"UPDATE public.trials SET datetime_start = '{when}', datetime_complete = '{when}'"
        )
    for view in ("studies", "trials", "workers", "attempts"):
        assert rows(connected, f"SELECT * FROM hpo.{view} WHERE study = :study", study=study)
