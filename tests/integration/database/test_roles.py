"""What each role may do, tried as that role."""

from collections.abc import Callable, Iterator

import optuna
import pytest
from optuna.storages import RDBStorage
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError

from blood_hpo.database.address import engine, engine_options
from blood_hpo.database.migrate import ROLES, check_schema

from .conftest import rows

EngineAs = Callable[[str], Engine]


@pytest.fixture(scope="module", autouse=True)
def logins(server: Engine, migrated: str) -> None:
    assert migrated  # the roles exist
    with server.connect() as connection:
        for role in ROLES:
            connection.execute(text(f"ALTER ROLE {role} LOGIN"))


def address_as(role: str, database_url: str) -> str:
    return make_url(database_url).set(username=role).render_as_string()


@pytest.fixture
def engine_as(database_url: str) -> Iterator[EngineAs]:
    made: list[Engine] = []

    def make(role: str) -> Engine:
        made.append(engine(address_as(role, database_url)))
        return made[-1]

    yield make
    for one in made:
        one.dispose()


def refused(connected: Engine, statement: str) -> str:
    with pytest.raises(DBAPIError) as caught, connected.connect() as connection:
        connection.exec_driver_sql(statement)
    return str(caught.value.orig)


def test_the_analyst_reads_the_views_by_their_bare_names(study: str, engine_as: EngineAs) -> None:
    found = rows(
        engine_as("blood_hpo_analyst"), "SELECT * FROM leaderboard WHERE study = :s", s=study
    )
    assert len(found) == 3


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM public.trials",
        "SELECT * FROM public.study_user_attributes",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT * FROM pg_authid",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "COPY (SELECT 1) TO '/tmp/leak'",
    ],
)
def test_the_analyst_sees_nothing_else(statement: str, engine_as: EngineAs) -> None:
    assert "permission denied" in refused(engine_as("blood_hpo_analyst"), statement)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE hpo.mine (a integer)",
        "CREATE TABLE public.mine (a integer)",
        "DROP VIEW hpo.trials",
        "DELETE FROM hpo.trials",
        "UPDATE public.trials SET number = 1",
        "INSERT INTO hpo.schema_version VALUES (2, '', '')",
    ],
)
def test_the_analyst_changes_nothing_even_after_dropping_read_only(
    statement: str, engine_as: EngineAs
) -> None:
    analyst = engine_as("blood_hpo_analyst")
    refused(analyst, statement)
    refused(analyst, f"SET default_transaction_read_only = off; COMMIT; {statement}")


def test_the_analyst_is_cut_off_and_read_only(engine_as: EngineAs) -> None:
    analyst = engine_as("blood_hpo_analyst")
    assert rows(analyst, "SHOW statement_timeout") == [{"statement_timeout": "30s"}]
    assert "read-only transaction" in refused(analyst, "CREATE TEMP TABLE mine (a integer)")


def test_the_dashboard_reads_everything_and_changes_nothing(
    study: str, engine_as: EngineAs, database_url: str
) -> None:
    dashboard = engine_as("blood_hpo_dashboard")
    assert len(rows(dashboard, "SELECT * FROM hpo.trials WHERE study = :s", s=study)) == 7
    check_schema(dashboard)
    url = address_as("blood_hpo_dashboard", database_url)
    storage = RDBStorage(url, engine_kwargs=engine_options("test"), skip_table_creation=True)
    loaded = optuna.load_study(study_name=study, storage=storage)
    assert len(loaded.trials) == 7
    for statement in (
        "DELETE FROM studies",
        "UPDATE trials SET number = 1",
        "INSERT INTO studies (study_name) VALUES ('x')",
        "TRUNCATE trials",
    ):
        assert "permission denied" in refused(dashboard, statement)
    storage.engine.dispose()


def test_the_worker_runs_trials_and_deletes_nothing(
    study: str, engine_as: EngineAs, database_url: str
) -> None:
    url = address_as("blood_hpo_worker", database_url)
    storage = RDBStorage(url, engine_kwargs=engine_options("test"), skip_table_creation=True)
    loaded = optuna.load_study(study_name=study, storage=storage)
    trial = loaded.ask()
    trial.suggest_categorical("model", ["mlp", "cnn", "resnet"])
    storage.record_heartbeat(trial._trial_id)
    storage.record_heartbeat(trial._trial_id)
    trial.report(0.5, 1)
    trial.set_user_attr("worker", "host:1:0")
    loaded.set_user_attr("paused", None)
    loaded.tell(trial, 0.5)
    loaded.enqueue_trial({"model": "cnn"})
    worker = engine_as("blood_hpo_worker")
    check_schema(worker)
    assert rows(worker, "SELECT score FROM hpo.trials WHERE number = :n", n=trial.number) == [
        {"score": 0.5}
    ]
    for statement in (
        "DELETE FROM studies",
        "DELETE FROM trials",
        "DROP TABLE trials",
        "CREATE TABLE mine (a integer)",
        "UPDATE alembic_version SET version_num = 'x'",
        "UPDATE hpo.schema_version SET version = 2",
    ):
        assert refused(worker, statement)
    storage.engine.dispose()
