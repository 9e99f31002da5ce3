"""Shared studies: opened by name, paused, resumed, finished."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row

from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.database.statements import statement
from blood_hpo.errors import StudyError
from blood_hpo.stages import SEARCH
from blood_hpo.store.storage import StudyStorage
from blood_hpo.studyfile.fingerprint import fingerprint
from blood_hpo.studyfile.messages import stored_error
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.version import __version__


@dataclass(frozen=True)
class SharedStudy:
    """A study in the database, as a worker holds it.

    Attributes:
        study_id: Optuna's key of it.
        spec: The study file.
        fingerprint: What two studies must share for their scores to be comparable.
        data: Identity of the data set.
        program_version: Of the program that created it.
        read_at: When it was read, by the clock of the server.
    """

    name: str
    study_id: int
    spec: StudySpec
    fingerprint: str
    data: Mapping[str, Any]
    program_version: str
    read_at: datetime
    storage: StudyStorage

    def standing(self, connection: Connection) -> Sequence[Row[Any]]:
        """How it stands by family: paused, family, budget, closed, held, open; or a StudyError."""
        found = connection.execute(statement("standing"), {"study_id": self.study_id}).all()
        if not found:
            raise StudyError(f"study {self.name!r} has been deleted")
        return found

    def refuse_other_program(self) -> None:
        """Raise a `StudyError` where a program of another version created the study."""
        if self.program_version != __version__:
            raise StudyError(
                f"study {self.name!r} was created by blood_hpo {self.program_version} and this is"
                f" {__version__}, whose trials may score differently; use that version, or create"
                " another study with --name"
            )

    def refuse_other_data(self, source: DataSource) -> None:
        """Raise a `StudyError` where the study was created with another data set."""
        if source.sha256 != self.data["sha256"]:
            raise StudyError(
                f"study {self.name!r} was created with {self.data['label']} (SHA-256"
                f" {str(self.data['sha256'])[:12]}…), but {source.path} is {source.label} (SHA-256"
                f" {source.sha256[:12]}…); give the same file with --data or BLOOD_HPO_DATA, or"
                f" create another study with --name"
            )


def open_study(storage: StudyStorage, name: str) -> SharedStudy:
    """Open a study by name; a StudyError unless it is there and this program can read its file."""
    rows = storage.ask("study_record", name=name)
    if not rows:
        storage.study_id(name)  # says so
    (found,) = rows
    if found.stage is None or found.spec["name"] != name:  # which is a folder's name too
        raise StudyError(
            f"study {name!r} holds no study file: it was created by another program; create one"
            " with `blood-hpo study create FILE`"
        )
    if found.stage != SEARCH:
        raise StudyError(
            f"study {name!r} is a stage of {found.search!r}: name that one, or watch this one with"
            f" `blood-hpo status {name}`"
        )
    return SharedStudy(
        name=name,
        study_id=found.study_id,
        spec=_stored_spec(name, found),
        fingerprint=found.fingerprint,
        data=found.data,
        program_version=found.program_version,
        read_at=found.read_at,
        storage=storage,
    )


def _stored_spec(name: str, found: Row[Any]) -> StudySpec:
    try:
        spec = StudySpec.model_validate(found.spec)
    except ValidationError as error:
        raise stored_error(name, found.program_version, error) from error
    if fingerprint(spec) != found.fingerprint:
        raise StudyError(
            f"study {name!r} was created by blood_hpo {found.program_version}, whose trials"
            f" cannot be compared with those of {__version__}; use that version"
        )
    return spec


def pause(
    storage: StudyStorage, study_id: int, reason: str | None, *, overrule: bool = True
) -> None:
    """Let running trials finish and start no more; a person may overrule another reason, or all."""
    storage.tell("pause", study_id=study_id, reason=reason, overrule=overrule)


def resume(storage: StudyStorage, study_id: int) -> None:
    """Let workers claim again; failures up to now are forgiven."""
    storage.tell("resume", study_id=study_id)
    storage.tell("reopen", study_id=study_id)


def finish(study: SharedStudy) -> None:
    """Note that nothing of a search and its stages is left to do, as it was read."""
    spec = json.dumps(study.spec.model_dump(mode="json"))
    study.storage.tell("finish", study_id=study.study_id, spec=spec, read_at=study.read_at)


def delete_study(storage: StudyStorage, name: str) -> None:
    """Delete a study with all its trials; a StudyError where it is missing, or in use."""
    study_id = storage.study_id(name)
    storage.delete_study(study_id)
    with suppress(KeyError):  # Optuna gives way, without a word, to what a worker adds to it
        storage.get_study_name_from_id(study_id)
        raise StudyError(f"study {name} is in use: `blood-hpo study stop` it first, then delete")


def trials_of(storage: StudyStorage, name: str) -> dict[str, int]:
    """How many trials a study and the stages that follow it have, by name, the search first.

    Raises:
        StudyError: There is no such study.
    """
    study_id = storage.study_id(name)
    stages = {row.name: int(row.trials) for row in storage.ask("stages_of", name=name)}
    return stages or {name: storage.get_n_trials(study_id)}


def winning_configuration(storage: StudyStorage, study: str, family: str) -> dict[str, Any]:
    """The whole configuration of the confirmed winner, or of the search's best while there is none.

    Raises:
        StudyError: There is no such study, or no complete trial of the family in it.
    """
    storage.study_id(study)
    found = {row.family: row.config for row in storage.ask("best", study=study)}
    if family not in found:
        raise StudyError(
            f"study {study!r} has no complete {family} trial to take a configuration from;"
            f" run it first, or choose another with --around"
        )
    return dict(found[family])
