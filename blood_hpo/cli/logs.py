"""What commands say beside their output: on standard error, for people or as lines of JSON."""

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Final

from blood_hpo.errors import InputError
from blood_hpo.text import printable

VARIABLE: Final = "BLOOD_HPO_LOG"
_NOISY: Final = ("alembic", "sqlalchemy", "h5py")
_SAID: Final = logging.getLogger("blood_hpo.cli")
"""What is said to whoever typed the command: in text without a time."""

say, warn, complain = _SAID.info, _SAID.warning, _SAID.error


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        if record.name != _SAID.name:
            record.msg, record.args = printable(record.getMessage()), ()
            return super().format(record)
        plain = record.levelno <= logging.INFO
        return f"{'' if plain else f'{record.levelname.lower()}: '}{record.getMessage()}"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        found = {"time": at, "level": record.levelname.lower(), "logger": record.name}
        found["message"] = record.getMessage()
        if record.exc_info:
            found["exception"] = self.formatException(record.exc_info)
        return json.dumps(found, ensure_ascii=False)


class _StandardError(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{self.format(record)}\n")


_HANDLER: Final = _StandardError()


def configure(level: int = logging.INFO) -> None:
    """Write messages from this level on to stderr; a wrong BLOOD_HPO_LOG is an InputError."""
    kind = os.environ.get(VARIABLE) or "text"
    _HANDLER.setFormatter(
        _Json() if kind == "json" else _Text("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")
    )
    root = logging.getLogger()
    root.setLevel(level)
    if _HANDLER not in root.handlers:
        root.addHandler(_HANDLER)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # Its warnings about an outage are pages of SQL; the service says the same in a line.
    logging.getLogger("optuna").setLevel(logging.ERROR)
    if kind not in ("text", "json"):
        raise InputError(f"{VARIABLE} is {kind!r}; set it to text or json, or unset it")


def for_people() -> bool:
    """Whether progress may be drawn: it is asked for, and not as JSON."""
    return _SAID.isEnabledFor(logging.INFO) and isinstance(_HANDLER.formatter, _Text)
