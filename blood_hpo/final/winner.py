"""The configuration that a study says is a family's best, as far as the study has got."""

from typing import Any

from blood_hpo.final.names import CONFIRM, CONFIRMATION, stage_name
from blood_hpo.service.storage import StudyStorage
from blood_hpo.service.studies import best_configuration


def winning_configuration(storage: StudyStorage, study: str, family: str) -> dict[str, object]:
    """The whole configuration of the confirmed winner, or of the search's best while there is none.

    Raises:
        StudyError: There is no such study, or no complete trial of the family in it.
    """
    candidates = _confirmed(storage, study).get(family, {}).get("candidates")
    if candidates:
        return dict(candidates[0]["config"])
    return best_configuration(storage, study, family)


def _confirmed(storage: StudyStorage, study: str) -> dict[str, Any]:
    name = stage_name(study, CONFIRM)
    if name not in {one.study_name for one in storage.get_all_studies()}:
        return {}
    outcome = storage.get_study_user_attrs(storage.study_id(name)).get(CONFIRMATION, {})
    return dict(outcome.get("families", {}))
