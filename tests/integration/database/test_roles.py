"""What each role may do, tried as that role."""

from collections.abc import Callable, Iterator

import optuna
import pytest
from optuna.storages import RDBStorage
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from blood_hpo.cli.main import app
from blood_hpo.database.address import engine, engine_options
from blood_hpo.database.migrate import ROLES, migrate
from blood_hpo.database.query import run_query
from blood_hpo.database.schema_version import check_schema
from blood_hpo.database.statements import load_query, names
from blood_hpo.settings import settings

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


def denied(connected: Engine, statement: str, *first: str) -> bool:
    """Whether rights, or a read-only session, refuse a statement; and not its own mistake."""
    alone = connected.execution_options(isolation_level="AUTOCOMMIT")
    with alone.connect() as connection:
        for one in first:
            connection.exec_driver_sql(one)
        with pytest.raises(DBAPIError) as caught:
            connection.exec_driver_sql(statement)
        connection.invalidate()
    return getattr(caught.value.orig, "pgcode", "") in {"42501", "25006"}


def test_the_analyst_reads_the_views_by_their_bare_names(study: str, engine_as: EngineAs) -> None:
    found = rows(
        engine_as("blood_hpo_analyst"), "SELECT * FROM leaderboard WHERE study = :s", s=study
    )
    assert len(found) == 3


UNSEEN = [
    "SELECT * FROM public.trials",
    "SELECT * FROM public.study_user_attributes",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT * FROM pg_authid",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY (SELECT 1) TO '/tmp/leak'",
    "SELECT pg_read_binary_file('PG_VERSION')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_export_snapshot()",
    "SET log_min_messages = debug1",
    "SELECT pg_reload_conf()",
    "SET ROLE postgres",
    "SET ROLE blood_hpo_worker",
    "SET SESSION AUTHORIZATION postgres",
    "SELECT set_config('role', 'postgres', false)",
    "SELECT rolpassword FROM pg_authid",
]
"""What is not the analyst's to see or to call."""
UNCHANGED = [
    "ALTER SYSTEM SET work_mem = '1GB'",
    "CREATE TABLE hpo.mine (a integer)",
    "CREATE TABLE public.mine (a integer)",
    "DROP VIEW hpo.trials",
    "DELETE FROM hpo.attempt",
    "UPDATE public.trials SET number = 1",
    "UPDATE hpo.view_set SET version = 1",
    "UPDATE hpo.piece SET content = ''",
    "DELETE FROM hpo.fold",
    "CREATE TEMP TABLE mine (a integer)",
    "CREATE SCHEMA mine",
    "DROP EXTENSION plpgsql",
    "CREATE FUNCTION hpo.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "GRANT SELECT ON public.trials TO blood_hpo_analyst",
    "ALTER ROLE blood_hpo_analyst SUPERUSER",
    "SELECT lo_creat(-1)",
]
"""What is not the analyst's to change, read-only or not."""


def test_the_analyst_sees_nothing_else(engine_as: EngineAs) -> None:
    analyst = engine_as("blood_hpo_analyst")
    for statement in UNSEEN:
        assert "permission denied" in refused(analyst, statement), statement


def test_the_analyst_changes_nothing_even_after_dropping_read_only(
    engine_as: EngineAs, database_url: str
) -> None:
    migrate(database_url)  # rights on the database itself are not copied with the template
    analyst = engine_as("blood_hpo_analyst")
    for statement in UNCHANGED:
        assert denied(analyst, statement), statement
        assert denied(analyst, statement, "SET default_transaction_read_only = off"), statement


def test_the_analyst_is_read_only_and_cut_off_after_30_seconds(engine_as: EngineAs) -> None:
    analyst = engine_as("blood_hpo_analyst")
    assert rows(analyst, "SHOW statement_timeout") == [{"statement_timeout": "30s"}]
    assert "read-only transaction" in refused(analyst, "CREATE TEMP TABLE mine (a integer)")
    hurried = "SET statement_timeout = '50ms'; COMMIT; SELECT pg_sleep(30)"
    assert "statement timeout" in refused(analyst, hurried)


def test_the_analyst_has_at_most_20_connections(connected: Engine) -> None:
    asked = "SELECT rolconnlimit AS most FROM pg_roles WHERE rolname = 'blood_hpo_analyst'"
    assert rows(connected, asked) == [{"most": 20}]


@pytest.mark.parametrize("role", ["blood_hpo_worker", "blood_hpo_dashboard"])
def test_a_migration_takes_back_what_a_role_has_set_for_all_its_sessions(
    database_url: str, engine_as: EngineAs, role: str
) -> None:
    for setting in ("search_path = pg_catalog", "default_transaction_read_only = on"):
        with engine_as(role).connect() as connection:
            connection.exec_driver_sql(f"ALTER ROLE {role} SET {setting}; COMMIT")
    migrate(database_url)
    asked = f"SELECT setconfig FROM pg_db_role_setting WHERE setrole = '{role}'::regrole"
    found = rows(engine_as(role), asked)
    ours = [{"setconfig": ["temp_file_limit=256MB"]}] if role == "blood_hpo_dashboard" else []
    assert found == ours


def test_the_time_limit_is_a_default_that_a_session_of_ones_own_can_raise(
    engine_as: EngineAs,
) -> None:
    # PostgreSQL cannot forbid this; `blood-hpo query --sql` runs one statement, which cannot.
    with engine_as("blood_hpo_analyst").connect() as connection:
        connection.exec_driver_sql("SET statement_timeout = 0")
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "0"


@pytest.mark.parametrize("beside", ["template1", "postgres"])
def test_the_analyst_stays_in_the_databases_of_the_program(database_url: str, beside: str) -> None:
    migrate(database_url)
    url = make_url(address_as("blood_hpo_analyst", database_url)).set(database=beside)
    elsewhere = engine(url.render_as_string())
    with pytest.raises(DBAPIError, match="permission denied for database"):
        elsewhere.connect()


@pytest.mark.parametrize("role", ["analyst", "dashboard"])
def test_who_only_reads_cannot_fill_the_disk_with_what_is_sorted(
    engine_as: EngineAs, role: str
) -> None:
    reader = engine_as(f"blood_hpo_{role}")
    assert rows(reader, "SHOW temp_file_limit") == [{"temp_file_limit": "256MB"}]
    assert denied(reader, "SET temp_file_limit = -1")


def test_limits_that_the_analyst_took_off_are_put_back(
    engine_as: EngineAs, database_url: str
) -> None:
    loose = (
        "SET default_transaction_read_only = off; COMMIT;"
        " ALTER ROLE blood_hpo_analyst SET statement_timeout = 0; COMMIT;"
        " ALTER ROLE blood_hpo_analyst SET default_transaction_read_only = off; COMMIT"
    )
    with engine_as("blood_hpo_analyst").connect() as connection:
        connection.exec_driver_sql(loose)
    assert rows(engine_as("blood_hpo_analyst"), "SHOW statement_timeout") == [
        {"statement_timeout": "0"}
    ]
    migrate(database_url)
    again = engine_as("blood_hpo_analyst")
    assert rows(again, "SHOW statement_timeout") == [{"statement_timeout": "30s"}]
    assert rows(again, "SHOW default_transaction_read_only") == [
        {"default_transaction_read_only": "on"}
    ]


def test_the_analyst_does_not_see_what_others_ask(engine_as: EngineAs) -> None:
    found = rows(
        engine_as("blood_hpo_analyst"),
        "SELECT DISTINCT query FROM pg_stat_activity WHERE usename = 'postgres'",
    )
    assert {row["query"] for row in found} == {"<insufficient privilege>"}


def test_the_analyst_may_ask_every_question_for_people(study: str, engine_as: EngineAs) -> None:
    analyst, values = engine_as("blood_hpo_analyst"), {"study": study, "number": 0, "top": 3}
    for name in names():
        wanted = {one: values[one] for one in load_query(name).parameters}
        assert run_query(analyst, name, **wanted).columns


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
        "DELETE FROM hpo.artefact",
        "UPDATE hpo.fold SET fold = 9",
        "CREATE TABLE mine (a integer)",
        "SELECT pg_read_file('PG_VERSION')",
        "SELECT pg_advisory_lock(1)",
        "COPY trials TO PROGRAM 'true'",
        "SET ROLE blood_hpo_worker",
    ):
        assert "permission denied" in refused(dashboard, statement)
    storage.engine.dispose()


def test_who_may_not_delete_a_study_does_not_stop_it_by_trying(
    study: str, database_url: str, monkeypatch: pytest.MonkeyPatch, connected: Engine
) -> None:
    monkeypatch.setenv("DATABASE_URL", address_as("blood_hpo_worker", database_url))
    settings.cache_clear()
    tried = CliRunner().invoke(app, ["study", "delete", study, "--yes"])
    settings.cache_clear()
    assert tried.exit_code == 1
    assert rows(connected, "SELECT paused FROM hpo.study") == [{"paused": None}]


def test_the_worker_runs_trials_and_deletes_nothing(
    study: str, engine_as: EngineAs, database_url: str
) -> None:
    url = address_as("blood_hpo_worker", database_url)
    storage = RDBStorage(url, engine_kwargs=engine_options("test"), skip_table_creation=True)
    loaded = optuna.load_study(study_name=study, storage=storage)
    trial = loaded.ask()
    trial.suggest_categorical("model", ["mlp", "cnn", "resnet"])
    storage.record_heartbeat(trial._trial_id)
    trial.report(0.5, 1)
    trial.set_user_attr("worker", "host:1:0")
    loaded.set_user_attr("paused", None)
    loaded.tell(trial, 0.5)
    loaded.enqueue_trial({"model": "cnn"})
    worker = engine_as("blood_hpo_worker")
    check_schema(worker)
    found = "SELECT state, score FROM hpo.trials WHERE number = :n"
    (left,) = rows(worker, found, n=trial.number)
    assert left == {"state": "RUNNING", "score": None}  # Optuna's word alone ends no trial of ours
    for statement in (
        "DELETE FROM studies",
        "DELETE FROM trials",
        "DROP TABLE trials",
        "CREATE TABLE mine (a integer)",
        "UPDATE alembic_version SET version_num = 'x'",
        "UPDATE hpo.migration SET digest = ''",
        "DELETE FROM hpo.artefact",
        "UPDATE hpo.fold SET fold = 9",
        "UPDATE hpo.artefact SET sha256 = sha256",
        "DROP VIEW hpo.trials",
        "TRUNCATE trials",
        "UPDATE trial_values SET value = 0.99",
        "UPDATE studies SET study_name = 'mine'",
        "UPDATE study_directions SET direction = 'MINIMIZE'",
        "UPDATE hpo.configuration SET params = '{}'",
        "UPDATE hpo.budget SET family = 'mine'",
        "BEGIN; LOCK TABLE trials IN ACCESS EXCLUSIVE MODE",
        "SELECT pg_read_file('PG_VERSION')",
        "COPY trials TO PROGRAM 'true'",
        "SET ROLE postgres",
    ):
        assert denied(worker, statement), statement
    storage.engine.dispose()
