"""Migrations: done twice, by many at once, on older and newer databases, by lesser users."""

import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from blood_hpo.database.address import embedded_url, engine
from blood_hpo.database.migrate import ROLES, ensure_schema, migrate
from blood_hpo.database.schema_version import VIEWS_VERSION, check_schema
from blood_hpo.database.scripts import migrations, views_digest
from blood_hpo.errors import DatabaseError
from blood_hpo.server import embedded
from blood_hpo.settings import Settings

from ..conftest import copy_of
from .conftest import rows

VIEWS = "SELECT relname FROM pg_class WHERE relnamespace = 'hpo'::regnamespace AND relkind = 'v'"

BLOCKED = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def change(connected: Engine, statement: str) -> None:
    with connected.begin() as connection:
        connection.exec_driver_sql(statement)


def test_an_empty_database_gets_tables_views_and_a_version(empty_database_url: str) -> None:
    assert migrate(empty_database_url)[0] == "created Optuna's tables"
    connected = engine(empty_database_url)
    applied = rows(connected, "SELECT number, name, digest FROM hpo.migration ORDER BY number")
    assert [tuple(row.values()) for row in applied] == [
        (one.number, one.name, one.digest) for one in migrations()
    ]
    (views,) = rows(connected, "SELECT version, digest FROM hpo.view_set")
    assert views == {"version": VIEWS_VERSION, "digest": views_digest()}
    assert {"trials", "leaderboard"} <= {row["relname"] for row in rows(connected, VIEWS)}
    check_schema(connected)
    connected.dispose()


def test_a_second_migration_changes_nothing(study: str, database_url: str) -> None:
    connected = engine(database_url)
    views = len(rows(connected, VIEWS))
    trials = rows(connected, "SELECT * FROM hpo.trials WHERE study = :s ORDER BY number", s=study)
    assert migrate(database_url) == []
    assert len(rows(connected, VIEWS)) == views
    again = rows(connected, "SELECT * FROM hpo.trials WHERE study = :s ORDER BY number", s=study)
    assert trials == again
    connected.dispose()


def test_a_migration_restores_a_lost_view(database_url: str, connected: Engine) -> None:
    change(connected, "DROP VIEW hpo.workers")
    migrate(database_url)
    assert rows(connected, "SELECT * FROM hpo.workers") == []


def test_nothing_is_done_where_the_schema_is_the_same(database_url: str, connected: Engine) -> None:
    assert ensure_schema(database_url) == []
    change(
        connected, "UPDATE hpo.view_set SET version = version - 1, digest = 'of an older program'"
    )
    assert len(ensure_schema(database_url)) == 1


def test_views_of_another_build_are_made_again_only_when_asked_to(
    database_url: str, connected: Engine
) -> None:
    change(connected, "UPDATE hpo.view_set SET digest = 'of another build'")
    with pytest.raises(DatabaseError, match=r"another build .* run: blood-hpo db migrate"):
        ensure_schema(database_url)
    assert len(migrate(database_url)) == 1
    assert ensure_schema(database_url) == []


def test_rights_that_others_gave_survive_new_views(
    server: Engine, database_url: str, connected: Engine
) -> None:
    with server.connect() as connection:
        connection.execute(text("DROP ROLE IF EXISTS colleague"))
        connection.execute(text("CREATE ROLE colleague"))
    change(connected, "GRANT SELECT ON hpo.trials TO colleague WITH GRANT OPTION")
    change(connected, "UPDATE hpo.view_set SET digest = 'of another build'")
    migrate(database_url)
    asked = (
        "SELECT has_table_privilege('colleague', 'hpo.trials', 'SELECT WITH GRANT OPTION') AS may"
    )
    assert rows(connected, asked) == [{"may": True}]
    change(connected, "DROP OWNED BY colleague")
    change(connected, "DROP ROLE colleague")


def test_a_view_of_somebodys_own_in_our_schema_stays(database_url: str, connected: Engine) -> None:
    change(connected, "CREATE VIEW hpo.my_own AS SELECT 1 AS one")
    change(connected, "UPDATE hpo.view_set SET digest = 'of another build'")
    migrate(database_url)
    assert rows(connected, "SELECT * FROM hpo.my_own") == [{"one": 1}]


def test_a_reader_holds_up_neither_a_migration_for_ever_nor_others(
    database_url: str, connected: Engine
) -> None:
    change(connected, "UPDATE hpo.view_set SET digest = 'of another build'")
    with ThreadPoolExecutor(1) as pool, connected.connect() as reader:
        reader.execute(text("SELECT count(*) FROM hpo.trials"))
        migrating = pool.submit(migrate, database_url)
        for _ in range(2):  # it lets others by, and tries again
            while not rows(connected, BLOCKED):
                assert not migrating.done()
                time.sleep(0.02)
            with connected.begin() as other:
                other.exec_driver_sql("SET LOCAL statement_timeout = '60s'")
                other.exec_driver_sql("SELECT count(*) FROM hpo.trials")
        assert not migrating.done()
        reader.rollback()
        assert migrating.result(30) != []


def test_nothing_of_ours_runs_with_the_rights_of_somebody_else(connected: Engine) -> None:
    asked = "SELECT proname FROM pg_proc WHERE pronamespace = 'hpo'::regnamespace AND prosecdef"
    assert rows(connected, asked) == []
    called = "SELECT DISTINCT tgfoid::regproc::text AS name FROM pg_trigger WHERE NOT tgisinternal"
    assert {row["name"] for row in rows(connected, called)} == {
        *("hpo.refuse_ended", "hpo.refuse_half_ended")
    }


def test_eight_processes_may_migrate_at_once(empty_database_url: str) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["optuna.storages", "blood_hpo.database.migrate"])
    with ProcessPoolExecutor(8, mp_context=context) as pool:
        done = list(pool.map(migrate, [empty_database_url] * 8))
    assert sum("created Optuna's tables" in lines for lines in done) == 1
    connected = engine(empty_database_url)
    check_schema(connected)
    connected.dispose()


def test_the_databases_of_a_server_may_be_migrated_at_once(server: Engine, migrated: str) -> None:
    with (
        copy_of(migrated, server) as one,
        copy_of(migrated, server) as other,
        ThreadPoolExecutor(2) as pool,
    ):
        assert list(pool.map(migrate, [one, other] * 8)) == [[]] * 16


def test_a_schema_that_is_missing_or_older_names_the_command(
    empty_database_url: str, connected: Engine
) -> None:
    empty = engine(empty_database_url)
    with pytest.raises(DatabaseError, match="has not been prepared; run: blood-hpo db migrate"):
        check_schema(empty)
    empty.dispose()
    change(connected, "DELETE FROM hpo.migration")
    with pytest.raises(DatabaseError, match="blood-hpo db migrate"):
        check_schema(connected)


def test_a_newer_schema_is_left_alone(database_url: str, connected: Engine) -> None:
    change(connected, "INSERT INTO hpo.migration VALUES (99, '0099_new.sql', '', '9.0.0')")
    with pytest.raises(DatabaseError, match="migration 99, newer than this program's"):
        check_schema(connected)
    with pytest.raises(DatabaseError, match="update blood_hpo"):
        migrate(database_url)
    change(connected, "DELETE FROM hpo.migration WHERE number = 99")
    change(connected, "UPDATE hpo.view_set SET version = 99")
    with pytest.raises(DatabaseError, match="views of version 99, newer than"):
        check_schema(connected)
    with pytest.raises(DatabaseError, match="update blood_hpo"):
        migrate(database_url)


def test_older_tables_of_optuna_are_upgraded(
    study: str, database_url: str, connected: Engine
) -> None:
    change(connected, "UPDATE alembic_version SET version_num = 'v3.0.0.d'")
    assert migrate(database_url)[0] == "upgraded Optuna's tables from v3.0.0.d to v3.2.0.a"
    assert len(rows(connected, "SELECT * FROM hpo.trials WHERE study = :s", s=study)) == 7


def test_newer_tables_of_optuna_are_left_alone(database_url: str, connected: Engine) -> None:
    change(connected, "UPDATE alembic_version SET version_num = 'v9.9.9.a'")
    with pytest.raises(DatabaseError, match=r"Optuna's tables have version v9\.9\.9\.a, newer"):
        migrate(database_url)


def test_views_of_others_on_ours_stop_a_migration_with_one_line(
    database_url: str, connected: Engine
) -> None:
    change(connected, "CREATE VIEW public.mine AS SELECT study, score FROM hpo.trials")
    change(connected, "UPDATE hpo.view_set SET digest = 'of another build'")
    with pytest.raises(DatabaseError, match="drop those, run blood-hpo db migr") as caught:
        migrate(database_url)
    assert "view mine depends on view hpo.trials" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert rows(connected, "SELECT * FROM public.mine") == []


def test_a_failed_migration_changes_nothing(
    database_url: str, connected: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = "CREATE VIEW hpo.first AS SELECT 1 AS one; SELECT 1 / 0"
    views = rows(connected, VIEWS)
    monkeypatch.setattr("blood_hpo.database.migrate.views", lambda: broken)
    with pytest.raises(DatabaseError, match="division by zero"):
        migrate(database_url)
    assert rows(connected, VIEWS) == views


@pytest.fixture
def plain_user_url() -> Iterator[str]:
    """A database of a user who may not create roles, on a server that has none of ours."""
    with tempfile.TemporaryDirectory(prefix="blood-hpo-test-") as folder:
        url = make_url(embedded_url(Settings(home=Path(folder)), "postgres"))
        owner = create_engine(url, isolation_level="AUTOCOMMIT")
        with owner.connect() as connection:
            connection.execute(text("CREATE ROLE plain LOGIN"))
            connection.execute(text("CREATE DATABASE theirs OWNER plain"))
        owner.dispose()
        yield url.set(username="plain", database="theirs").render_as_string()
        embedded.release(Path(folder))


def test_a_user_who_may_not_create_roles_gets_everything_else(plain_user_url: str) -> None:
    done = migrate(plain_user_url)
    assert [line for line in done if "role" in line] == [
        f"left out role {role}, which this user may not create" for role in ROLES
    ]
    connected = engine(plain_user_url)
    assert rows(connected, "SELECT * FROM hpo.studies") == []
    connected.dispose()


def test_a_user_who_may_not_create_tables_is_told(server: Engine, empty_database_url: str) -> None:
    with server.connect() as connection:
        connection.execute(text("CREATE ROLE nobody_special LOGIN"))
    url = make_url(empty_database_url).set(username="nobody_special").render_as_string()
    with pytest.raises(DatabaseError, match="permission denied for schema public"):
        migrate(url)
