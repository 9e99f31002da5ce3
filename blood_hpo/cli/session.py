"""What commands share: options, settings, the database and its schema, studies by name."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blood_hpo.database.query import run_query, unknown_study
from blood_hpo.errors import InputError, StudyError
from blood_hpo.stages import SEARCH
from blood_hpo.text import unprintable

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from blood_hpo.data.source import DataSource
    from blood_hpo.settings import Settings
    from blood_hpo.store.storage import StudyStorage

Row = Mapping[str, Any]
"""A row of an answer by column."""


def study_name(name_or_file: str | None) -> str | None:
    """The name of a study that was given by name or by file; an InputError where it can be none."""
    if unprintable(name_or_file or ""):
        raise InputError(f"{name_or_file} is no name of a study; see `blood-hpo study list`")
    if name_or_file is None or not name_or_file.endswith(".toml"):
        return name_or_file
    from blood_hpo.studyfile.load import load

    return load(Path(name_or_file)).name


_STUDY: dict[str, Any] = {"envvar": "BLOOD_HPO_STUDY", "callback": study_name}
_ONLY = "Name of the study, or its file; not needed where there is one alone."
_NAME = typer.Argument(help="Name of the study, or its file.", **_STUDY)
StudyArgument = Annotated[str, _NAME]
AnyStudyArgument = Annotated[str | None, _NAME]
OnlyStudyArgument = Annotated[str | None, typer.Argument(help=_ONLY, **_STUDY)]
OnlyStudyOption = Annotated[str | None, typer.Option("--study", "-s", help=_ONLY, **_STUDY)]
NameOption = Annotated[
    str | None, typer.Option("--name", help="Call the study this instead of the file's name.")
]
SeedOption = Annotated[
    int | None,
    typer.Option(min=0, max=2**32 - 1, help="Override the seed; with --name a search of its own."),
]
BudgetOption = Annotated[
    list[str] | None,
    typer.Option("--budget", metavar="FAMILY=N", help="Override a budget of trials; repeatable."),
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
WorkersOption = Annotated[
    int | None, typer.Option("--workers", "-w", min=1, help="Processes; default: one per core.")
]
TopOption = Annotated[int, typer.Option(help="Rows per family of the leaderboard.", min=1)]
DataOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="PATH",
        help="An npz file in the MedMNIST layout; without it BLOOD_HPO_DATA, then the cache.",
    ),
]


def settings() -> "Settings":
    """The settings of this process, loaded when they are first asked for: help needs none."""
    from blood_hpo import settings as module

    return module.settings()


def address(*, create: bool = False) -> str:
    """The address of the database: see `database_url`."""
    from blood_hpo.database.address import database_url

    return database_url(settings(), create=create)


def data_source(
    data: str | None, *, synthetic: bool = False, download: bool = True
) -> "DataSource":
    """The data set of ``--data``, or else of the usual places; where there is none, a DataError."""
    from blood_hpo.data.bloodmnist import find

    path = Path(data) if data else None
    return find(path, settings=settings(), synthetic=synthetic, download=download)


@contextmanager
def engine(application_name: str = "blood-hpo") -> Iterator["Engine"]:
    """A connection pool for queries; what fails, or has another schema, is a DatabaseError."""
    from blood_hpo.database.address import connected
    from blood_hpo.database.schema_version import check_schema

    with connected(address(), application_name) as found:
        check_schema(found)
        yield found


def storage(application_name: str = "blood-hpo") -> "StudyStorage":
    """Optuna's storage in a database whose schema is this program's; errors as of `engine`."""
    with engine() as checked:  # before Optuna is loaded, which takes its time
        from blood_hpo.store.storage import StudyStorage

        return StudyStorage(checked.url.render_as_string(hide_password=False), application_name)


def ask(connected: "Engine", query: str, **parameters: object) -> Sequence[Row]:
    """The rows of a named query."""
    return run_query(connected, query, **parameters).records()


def study_data(connected: "Engine", study: str) -> Row:
    """What a study searches and how, its data set among it; a StudyError where there is none."""
    found = ask(connected, "described", study=study)
    if not found:
        raise unknown_study(connected, study)
    return found[0]


def named_or_only(connected: "Engine", study: str | None) -> str:
    """The study that was named, or the only search that there is.

    Raises:
        StudyError: There is no study of that name, or no study at all.
        InputError: There are several to choose from.
    """
    if study is not None:
        return str(study_data(connected, study)["study"])
    searches = [row["study"] for row in ask(connected, "studies") if row["stage"] == SEARCH]
    if not searches:
        raise StudyError("there is no study yet; run one with `blood-hpo run FILE`")
    if len(searches) > 1:
        raise InputError(f"there are several studies: name one of {', '.join(searches)}")
    return str(searches[0])
