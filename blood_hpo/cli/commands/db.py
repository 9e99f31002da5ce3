"""``blood-hpo db``: the database server, its address, its schema, and psql."""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from blood_hpo.cli.output import FormatOption, OutputFormat, print_rows
from blood_hpo.cli.session import address, settings
from blood_hpo.database.statements import statement
from blood_hpo.errors import DatabaseError, InputError
from blood_hpo.server import embedded
from blood_hpo.server.programs import program

app = typer.Typer(no_args_is_help=True, help="Start, look at and prepare the database.")


@app.command()
def start() -> None:
    """Start the embedded server and keep it running until "blood-hpo db stop".

    Commands start it by themselves and the last one stops it; this is for a server that should
    stay, for a dashboard or a notebook.

    Example: blood-hpo db start
    """
    home = _embedded_home()
    embedded.pin(home)
    typer.echo(f"PostgreSQL runs in {home / 'postgres'}; stop it with: blood-hpo db stop")


@app.command()
def stop() -> None:
    """Stop the embedded server, also if something is using it.

    Running workers keep their trials and wait; they go on after "blood-hpo db start".

    Example: blood-hpo db stop
    """
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
    from blood_hpo.database.address import libpq_uri, masked

    found = address()
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
    from sqlalchemy import make_url

    from blood_hpo.database.address import libpq_uri

    try:
        own = str(program("psql"))
    except DatabaseError:
        own = shutil.which("psql") or ""
        if not own:
            raise
    found = address()
    command = [own, *context.args, libpq_uri(found)]
    password = make_url(found).password
    extra = {"PGPASSWORD": str(password)} if password else {}
    environment = {**os.environ, "PGAPPNAME": "blood-hpo psql", **extra}
    # Ctrl-C is psql's: it cancels a query. A handler, unlike "ignore", is not passed on to psql.
    signal.signal(signal.SIGINT, lambda *_: None)
    raise typer.Exit(subprocess.run(command, check=False, env=environment).returncode)  # noqa: S603


@app.command()
def migrate() -> None:
    """Create or update tables, views and roles; done again, it restores what was changed by hand.

    Example: blood-hpo db migrate
    """
    from blood_hpo.database import migrate as schema

    for line in schema.migrate(address(create=True)) or ["nothing to do"]:
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
    from blood_hpo.database.logins import allow_logins
    from blood_hpo.settings import read_url

    addresses = [read_url(file, "file").get_secret_value() for file in files]
    for role in allow_logins(address(), addresses):
        typer.echo(f"role {role} may log in")


@app.command()
def status(output: FormatOption = OutputFormat.TABLE) -> None:
    """Show where the database is and what is in it; an embedded server is not started for this.

    Example: blood-hpo db status --format json
    """
    from blood_hpo.database.address import masked

    home, found = settings().home, dict[str, object]()
    if settings().server_url() is None:
        embedded.require(home)
        found["server"] = f"embedded in {home / 'postgres'}"
        found |= {"pinned": embedded.is_pinned(home), "running": embedded.is_running(home)}
    else:
        found["server"] = "DATABASE_URL"
    if found.get("running", True):
        found |= {"url": masked(address()), **contents(address())}
    print_rows(tuple(found), [tuple(found.values())], output)


def contents(address: str) -> dict[str, object]:
    """What a server is and what its database holds."""
    from blood_hpo.database.address import connected
    from blood_hpo.database.schema_version import describe_schema

    with connected(address) as engine, engine.connect() as connection:
        found = connection.execute(statement("contents")).mappings().one()
        return {**found, "schema": describe_schema(connection)}


def _embedded_home() -> Path:
    if settings().server_url() is not None:
        raise InputError(
            "DATABASE_URL is set, so there is no embedded server to start or stop; unset it first"
        )
    return settings().home
