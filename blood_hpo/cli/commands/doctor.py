"""``blood-hpo doctor``: whether this machine has what a worker needs."""

import importlib.metadata
import shutil
from collections.abc import Callable

import typer

from blood_hpo.cli.output import FormatOption, OutputFormat, print_facts, print_rows
from blood_hpo.cli.session import data_source
from blood_hpo.errors import BloodHpoError

GIGABYTE = 1e9
LEAST_FREE_GIGABYTES = 1.0


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
    from blood_hpo.settings import settings

    home = settings().home.absolute()
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free / GIGABYTE
    if free < LEAST_FREE_GIGABYTES:
        raise OSError(
            f"{free:.1f} GB free under {home}; make room for checkpoints and the database"
        )
    return f"{free:.0f} GB free under {home}"


def _database() -> str:
    from sqlalchemy import text

    from blood_hpo.database.address import database_url, engine, masked
    from blood_hpo.database.failures import database_errors
    from blood_hpo.server import embedded
    from blood_hpo.server.programs import MAJOR, program
    from blood_hpo.settings import settings

    home = settings().home
    if settings().server_url() is None and not embedded.exists(home):
        program("postgres")
        return f"none yet in {home.absolute()}; a run makes one with PostgreSQL {MAJOR}"
    url = database_url(settings())
    with database_errors(url), engine(url).connect() as connection:
        version = connection.execute(text("show server_version")).scalar_one()
    return f"PostgreSQL {version} at {masked(url)}"


def _data() -> str:
    source = data_source(None, download=False)
    return f"{source.label}, {source.path}"
