"""``blood-hpo query``: named questions, and SQL of one's own with the rights of a reader."""

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blood_hpo.cli.output import OutputFormat, print_rows
from blood_hpo.cli.session import study_name
from blood_hpo.errors import InputError

if TYPE_CHECKING:
    from blood_hpo.database.query import Query, Result

DEFAULTS: Mapping[str, Any] = {"top": 10}
"""Values of parameters that need not be given."""
WHOLE_NUMBERS = frozenset({"number", "top"})
"""Parameters that are not text."""


class QueryFormat(StrEnum):
    """What ``--format`` takes here."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def query(  # noqa: PLR0913, PLR0917 - one argument an option
    name: Annotated[
        str | None,
        typer.Argument(help="Name of the question; without one all are listed."),
    ] = None,
    study: Annotated[
        str | None,
        typer.Option(
            "--study",
            "-s",
            help="Name of the study, or its file.",
            envvar="BLOOD_HPO_STUDY",
            show_envvar=True,
            callback=study_name,
        ),
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="A further parameter of the question; repeatable.", metavar="NAME=VALUE"
        ),
    ] = None,
    sql: Annotated[
        str | None,
        typer.Option(
            "--sql", help="A statement of your own: read-only and for at most 30 seconds."
        ),
    ] = None,
    output: Annotated[
        QueryFormat,
        typer.Option("--format", help="A table to read, or CSV, JSON or Parquet for a program."),
    ] = QueryFormat.TABLE,
    file: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write to this file instead of the terminal."),
    ] = None,
) -> None:
    """Ask the database a question by name, or in SQL.

    Without arguments the questions are listed with their parameters. docs/sql-reference.md says
    what each answers, and which views SQL of your own can read.

    Example: blood-hpo query leaderboard --study quickstart

    Example: blood-hpo query curves --study quickstart --set number=7 --format csv

    Example: blood-hpo query --sql "select family, max(score) from trials group by family"
    """
    if output is QueryFormat.PARQUET and file is None:
        raise InputError("Parquet is not text; name a file with --output")
    if name is not None and sql is not None:
        raise InputError(f"give a question or --sql, and not both {name!r} and --sql")
    title, found = _answer(name, study, values or [], sql)
    if output is QueryFormat.PARQUET and file is not None:
        _write_parquet(file, found)
        return
    with _destination(file):
        print_rows(found.columns, found.rows, OutputFormat(output), title=title)


def _answer(
    name: str | None, study: str | None, values: Sequence[str], sql: str | None
) -> "tuple[str, Result]":
    """A title and an answer."""
    if sql is not None:
        if values:
            raise InputError("--set gives parameters to a question by name; --sql has none")
        return "", _ask(sql)
    if name is None:
        return "", _listing()
    from blood_hpo.cli.session import engine, study_data
    from blood_hpo.database.query import load_query, run_query

    asked = load_query(name)
    parameters = _parameters(asked, study, values)
    with engine() as connected:
        if "study" in parameters:
            study_data(connected, str(parameters["study"]))
        found = run_query(connected, name, **parameters)
    if not found.rows:
        sys.stderr.write(f"{name}: no rows\n")
    return asked.title, found.plain()


def _listing() -> "Result":
    from blood_hpo.database.query import Result, load_query, names

    known = [load_query(name) for name in names()]
    rows: list[tuple[object, ...]] = [
        (one.name, one.title, " ".join(map(_spelling, one.parameters))) for one in known
    ]
    return Result(("name", "question", "parameters"), rows)


def _spelling(parameter: str) -> str:
    """How a parameter is given; in brackets where it need not be."""
    given = "--study STUDY" if parameter == "study" else f"--set {parameter}={_kind(parameter)}"
    return f"[{given}]" if parameter in DEFAULTS else given


def _kind(parameter: str) -> str:
    return "N" if parameter in WHOLE_NUMBERS else "TEXT"


def _parameters(asked: "Query", study: str | None, values: Sequence[str]) -> dict[str, object]:
    """The parameters of a question from the command line.

    Raises:
        InputError: One is missing, unknown or of the wrong kind.
    """
    given: dict[str, object] = dict(_setting(asked, text) for text in values)
    if "study" in asked.parameters and study is not None:
        given.setdefault("study", study)
    given = {**{key: DEFAULTS[key] for key in asked.parameters if key in DEFAULTS}, **given}
    missing = [key for key in asked.parameters if key not in given]
    if "study" in missing:
        raise InputError(
            f"query {asked.name!r} asks about one study; name it with --study, one of those that"
            " `blood-hpo study list` shows"
        )
    if missing:
        needed = " ".join(_spelling(key) for key in missing)
        raise InputError(f"query {asked.name!r} needs {needed}")
    return given


def _setting(asked: "Query", text: str) -> tuple[str, object]:
    key, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--set {text}: give a parameter and its value, as in --set top=5")
    if key not in asked.parameters:
        known = " ".join(map(_spelling, asked.parameters)) or "no parameters"
        raise InputError(f"--set {text}: query {asked.name!r} takes {known}")
    if key not in WHOLE_NUMBERS:
        return key, value
    if not (value.isascii() and value.isdigit() and int(value) < 2**31):
        raise InputError(f"--set {text}: {key} is a whole number from 0")
    return key, int(value)


def _ask(sql: str) -> "Result":
    from blood_hpo.cli.session import engine
    from blood_hpo.database.analyst import analyst_url, ask
    from blood_hpo.settings import settings

    with engine():
        pass  # which checks the schema
    return ask(analyst_url(settings()), sql).plain()


@contextlib.contextmanager
def _destination(file: Path | None) -> Iterator[None]:
    """Standard output, or a file in its place.

    Raises:
        InputError: The file cannot be written.
    """
    if file is None:
        yield
        return
    try:
        with (
            file.open("w", encoding="utf-8", newline="") as opened,
            contextlib.redirect_stdout(opened),
        ):
            yield
    except OSError as error:
        raise _cannot_write(file, error) from error


def _cannot_write(file: Path, error: OSError) -> InputError:
    return InputError(f"{file} cannot be written ({error.strerror}); name another with --output")


def _write_parquet(file: Path, found: "Result") -> None:
    """Write an answer as a Parquet file; lists and objects become JSON text.

    Raises:
        InputError: The file cannot be written, or nothing here writes Parquet.
    """
    try:
        from pyarrow import Table, parquet
    except ImportError as error:
        raise InputError(
            "Parquet is written by pyarrow, which is not installed here; take --format csv, or ask"
            " from where the whole lock is installed"
        ) from error

    from blood_hpo.cli.output import to_json

    rows = [
        [to_json(one) if isinstance(one, dict | list) else one for one in row] for row in found.rows
    ]
    columns = {name: [row[place] for row in rows] for place, name in enumerate(found.columns)}
    try:
        parquet.write_table(Table.from_pydict(columns), file)
    except OSError as error:
        raise _cannot_write(file, error) from error
