"""Settings from the environment, with secrets from files; printing them never shows a secret."""

import os
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from blood_hpo.errors import InputError
from blood_hpo.text import read_text

PREFIX = "BLOOD_HPO_"
DAY = 86_400.0  # the longest of all waits, in seconds
BEATS = 3  # heartbeats that fit into the grace time at least: one may come late, one may be lost
OTHERS = [f"{PREFIX}{name}" for name in ("LOG", "NAMES", "STUDY", "TAG", "USER")]
"""Variables that commands or the containers read, and that are no settings."""


class Settings(BaseSettings):
    """What a process needs to know about its surroundings.

    Attributes:
        home: Folder of the embedded server, checkpoints and logs (``BLOOD_HPO_HOME``).
        cache: Folder of downloaded and drawn data sets, shared by all homes (``BLOOD_HPO_CACHE``).
        data: An ``.npz`` file in the MedMNIST layout (``BLOOD_HPO_DATA``).
        database_url: A PostgreSQL URL (``DATABASE_URL``); without one the embedded server is used.
        database_url_file: A file whose only line is that URL (``DATABASE_URL_FILE``).
        heartbeat_seconds: Seconds between two heartbeats of a running trial.
        grace_seconds: Seconds without a heartbeat after which a running trial counts as dead.
        drain_seconds: Seconds for which a worker that was asked to stop goes on trying to tell an
            absent database so; give containers longer than this and an epoch to stop.
        checkpoint_seconds: Least time between two checkpoints of a running trial.
        max_attempts: How often one configuration is attempted before it fails for good, and again
            after each resumption.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True
    )

    home: Path = Path(".blood_hpo")
    cache: Path = Field(default_factory=lambda: Path(platformdirs.user_cache_dir("blood_hpo")))
    data: Path | None = None
    database_url: Annotated[SecretStr | None, Field(validation_alias="DATABASE_URL")] = None
    database_url_file: Annotated[Path | None, Field(validation_alias="DATABASE_URL_FILE")] = None
    heartbeat_seconds: Annotated[float, Field(gt=0, le=DAY)] = 5.0
    grace_seconds: Annotated[float, Field(gt=0, le=DAY)] = 30.0
    drain_seconds: Annotated[float, Field(ge=0, le=DAY)] = 20.0
    checkpoint_seconds: Annotated[float, Field(ge=0, le=DAY)] = 20.0
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 3

    def attempts_left(self, attempt: int) -> int:
        """How often a configuration may be tried again after its attempt of this number, from 1.

        Beyond the first ``max_attempts`` lead a resumption, and a plan that came back, which begin
        to count anew.
        """
        return -attempt % self.max_attempts

    def server_url(self) -> SecretStr | None:
        """The URL of the database server, None for the embedded one; or an InputError."""
        if self.database_url is not None and self.database_url.get_secret_value():
            return self.database_url
        if self.database_url_file is None:
            return None
        return read_url(self.database_url_file, "DATABASE_URL_FILE")


def read_url(path: Path, given_by: str) -> SecretStr:
    """The database URL that is the only line of a file, which something named; or an InputError."""
    try:
        url = read_text(path).strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(
            f"{given_by} {path} cannot be read ({reason}); "
            "point it at a file whose only line is a postgresql:// URL"
        ) from error
    if not url:
        raise InputError(f"{given_by} {path} is empty; write one postgresql:// URL into it")
    return SecretStr(url)


@cache
def settings() -> Settings:
    """The settings of this process, read once; a wrong or unknown variable is an InputError."""
    _refuse_unknown(os.environ)
    try:
        found = Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = _variable(str(first["loc"][0]))
        raise InputError(f"{name}: {first['msg']}; correct or unset it") from error
    if found.grace_seconds < BEATS * found.heartbeat_seconds:
        raise InputError(
            f"BLOOD_HPO_GRACE_SECONDS: {found.grace_seconds:g} s are fewer than {BEATS} heartbeats"
            f" of {found.heartbeat_seconds:g} s, so that healthy workers would count as dead; raise"
            " it, or lower BLOOD_HPO_HEARTBEAT_SECONDS"
        )
    return found


def _variable(name: str) -> str:
    return name if name.isupper() else f"{PREFIX}{name.upper()}"


def _refuse_unknown(environment: Iterable[str]) -> None:
    """Refuse variables that would be passed over, such as a misspelt one."""
    known = [*map(_variable, Settings.model_fields), *OTHERS]
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0)
            raise InputError(f"{name} is no setting; did you mean {near[0]}? unset it or rename it")
