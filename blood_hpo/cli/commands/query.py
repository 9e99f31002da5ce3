"""``blood-hpo query``: named questions, and SQL of one's own with the rights of a reader."""

import io
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated

import typer

from blood_hpo.cli.logs import say
from blood_hpo.cli.output import OutputFormat, print_rows, to_json
from blood_hpo.cli.session import OnlyStudyOption, engine, named_or_only, settings
from blood_hpo.database.query import Result, run_query
from blood_hpo.database.statements import Query, load_query, names
from blood_hpo.errors import InputError

DEFAULTS: Mapping[str, object] = {"top": 10}  # values of parameters that need not be given
WHOLE_NUMBERS = frozenset({"number", "top"})  # parameters that are not text
QueryFormat = StrEnum("QueryFormat", ["TABLE", "CSV", "JSON", "PARQUET"])


def query(
    name: Annotated[
        str | None, typer.Argument(help="Name of the question; without one all are listed.")
    ] = None,
    study: OnlyStudyOption = None,
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
) -> None:
    """Ask the database a question by name, or in SQL.

    Without arguments the questions are listed with their parameters. docs/sql-reference.md has
    the views that SQL of your own can read.

    Example: blood-hpo query leaderboard --study quickstart

    Example: blood-hpo query curves --study quickstart --set number=7 --format csv

    Example: blood-hpo query --sql "select family, max(score) from trials group by family"
    """
    if name is not None and sql is not None:
        raise InputError(f"give a question or --sql, and not both {name!r} and --sql")
    if output is QueryFormat.PARQUET and sys.stdout.isatty():
        raise InputError("Parquet is not text; send it to a file, as in > answer.parquet")
    title, found = _answer(name, study, values or [], sql)
    if output is QueryFormat.PARQUET:
        _write_parquet(found)
    else:
        print_rows(found.columns, found.rows, OutputFormat(output), title=title)


def _answer(
    name: str | None, study: str | None, values: Sequence[str], sql: str | None
) -> tuple[str, Result]:
    """A title and an answer."""
    if name is None and values:
        raise InputError("--set gives parameters to a question; name one")
    if sql is not None:
        from blood_hpo.database.analyst import analyst_url, ask

        with engine():
            pass  # which checks the schema
        return "", ask(analyst_url(settings()), sql).plain()
    if name is None:
        return "", _listing()
    asked = load_query(name)
    parameters = _parameters(asked, values)
    with engine() as connected:
        if "study" in asked.parameters:
            parameters["study"] = named_or_only(connected, study)
        found = run_query(connected, name, **parameters)
    if not found.rows:
        say("%s: no rows", name)
    return asked.title, found.plain()


def _listing() -> Result:
    rows: list[tuple[object, ...]] = [
        (one.name, one.title, " ".join(_spelling(key) for key in one.parameters if key != "study"))
        for one in map(load_query, names())
    ]
    return Result(("name", "question", "parameters"), rows)


def _spelling(parameter: str) -> str:
    """How a parameter is given; in brackets where it need not be."""
    kind = "N" if parameter in WHOLE_NUMBERS else "TEXT"
    given = "--study STUDY" if parameter == "study" else f"--set {parameter}={kind}"
    return f"[{given}]" if parameter in {"study", *DEFAULTS} else given


def _parameters(asked: Query, values: Sequence[str]) -> dict[str, object]:
    """The parameters of a question from the command line, but for the study."""
    given = {key: DEFAULTS[key] for key in asked.parameters if key in DEFAULTS}
    given |= dict(_setting(asked, text) for text in values)
    missing = [_spelling(key) for key in asked.parameters if key not in {*given, "study"}]
    if missing:
        raise InputError(f"query {asked.name!r} needs {' '.join(missing)}")
    return given


def _setting(asked: Query, text: str) -> tuple[str, object]:
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


def _write_parquet(found: Result) -> None:
    """Write an answer as Parquet to standard output; lists and objects become JSON text."""
    try:
        from pyarrow import Table, array, parquet
    except ImportError as error:
        raise InputError(
            "Parquet is written by pyarrow, which is not installed here; take --format csv, or ask"
            " from where the whole lock is installed"
        ) from error

    plain = [
        [to_json(one) if isinstance(one, dict | list) else one for one in row] for row in found.rows
    ]
    columns = zip(*plain, strict=True) if plain else [[] for _ in found.columns]
    content = io.BytesIO()
    try:
        table = Table.from_arrays(list(map(array, columns)), found.columns)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"Parquet cannot hold this ({error}); cast it, or take csv") from error
    parquet.write_table(table, content)
    sys.stdout.buffer.write(content.getvalue())
