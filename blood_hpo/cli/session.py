"""What commands share: the database, its schema, and studies opened by name."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blood_hpo.errors import InputError
from blood_hpo.text import unprintable

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from blood_hpo.store.storage import StudyStorage


def study_name(name_or_file: str | None) -> str | None:
    """The name of a study that was given by name or by file.

    Raises:
        InputError: It can be no name.
    """
    if name_or_file is not None and unprintable(name_or_file):
        raise InputError(f"{name_or_file} is no name of a study; see `blood-hpo study list`")
    if name_or_file is None or not name_or_file.endswith(".toml"):
        return name_or_file
    from blood_hpo.studyfile.load import load

    return load(Path(name_or_file)).name


_STUDY = typer.Argument(
    help="Name of the study, or its file.",
    envvar="BLOOD_HPO_STUDY",
    show_envvar=True,
    callback=study_name,
)
StudyArgument = Annotated[str, _STUDY]
AnyStudyArgument = Annotated[str | None, _STUDY]
NameOption = Annotated[
    str | None, typer.Option("--name", help="Call the study this instead of the file's name.")
]
BudgetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--budget", metavar="FAMILY=N", help="Override a family's budget of trials; repeatable."
    ),
]
AroundOption = Annotated[
    str | None,
    typer.Option(
        "--around",
        metavar="STUDY",
        help="Take the fixed part of every family from its best configuration in this study.",
    ),
]
FinalOption = Annotated[
    bool | None,
    typer.Option(
        "--final/--no-final",
        help="Go on with the final stage after the search, or not; default as the file says.",
        show_default=False,
    ),
]
DataOption = Annotated[
    str | None,
    typer.Option("--data", help="The data set, an .npz file.", metavar="PATH"),
]


def storage(application_name: str = "blood-hpo") -> "StudyStorage":
    """Optuna's storage in a database whose schema is this program's.

    Raises:
        DatabaseError: The database cannot be reached, or its schema is another version's.
    """
    from blood_hpo.database.address import database_url
    from blood_hpo.database.failures import database_errors
    from blood_hpo.settings import settings

    url = database_url(settings())
    with engine():
        pass  # which checks the schema
    from blood_hpo.store.storage import StudyStorage

    with database_errors(url):
        return StudyStorage(url, application_name)


@contextmanager
def engine(application_name: str = "blood-hpo") -> Iterator["Engine"]:
    """A connection pool for queries; its errors are one line each.

    Raises:
        DatabaseError: The database cannot be reached, or its schema is another version's.
    """
    from blood_hpo.database.address import database_url
    from blood_hpo.database.address import engine as connect
    from blood_hpo.database.failures import database_errors
    from blood_hpo.database.migrate import check_schema
    from blood_hpo.settings import settings

    url = database_url(settings())
    found = connect(url, application_name)
    try:
        with database_errors(url):
            check_schema(found)
            yield found
    finally:
        found.dispose()


def study_data(connected: "Engine", study: str) -> Mapping[str, Any]:
    """The data set that a study was created with.

    Raises:
        StudyError: There is no such study.
    """
    from blood_hpo.database.query import run_query
    from blood_hpo.errors import StudyError

    found = run_query(connected, "study", study=study)
    if not found.rows:
        raise StudyError(
            f"there is no study {study!r}; `blood-hpo study list` shows those that exist"
        )
    return dict(zip(found.columns, found.rows[0], strict=True))


def asks_for_final(connected: "Engine", study: str) -> bool:
    """Whether the file of a study has a table ``[final]``."""
    found = study_data(connected, study)
    return found["stage"] == "search" and dict(found["spec"]).get("final") is not None
