"""The studies that hold the trials of a final stage: ``<name>-confirm`` and ``<name>-final``.

They are Optuna studies like the search's, so the same views, commands and dashboard show them. What
a stage is to train is planned from what the database holds, and put in force there: all workers
claim from that plan, also those that made another one from an older study file.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection

from blood_hpo.database.statements import statement
from blood_hpo.errors import StudyError
from blood_hpo.models.configuration import Configuration
from blood_hpo.stages import stage_name
from blood_hpo.store.new_study import insert_study
from blood_hpo.store.studies import SharedStudy
from blood_hpo.training.fold_result import Rules


@dataclass(frozen=True)
class Training:
    """A training that a stage is to do.

    Attributes:
        replicate: Number among the trainings of its configuration, from 1.
        seed: No two trainings of a stage share configuration and seed.
        params: What was searched.
        source_number: Of the search's trial that found the configuration, if one did.
        recipe: Of a retraining: "winner", or the name of a ResNet that needs no search.
        rules: Of a retraining: when it ends.
    """

    configuration: Configuration
    replicate: int
    seed: int
    params: Mapping[str, Any]
    source_number: int | None
    recipe: str | None = None
    rules: Rules | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Equal for attempts at the same training."""
        return self.configuration.config_hash, self.seed

    def row(self) -> dict[str, object]:
        """The columns of ``hpo.configuration``."""
        rules = asdict(self.rules) if self.rules else dict.fromkeys(Rules.__annotations__)
        return {
            "family": self.configuration.family,
            "config_hash": self.configuration.config_hash,
            "replicate": self.replicate,
            "seed": self.seed,
            "config": json.dumps(self.configuration.document),
            "params": json.dumps(dict(self.params)),
            "source_number": self.source_number,
            "recipe": self.recipe,
            **rules,
        }


def open_stage(search: SharedStudy, stage: str) -> SharedStudy:
    """Create or open the study of a stage; a StudyError if that cannot be."""
    name, storage = stage_name(search.name, stage), search.storage
    new = {"name": name, "stage": stage, "search_id": search.study_id}
    new |= {"fingerprint": search.fingerprint, "data": search.data}
    insert_study(storage, {**new, "spec": _document(search, stage)}, {})
    found = next(iter(storage.ask("study_record", name=name)), None)
    if found is None:
        raise StudyError(f"study {search.name!r} has been deleted")
    if found.stage != stage or found.search != search.name:
        raise StudyError(
            f"study {name!r} is in the way of the final stage of {search.name!r}; delete it, or"
            " create the study under another name with --name"
        )
    return replace(search, name=name, study_id=found.study_id)


def _document(search: SharedStudy, stage: str) -> dict[str, object]:
    """The search's study file under the stage's name."""
    return {
        **search.spec.model_dump(mode="json"),
        "name": stage_name(search.name, stage),
        "description": f"the {stage} stage of {search.name}",
        "sampler": {"name": stage},
        "pruner": {"name": "none"},
    }


def put_in_force(stage: SharedStudy, name: str, trainings: Sequence[Training]) -> None:
    """Have the stage ``name`` do these trainings and no others, unless it does already."""
    with stage.storage.plain() as connection:
        if _in_force(connection, stage, trainings):
            return
    with stage.storage.engine.begin() as connection:
        key = {"study_id": stage.study_id, "stage": name}
        connection.execute(statement("claim_lock"), key)
        if _in_force(connection, stage, trainings):
            return
        families = list(dict.fromkeys(one.configuration.family for one in trainings))
        connection.execute(statement("withdraw_plan"), {**key, "families": families})
        for family in families:
            own = [one for one in trainings if one.configuration.family == family]
            budget = {**key, "family": family, "budget": len(own)}
            connection.execute(statement("write_budget"), budget)
            for place, one in enumerate(own, start=1):
                row = {**budget, **one.row(), "place": place}
                connection.execute(statement("plan_training"), row)
        connection.execute(statement("end_withdrawn"), key)


def _in_force(connection: Connection, stage: SharedStudy, trainings: Sequence[Training]) -> bool:
    """Whether the plan in force is this one, but for what has been given up of it."""
    rows = connection.execute(statement("plan_in_force"), {"study_id": stage.study_id}).all()
    wanted = {one.key for one in trainings}
    given_up = {(row.config_hash, row.seed) for row in rows if not row.in_force}
    return {(row.config_hash, row.seed) for row in rows if row.in_force} == wanted - given_up
