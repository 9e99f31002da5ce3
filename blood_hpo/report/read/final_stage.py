"""What the final stage left in the database: retrained and tested models with their predictions."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from blood_hpo.database.artefacts import listing, load_arrays
from blood_hpo.database.record import TrialRecord, read_trials
from blood_hpo.database.statements import statement
from blood_hpo.errors import StudyError
from blood_hpo.report.read.predictions import Predictions
from blood_hpo.report.read.search_study import Curve, family_place
from blood_hpo.stages import FINAL, stage_name

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

DATA = "data.npz"
"""The file of a stage that shows its data set: arrays `sample_images` and `counts`."""


class Layer(NamedTuple):
    """One layer of a network, as ``hpo.models.architecture`` lists it; inputs by their names."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """A retrained and tested model: its trial of the final stage, and its row of ``hpo.models``.

    Its curve is one of accuracies, its layers are in the order of the network, and what it predicts
    is on the test split.
    """

    trial: TrialRecord
    file: str
    sha256: str
    best_epoch: int
    validation_accuracy: float
    medmnist_auc: float
    medmnist_acc: float
    medmnist_file: str
    test_openings: int
    versions: Mapping[str, str]
    layers: tuple[Layer, ...]
    curve: Curve
    predictions: Predictions


@dataclass(frozen=True)
class FinalStage:
    """The final stage.

    Attributes:
        missing: Models of the plan that are still to be trained and tested.
        failed: Models of the plan whose training failed for good.
        earlier: Tested models of plans that are no longer in force.
        models: The tested models of the plan in force by family and seed.
        sample_images: The first training image of each class, uint8 (8, 28, 28, 3), or None.
        counts: Images by split and class (3, 8), or None.
    """

    missing: int
    failed: int
    earlier: int
    models: tuple[Model, ...]
    sample_images: NDArray[np.uint8] | None
    counts: NDArray[np.int64] | None

    @property
    def families(self) -> dict[str, list[Model]]:
        """The tested models by family, in the order of their seeds."""
        names = dict.fromkeys(one.trial.family for one in self.models)
        return {name: [one for one in self.models if one.trial.family == name] for name in names}


def read_final(connection: "Connection", study: str) -> FinalStage | None:
    """A study's retrained and tested models, or None; damaged artefacts are a BloodHpoError."""
    stage, engine = stage_name(study, FINAL), connection.engine
    totals = list(connection.execute(statement("family_totals"), {"study": stage}))
    if not totals:
        return None
    trials = {one.number: one for one in read_trials(connection, stage)}
    rows = connection.execute(statement("tested_models"), {"study": study}).mappings()
    models = [_model(engine, trials[row["final_number"]], dict(row)) for row in rows]
    kept = any(one.name == DATA for one in listing(engine, stage))
    data = load_arrays(engine, stage, DATA) if kept else {}
    return FinalStage(
        missing=sum(row.remaining for row in totals),
        failed=sum(row.budget - row.complete - row.remaining for row in totals),
        earlier=sum(one.state == "COMPLETE" and not one.in_force for one in trials.values()),
        models=tuple(
            sorted(models, key=lambda one: (*family_place(one.trial.family), one.trial.replicate))
        ),
        sample_images=data.get("sample_images"),
        counts=data.get("counts"),
    )


def _model(engine: "Engine", trial: TrialRecord, row: Mapping[str, Any]) -> Model:
    return Model(
        trial=trial,
        **{one.name: row[one.name] for one in fields(Model) if one.name in row},
        layers=layers(row["architecture"], trial),
        curve=Curve(*(row[name] or () for name in Curve._fields)),
        predictions=_predictions(engine, trial),
    )


def layers(stored: object, trial: TrialRecord) -> tuple[Layer, ...]:
    """The layers of a model from the JSON that describes them; of anything else, a StudyError."""
    try:
        found = TypeAdapter(tuple[Layer, ...]).validate_python(stored)
    except ValidationError as error:
        raise _damaged(trial, "the description of its layers") from error
    names = [one.name for one in found]
    if any(not set(names[:place]).issuperset(one.inputs) for place, one in enumerate(found)):
        raise _damaged(trial, "the description of its layers")
    return found


def _predictions(engine: "Engine", trial: TrialRecord) -> Predictions:
    try:
        arrays = load_arrays(engine, trial.study, f"{trial.number}/predictions.npz")
        return Predictions.of(arrays)
    except (KeyError, ValueError, EOFError, BadZipFile) as error:
        raise _damaged(trial, "the file of its predictions") from error


def _damaged(trial: TrialRecord, what: str) -> StudyError:
    return StudyError(
        f"trial {trial.number} of study {trial.study!r} cannot be reported on: {what} is not what"
        " a worker writes; restore the database from a backup"
    )
