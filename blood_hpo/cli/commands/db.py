"""``blood-hpo db``: the database server, its address, its schema, and psql."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blood_hpo.cli.output import FormatOption, OutputFormat, print_rows
from blood_hpo.errors import DatabaseError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(no_args_is_help=True, help="Start, look at and prepare the database.")


@app.command()
def start() -> None:
    """Start the embedded server and keep it running until "blood-hpo db stop".

    Commands start it by themselves and the last one stops it; this is for a server that should
    stay, for a dashboard or a notebook.

    Example: blood-hpo db start
    """
    from blood_hpo.server import embedded

    home = _embedded_home()
    embedded.pin(home)
    typer.echo(f"PostgreSQL runs in {home / 'postgres'}; stop it with: blood-hpo db stop")


@app.command()
def stop() -> None:
    """Stop the embedded server, also if something is using it.

    Running workers keep their trials and wait; they go on after "blood-hpo db start".

    Example: blood-hpo db stop
    """
    from blood_hpo.server import embedded

    stopped = embedded.stop(_embedded_home())
    typer.echo("PostgreSQL is stopped" if stopped else "PostgreSQL was not running")


@app.command()
def url(
    show_password: Annotated[
        bool, typer.Option("--show-password", help="Print the password instead of ***.")
    ] = False,
    libpq: Annotated[
        bool, typer.Option("--libpq", help="As psql, DuckDB and BI tools read it.")
    ] = False,
) -> None:
    """Print the address of the database, as SQLAlchemy and pandas read it.

    Example: blood-hpo db url

    Example: duckdb -c "ATTACH '$(blood-hpo db url --libpq)' AS study (TYPE postgres, READ_ONLY)"
    """
    from blood_hpo.database.address import database_url, libpq_uri, masked
    from blood_hpo.settings import settings

    found = database_url(settings())
    if libpq:
        typer.echo(libpq_uri(found, password=show_password))
    else:
        typer.echo(found if show_password else masked(found))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context) -> None:
    """Open psql on the database; further arguments are psql's own.

    Example: blood-hpo db psql

    Example: blood-hpo db psql -c "select * from hpo.leaderboard where rank <= 3"
    """
    import signal
    import subprocess

    from blood_hpo.database.address import database_url, libpq_uri
    from blood_hpo.settings import settings

    address = database_url(settings())
    command = [_psql_program(), *context.args, libpq_uri(address)]
    # Ctrl-C is psql's: it cancels a query. A handler, unlike "ignore", is not passed on to psql.
    signal.signal(signal.SIGINT, lambda *_: None)
    done = subprocess.run(command, check=False, env=_psql_environment(address))  # noqa: S603
    raise typer.Exit(done.returncode)


@app.command()
def migrate() -> None:
    """Create or update tables, views and roles; done again, it restores what was changed by hand.

    Example: blood-hpo db migrate
    """
    from blood_hpo.database import migrate as schema
    from blood_hpo.database.address import database_url
    from blood_hpo.settings import settings

    for line in schema.migrate(database_url(settings(), create=True)):
        typer.echo(line)


@app.command()
def logins(
    files: Annotated[
        list[Path], typer.Argument(help="Files that hold one role's URL each.", metavar="FILE...")
    ],
) -> None:
    """Let the worker, dashboard and analyst roles log in with the passwords in their URLs.

    The database must be migrated. Done again with other passwords, these replace the old ones.

    Example: blood-hpo db logins secrets/worker_url secrets/dashboard_url secrets/analyst_url
    """
    from blood_hpo.database.address import database_url
    from blood_hpo.database.logins import allow_logins
    from blood_hpo.settings import read_url, settings

    addresses = [read_url(file, "file").get_secret_value() for file in files]
    for role in allow_logins(database_url(settings()), addresses):
        typer.echo(f"role {role} may log in")


@app.command()
def status(output: FormatOption = OutputFormat.TABLE) -> None:
    """Show where the database is and what is in it; an embedded server is not started for this.

    Example: blood-hpo db status --format json
    """
    found = _status()
    print_rows(tuple(found), [tuple(found.values())], output)


def _status() -> "Mapping[str, object]":
    from blood_hpo.database.address import database_url, masked
    from blood_hpo.server import embedded
    from blood_hpo.settings import settings

    if settings().server_url() is None:
        home = settings().home
        embedded.require(home)
        place: dict[str, object] = {"server": f"embedded in {home / 'postgres'}"}
        place |= {"pinned": embedded.is_pinned(home), "running": embedded.is_running(home)}
        if not place["running"]:
            return place
    else:
        place = {"server": "DATABASE_URL"}
    address = database_url(settings())
    return place | {"url": masked(address)} | _contents(address)


def _contents(address: str) -> dict[str, object]:
    from sqlalchemy import text

    from blood_hpo.database.address import engine
    from blood_hpo.database.failures import database_errors
    from blood_hpo.database.migrate import describe_schema

    with database_errors(address), engine(address).connect() as connection:
        facts = text(
            "SELECT current_setting('server_version') AS postgresql, "
            "pg_size_pretty(pg_database_size(current_database())) AS size, "
            "(SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) - 1 "
            "AS other_connections"
        )
        found = connection.execute(facts).mappings().one()
        return {**found, "schema": describe_schema(connection)}


def _embedded_home() -> Path:
    from blood_hpo.settings import settings

    if settings().server_url() is not None:
        raise InputError(
            "DATABASE_URL is set, so there is no embedded server to start or stop; unset it first"
        )
    return settings().home


def _psql_program() -> str:
    import shutil

    from blood_hpo.server.programs import program

    try:
        return str(program("psql"))
    except DatabaseError:
        found = shutil.which("psql")
        if found is None:
            raise
        return found


def _psql_environment(address: str) -> dict[str, str]:
    import os

    from sqlalchemy import make_url

    password = make_url(address).password
    extra = {"PGPASSWORD": str(password)} if password else {}
    return {**os.environ, "PGAPPNAME": "blood-hpo psql", **extra}
