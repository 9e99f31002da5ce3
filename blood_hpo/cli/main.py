"""The program: every command under one name, and the one place where errors become exit codes."""

import contextlib
import errno
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from blood_hpo.cli import logs, streams
from blood_hpo.cli.commands import db, manage, study, trial  # noqa: F401 - manage adds to study
from blood_hpo.cli.commands.data import app as data
from blood_hpo.cli.commands.doctor import doctor, health
from blood_hpo.cli.commands.predict import predict
from blood_hpo.cli.commands.query import query
from blood_hpo.cli.commands.report import dashboard, report
from blood_hpo.cli.commands.run import final, run
from blood_hpo.cli.commands.study import status
from blood_hpo.cli.commands.worker import worker
from blood_hpo.errors import BloodHpoError, DatabaseError, InputError
from blood_hpo.text import printable
from blood_hpo.version import __version__

app = typer.Typer(
    name="blood-hpo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: blood-hpo run studies/quickstart.toml",
)
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM, errno.EAGAIN, errno.EMFILE}
"""What the system says without naming a file: its disk, memory, processes or files are used up."""

_COMMANDS: list[Callable[..., None]] = [
    *(run, worker, final, report, predict, status, query, dashboard, doctor, health)
]
for _command in _COMMANDS:
    app.command()(_command)
for _name, _group in {"study": study.app, "trial": trial.app, "db": db.app, "data": data}.items():
    app.add_typer(_group, name=_name)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"blood-hpo {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[  # noqa: ARG001 - acted on by its callback
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Say nothing on stderr but warnings and errors.")
    ] = False,
) -> None:
    """Hyperparameter optimisation as a service for blood-cell image classifiers.

    Workers pull trials from one Optuna study in PostgreSQL. Without DATABASE_URL an embedded server
    is started in ./.blood_hpo.
    """
    logs.configure(logging.WARNING if quiet else logging.INFO)


def main() -> None:
    """Run the command line; whatever goes wrong becomes one line on stderr and an exit code."""
    streams.guard()
    _end_as_by_interrupt()
    try:
        logs.configure()
        _refuse_gone()
        code = app(prog_name="blood-hpo", standalone_mode=False)
        sys.stdout.flush()
    except BloodHpoError as error:
        code = _say(str(error), error.exit_code)
    except typer.Abort:
        code = _say("not confirmed, so nothing was done; --yes answers for you", 1)
    except TyperException as error:
        code = _say(_usage(error), error.exit_code)
    except UnicodeEncodeError:  # not shown: it may be an address with its password
        code = _say(
            "an argument or a variable such as BLOOD_HPO_HOME holds bytes that are no UTF-8", 2
        )
    except OSError as error:
        if error.filename is None and error.errno not in NO_ROOM:
            raise
        code = _say(_refused(error), 2)
    except Exception as error:
        said = _database_said(error)
        if said is None:
            raise
        code = _say(
            f"the database failed ({said}); see that it runs and try again", DatabaseError.exit_code
        )
    sys.exit(code)


def _end_as_by_interrupt() -> None:
    """Leave by the exit handlers when told to end, or the embedded server would stay."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def _refused(error: OSError) -> str:
    if error.filename is None:
        return f"the system refused ({error.strerror}); make room and try again"
    return f"{error.filename} cannot be used ({error.strerror}); name another"


def _refuse_gone() -> None:
    try:
        Path.cwd()
    except OSError as error:
        raise InputError(
            "the folder that you are in has been removed; change to another"
        ) from error


def _say(message: str, code: int) -> int:
    """Say it with the names that its reader knows, where our surroundings give others."""
    shown = printable(message)
    for line in os.environ.get("BLOOD_HPO_NAMES", "").splitlines():
        ours, _, theirs = line.partition("=")
        shown = shown.replace(ours, theirs)
    if shown:
        logs.complain("%s", shown)
    return code


def _usage(error: TyperException) -> str:
    """What is wrong with the options; nothing where the help was asked for by giving none."""
    said = error.format_message().removesuffix(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "blood-hpo"
    return said and f"{said}{'' if said.endswith('?') else ';'} see `{command} --help`"


def _database_said(error: Exception) -> str | None:
    """What the database said, if the error is one of its own that no module has put into words."""
    with contextlib.suppress(ImportError):  # a machine that writes reports needs no Optuna
        from blood_hpo.store.outage import ERRORS, first_line

        return first_line(error) if isinstance(error, ERRORS) else None
    return None
