"""Whether the workers of this machine are alive: is the heartbeat of what they train fresh.

Asked every half minute in every container, so it loads neither Optuna nor TensorFlow. A worker
that holds no trial, because it starts or waits, has no heartbeat and counts as alive.
"""

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from blood_hpo.database.failures import database_errors
from blood_hpo.database.statements import statement
from blood_hpo.text import printable

if TYPE_CHECKING:
    from sqlalchemy import Engine


@dataclass(frozen=True)
class Held:
    """A running trial, the worker that holds it, and the seconds since that was heard of."""

    number: int
    worker: str
    silent_seconds: float


def this_host() -> str:
    """The name of this machine, as it stands in the names of its workers."""
    return printable(socket.gethostname())


def held_here(engine: "Engine") -> list[Held]:
    """The running trials that workers of this machine hold, the longest silent first.

    Raises:
        DatabaseError: The database cannot be reached.
    """
    parameters = {"host": this_host()}
    with database_errors(engine.url), engine.connect() as connection:
        rows = connection.execute(statement("held_here"), parameters)
        return [Held(*row) for row in rows]
