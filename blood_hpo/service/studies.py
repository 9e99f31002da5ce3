"""Shared studies: created with everything that workers need, opened by name, paused, deleted.

The study file, its fingerprint and the identity of the data set are stored with the study, so that
a worker needs a name and a database, and so that nobody adds trials that cannot be compared.
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import optuna
from optuna.storages import BaseStorage
from pydantic import ValidationError

from blood_hpo import __version__
from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.errors import StudyError
from blood_hpo.service.notes import refresh_note
from blood_hpo.service.storage import StudyStorage
from blood_hpo.studyfile.fingerprint import budget_changes, differences, fingerprint
from blood_hpo.studyfile.schema import StudySpec

SPEC, FINGERPRINT, DATA, PAUSED, RESUMED, VERSION, STAGE_OF = (
    "spec",
    "fingerprint",
    "data",
    "paused",
    "resumed",
    "program_version",
    "stage_of",
)


FORGIVEN = "forgiven"
"""Number of the first trial whose failure still counts."""

CLOSED = "closed"
"""Families that have budget left and nothing left to try."""


@dataclass(frozen=True)
class SharedStudy:
    """A study in the database, as a worker holds it.

    Attributes:
        storage: For transactions of our own.
        cached: The same storage behind Optuna's cache of finished trials, for reading trials.
    """

    name: str
    study_id: int
    spec: StudySpec
    fingerprint: str
    data: Mapping[str, object]
    program_version: str
    storage: StudyStorage
    cached: BaseStorage

    def paused(self) -> str | None:
        """Why the study is paused, or None.

        Raises:
            StudyError: The study has been deleted.
        """
        note = self._attributes().get(PAUSED)
        return None if note is None else str(note["reason"])

    def budgets(self) -> dict[str, int]:
        """The budget of each family as it is now; the rest of the study file never changes.

        Raises:
            StudyError: The study has been deleted.
        """
        families = self._attributes()[SPEC]["families"]
        return {name: int(families[name]["budget"]) for name in self.spec.families}

    def _attributes(self) -> dict[str, Any]:
        try:
            return self.storage.get_study_user_attrs(self.study_id)
        except KeyError:
            raise StudyError(f"study {self.name!r} has been deleted") from None

    def refuse_other_program(self) -> None:
        """Compare this program with the one that the study was created with.

        Raises:
            StudyError: It has another version, so trials could not be compared.
        """
        if self.program_version != __version__:
            raise StudyError(
                f"study {self.name!r} was created by blood_hpo {self.program_version} and this is"
                f" {__version__}, whose trials may score differently; use that version, or create"
                " another study with --name"
            )

    def refuse_other_data(self, source: DataSource) -> None:
        """Compare a data set with the one that the study was created with.

        Raises:
            StudyError: It is another file, so scores could not be compared.
        """
        if source.sha256 != self.data["sha256"]:
            raise StudyError(
                f"study {self.name!r} was created with {self.data['label']} (SHA-256"
                f" {str(self.data['sha256'])[:12]}…), but {source.path} is {source.label} (SHA-256"
                f" {source.sha256[:12]}…); give the same file with --data or BLOOD_HPO_DATA, or"
                f" create another study with --name"
            )


def create_study(storage: StudyStorage, spec: StudySpec, source: DataSource) -> SharedStudy:
    """Create a study, or open the one of that name if it was created from the same file.

    Budgets and the final stage may differ from the stored ones: the new ones are stored.

    Raises:
        StudyError: A study of that name exists and differs in anything else, or in its data set.
    """
    attributes = {
        SPEC: spec.model_dump(mode="json"),
        FINGERPRINT: fingerprint(spec),
        DATA: source.describe(),
        PAUSED: None,
        VERSION: __version__,
    }
    if storage.create_study(spec.name, attributes, metric=spec.objective):
        study = open_study(storage, spec.name)
        refresh_note(storage, study.study_id, least_seconds=0)
        return study
    study = open_study(storage, spec.name)
    changed = differences(study.spec, spec)
    if changed:
        raise StudyError(
            f"study {spec.name!r} exists and differs: {'; '.join(changed)}; undo the change, or"
            " create another study with --name"
        )
    study.refuse_other_program()
    study.refuse_other_data(source)
    if budget_changes(study.spec, spec) or study.spec.final != spec.final:
        storage.set_study_user_attr(study.study_id, SPEC, spec.model_dump(mode="json"))
        study = open_study(storage, spec.name)
    return study


def open_study(storage: StudyStorage, name: str) -> SharedStudy:
    """Open a study by name.

    Raises:
        StudyError: There is none, or it was not created by this program, or by a newer one whose
            study files this one does not understand.
    """
    study_id = storage.study_id(name)
    attributes = storage.get_study_user_attrs(study_id)
    if SPEC not in attributes:
        raise StudyError(
            f"study {name!r} holds no study file: it was created by another program; create one"
            " with `blood-hpo study create FILE`"
        )
    if STAGE_OF in attributes:
        whole = attributes[STAGE_OF]
        raise StudyError(
            f"study {name!r} is a stage of {whole!r}: name that one, or watch this one with"
            f" `blood-hpo status {name}`"
        )
    try:
        spec = StudySpec.model_validate(attributes[SPEC])
    except ValidationError as error:
        raise StudyError(
            f"study {name!r} was created by blood_hpo {attributes.get(VERSION)} and cannot be read"
            f" by {__version__} ({error.error_count()} unknown settings); use that version"
        ) from error
    if fingerprint(spec) != attributes[FINGERPRINT]:
        raise StudyError(
            f"study {name!r} was created by blood_hpo {attributes.get(VERSION)}, whose trials"
            f" cannot be compared with those of {__version__}; use that version"
        )
    return SharedStudy(
        name=name,
        study_id=study_id,
        spec=spec,
        fingerprint=attributes[FINGERPRINT],
        data=attributes[DATA],
        program_version=str(attributes[VERSION]),
        storage=storage,
        cached=optuna.storages.get_storage(storage),
    )


def pause(storage: StudyStorage, study_id: int, reason: str) -> None:
    """Let running trials finish and start no more."""
    note = {"reason": reason, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    storage.set_study_user_attr(study_id, PAUSED, note)
    refresh_note(storage, study_id, least_seconds=0)


def pause_reasons(storage: StudyStorage, names: Iterable[str]) -> dict[str, str]:
    """Why studies are paused, by name; those that are not, or do not exist, are left out."""
    found = {}
    for name in names:
        with contextlib.suppress(KeyError):
            study_id = storage.get_study_id_from_name(name)
            note = storage.get_study_user_attrs(study_id).get(PAUSED)
            if note is not None:
                found[name] = str(note["reason"])
    return found


def close_families(storage: StudyStorage, study_id: int, families: Sequence[str]) -> None:
    """Record that the rest of these families' budgets is not going to be spent."""
    storage.set_study_user_attr(study_id, CLOSED, list(families))


def resume(storage: StudyStorage, study_id: int) -> None:
    """Let workers claim again; failures up to now are forgiven."""
    storage.set_study_user_attr(study_id, CLOSED, [])
    storage.set_study_user_attr(study_id, RESUMED, storage.now().isoformat())
    storage.set_study_user_attr(study_id, FORGIVEN, storage.get_n_trials(study_id))
    storage.set_study_user_attr(study_id, PAUSED, None)
    refresh_note(storage, study_id, least_seconds=0)


def stored_spec(storage: StudyStorage, name: str) -> StudySpec | None:
    """The study file of an existing study, or None if there is no study of that name."""
    if name not in {study.study_name for study in storage.get_all_studies()}:
        return None
    return open_study(storage, name).spec


def best_configuration(storage: StudyStorage, study: str, family: str) -> dict[str, object]:
    """The whole configuration of a family's best complete trial.

    Raises:
        StudyError: There is no such study, or no complete trial of the family in it.
    """
    trials = storage.get_all_trials(
        storage.study_id(study), deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,)
    )
    own = [trial for trial in trials if trial.user_attrs.get("family") == family]
    if not own:
        raise StudyError(
            f"study {study!r} has no complete {family} trial to take a configuration from;"
            f" run it first, or choose another with --around"
        )
    best = max(own, key=lambda trial: trial.value if trial.value is not None else float("-inf"))
    return dict(best.user_attrs["config"])
