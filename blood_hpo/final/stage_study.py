"""The studies that hold the trials of a final stage: ``<name>-confirm`` and ``<name>-final``.

They are Optuna studies like the search's, so the same views, commands and dashboard show them. What
they were created for is in their attributes.
"""

from collections.abc import Mapping
from dataclasses import replace

import optuna

from blood_hpo import __version__
from blood_hpo.errors import StudyError
from blood_hpo.final.names import stage_name
from blood_hpo.service.studies import (
    DATA,
    FINGERPRINT,
    PAUSED,
    SPEC,
    STAGE_OF,
    VERSION,
    SharedStudy,
)
from blood_hpo.studyfile.schema import FinalSpec, StudySpec

STAGE = "stage"


def final_spec(spec: StudySpec) -> FinalSpec:
    """What the study file says about the final stage, or the defaults where it is silent."""
    return spec.final or FinalSpec()


def open_stage(
    search: SharedStudy, stage: str, identity: str, budgets: Mapping[str, int]
) -> SharedStudy:
    """Create the study of a stage, or open the one that is there.

    Args:
        search: The study whose search is over.
        stage: `CONFIRM` or `FINAL`.
        identity: What must match for new trials to join those that are there.
        budgets: Trials by family, for progress.

    Raises:
        StudyError: A study of that name is there that new trials cannot join.
    """
    name, storage = stage_name(search.name, stage), search.storage
    spec = _document(search, stage, budgets)
    attributes = {
        SPEC: spec,
        FINGERPRINT: identity,
        DATA: dict(search.data),
        PAUSED: None,
        VERSION: __version__,
        STAGE: stage,
        STAGE_OF: search.name,
    }
    if not storage.create_study(name, attributes, metric=search.spec.objective):
        _refuse_other(search, name, identity)
    study_id = storage.study_id(name)
    if storage.get_study_user_attrs(study_id).get(SPEC) != spec:
        storage.set_study_user_attr(study_id, SPEC, spec)
    return replace(
        search,
        name=name,
        study_id=study_id,
        fingerprint=identity,
        cached=optuna.storages.get_storage(storage),
    )


def _refuse_other(search: SharedStudy, name: str, identity: str) -> None:
    found = search.storage.get_study_user_attrs(search.storage.study_id(name))
    if found.get(STAGE_OF) != search.name:
        raise StudyError(
            f"study {name!r} is in the way of the final stage of {search.name!r}; delete it, or"
            " create the study under another name with --name"
        )
    if found.get(FINGERPRINT) != identity:
        raise StudyError(
            f"study {name!r} holds trials under other settings; restore them, or delete it with"
            f" `blood-hpo study delete {name}` and start its stage anew"
        )


def _document(search: SharedStudy, stage: str, budgets: Mapping[str, int]) -> dict[str, object]:
    """The search's study file with the stage's budgets, as the views read it."""
    spec = search.spec.model_dump(mode="json")
    return {
        **spec,
        "name": stage_name(search.name, stage),
        "description": f"the {stage} stage of {search.name}",
        "sampler": {"name": stage},
        "pruner": {"name": "none"},
        "families": {family: {"budget": budget} for family, budget in budgets.items()},
    }
