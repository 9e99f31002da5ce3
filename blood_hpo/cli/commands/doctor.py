"""``blood-hpo doctor`` and ``health``: what a worker needs, and whether those of a machine live."""

import importlib.metadata
import shutil
from collections.abc import Callable

import typer

from blood_hpo.cli.commands.db import contents
from blood_hpo.cli.output import FormatOption, OutputFormat, print_facts, print_rows
from blood_hpo.cli.session import address, data_source, settings
from blood_hpo.cli.views.study_view import LOW_BYTES
from blood_hpo.database.statements import statement
from blood_hpo.errors import BloodHpoError, DatabaseError
from blood_hpo.server import embedded
from blood_hpo.server.programs import MAJOR, program
from blood_hpo.worker.machine import this_host


def doctor(output: FormatOption = OutputFormat.TABLE) -> None:
    """Check packages, database, data set and disk; exit code 1 if something is missing.

    TensorFlow is looked up but not imported.

    Example: blood-hpo doctor
    """
    checks = {"packages": _packages, "disk": _disk, "database": _database, "data set": _data}
    rows = [_checked(name, check) for name, check in checks.items()]
    if output is OutputFormat.TABLE:
        print_facts({name: f"{'ok' if ok else 'MISSING'}: {finding}" for name, ok, finding in rows})
    else:
        print_rows(("check", "ok", "finding"), rows, output)
    if not all(ok for _, ok, _ in rows):
        raise typer.Exit(1)


def _checked(name: str, check: Callable[[], str]) -> tuple[str, bool, str]:
    try:
        return name, True, check()
    except (BloodHpoError, importlib.metadata.PackageNotFoundError, OSError) as error:
        return name, False, str(error)


def _packages() -> str:
    provided = importlib.metadata.packages_distributions()  # TensorFlow's has several names
    modules = ("tensorflow", "keras", "optuna", "sqlalchemy", "sklearn", "medmnist")
    wanted = [provided.get(name, [name])[0] for name in modules]
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in wanted)


def _disk() -> str:
    home = settings().home.absolute()
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    found = f"{free / 1e9:.1f} GB free under {home}"
    if free < LOW_BYTES:
        raise OSError(f"{found}; make room for checkpoints and the database")
    return found


def _database() -> str:
    from blood_hpo.database.address import connected, masked
    from blood_hpo.database.schema_version import check_schema

    home = settings().home
    if settings().server_url() is None and not embedded.exists(home):
        program("postgres")
        return f"none yet in {home.absolute()}; a run makes one with PostgreSQL {MAJOR}"
    found = contents(address())
    with connected(address()) as engine:
        check_schema(engine)
    return f"PostgreSQL {found['postgresql']} at {masked(address())}, schema {found['schema']}"


def _data() -> str:
    source = data_source(None, download=False)
    return f"{source.label}, {source.path}"


def health() -> None:
    """Check that what this machine's workers train has a fresh heartbeat; else exit code 1.

    A worker lives through an outage of the database, so one is reported, but is not its fault.

    Example: blood-hpo health
    """
    import psutil

    from blood_hpo.database.address import connected

    url, here = address(), {"host": this_host()}
    try:
        with connected(url, "blood-hpo health") as engine, engine.connect() as connection:
            held = connection.execute(statement("held_here"), here).all()
    except DatabaseError as error:
        typer.echo(f"cannot tell: {error}")
        return
    # A container that was restarted has its old name: what its predecessor held is not its own.
    running = psutil.process_iter(["cmdline", "create_time"])
    born = [one.info["create_time"] for one in running if "worker" in (one.info["cmdline"] or ())]
    held = [one for one in held if one.started_at >= min(born, default=0)]
    for one in held:
        typer.echo(f"trial {one.number}: {one.worker} heard of {one.silent_seconds:.0f} s ago")
    if not held:
        typer.echo("no trial is held here")
    elif held[0].silent_seconds > settings().grace_seconds:
        raise BloodHpoError(
            f"{held[0].worker} was not heard of for {held[0].silent_seconds:.0f} s"
            f" (allowed: {settings().grace_seconds:g}); restart it, its trial is recovered"
        )
