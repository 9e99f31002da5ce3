"""What the final stage left in the database: retrained and tested models with their predictions."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from blood_hpo.database.artefacts import listing, load_arrays
from blood_hpo.database.record import TrialRecord, read_trials
from blood_hpo.database.statements import statement
from blood_hpo.errors import StudyError
from blood_hpo.metrics import accuracy
from blood_hpo.report.read.contributions import Contributions, contributions
from blood_hpo.report.read.scores import Scores, all_scores, ranks
from blood_hpo.report.read.search_study import Curve, family_place, read_curves

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

DATA = "data.npz"
TEST = 2
"""Number of the test split, after training and validation."""


class Layer(NamedTuple):
    """One layer of a network, as ``hpo.models.architecture`` lists it; inputs by their names."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Mistake:
    """A misclassified test image.

    Attributes:
        index: Place in the test split, from 0.
        image: uint8 (28, 28, 3).
        true: Its class.
        probabilities: What the model gave to each class.
        rank: Place of the true class among them.
    """

    index: int
    image: NDArray[np.uint8]
    true: int
    probabilities: NDArray[np.floating]
    rank: int


@dataclass(frozen=True)
class Predictions:
    """What one model gave to each test image, in the order of the split.

    Attributes:
        labels: True classes (n,).
        probabilities: float32 (n, 8).
        averaged: The same averaged over the eight symmetries; no rows where that was not asked.
        misclassified: Places of the wrong predictions, ascending.
        images: Those images, uint8 (wrong, 28, 28, 3).
        duplicates: Images of the data set that repeat another, int64 (repeats, 5): split and place
            of the first copy, split and place of the repeat, whether both have the same label.
            Splits are 0, 1, 2: training, validation, test.
    """

    labels: NDArray[np.uint8]
    probabilities: NDArray[np.float32]
    averaged: NDArray[np.float32]
    misclassified: NDArray[np.int64]
    images: NDArray[np.uint8]
    duplicates: NDArray[np.int64]

    @property
    def duplicated(self) -> NDArray[np.int64]:
        """Places of the test images that occur in the training or the validation split too."""
        copied, _, split, place, _ = self.duplicates.T
        return np.unique(place[(split == TEST) & (copied < TEST)])

    @cached_property
    def scores(self) -> Scores:
        """All scores."""
        return all_scores(self.labels, self.probabilities)

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each prediction is correct."""
        found: NDArray[np.bool_] = self.probabilities.argmax(axis=1) == self.labels
        return found

    @property
    def averaged_accuracy(self) -> float | None:
        """Accuracy of the averaged predictions, if there are any."""
        return accuracy(self.labels, self.averaged) if len(self.averaged) else None

    @cached_property
    def contributions(self) -> dict[str, Contributions]:
        """What each image adds to each score."""
        return contributions(self.labels, self.probabilities)

    def mistakes(self, count: int) -> list[Mistake]:
        """The first wrong prediction of each class, then further ones up to ``count``, by place."""
        true = self.labels[self.misclassified]
        _, first = np.unique(true, return_index=True)
        others = [row for row in range(len(true)) if row not in set(first.tolist())]
        chosen = sorted([*first.tolist(), *others][: max(count, len(first))])
        places = ranks(self.labels, self.probabilities)
        return [
            Mistake(
                index=int(self.misclassified[row]),
                image=self.images[row],
                true=int(true[row]),
                probabilities=self.probabilities[self.misclassified[row]],
                rank=int(places[self.misclassified[row]]),
            )
            for row in chosen
        ]


@dataclass(frozen=True)
class Model:
    """A retrained and tested model: its trial of the final stage, and its row of ``hpo.models``.

    Its curve is one of accuracies, its layers are in the order of the network, and what it predicts
    is on the test split.
    """

    trial: TrialRecord
    file: str
    sha256: str
    bytes: int
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

    @property
    def number(self) -> int:
        """Number of its trial."""
        return self.trial.number

    @property
    def family(self) -> str:
        """Model family."""
        return self.trial.family

    @property
    def seed_number(self) -> int:
        """Which of its seeds, from 1."""
        return self.trial.replicate


@dataclass(frozen=True)
class FinalStage:
    """The final stage.

    Attributes:
        study: Name of the stage's study.
        missing: Models of the plan that are still to be trained and tested.
        models: The tested models of the plan in force by family and seed.
        sample_images: The first training image of each class, uint8 (8, 28, 28, 3), or None.
        counts: Images by split and class (3, 8), or None.
    """

    study: str
    missing: int
    models: tuple[Model, ...]
    sample_images: NDArray[np.uint8] | None
    counts: NDArray[np.int64] | None

    @property
    def families(self) -> dict[str, list[Model]]:
        """The tested models by family, in the order of their seeds."""
        names = sorted({one.family for one in self.models}, key=family_place)
        return {name: [one for one in self.models if one.family == name] for name in names}


def read_final(connection: "Connection", study: str) -> FinalStage | None:
    """A study's retrained and tested models, or None while there are none.

    Raises:
        BloodHpoError: An artefact is missing or damaged.
    """
    stage = f"{study}-final"
    totals = list(connection.execute(statement("family_totals"), {"study": stage}))
    if not totals:
        return None
    trials = {one.number: one for one in read_trials(connection, stage)}
    rows = connection.execute(statement("tested_models"), {"study": study}).mappings()
    models = [_model(connection, trials, dict(row)) for row in rows]
    engine = connection.engine
    kept = any(one.name == DATA for one in listing(engine, stage))
    data = load_arrays(engine, stage, DATA) if kept else {}
    return FinalStage(
        study=stage,
        missing=sum(row.remaining for row in totals),
        models=tuple(sorted(models, key=lambda one: (*family_place(one.family), one.seed_number))),
        sample_images=data.get("sample_images"),
        counts=data.get("counts"),
    )


def _model(
    connection: "Connection", trials: Mapping[int, TrialRecord], row: Mapping[str, Any]
) -> Model:
    trial = trials[row["final_number"]]
    known = {one.name: row[one.name] for one in fields(Model) if one.name in row}
    return Model(
        trial=trial,
        **known,
        layers=layers(row["architecture"], trial),
        curve=read_curves(connection, trial)[0],
        predictions=_predictions(connection.engine, trial),
    )


def layers(stored: object, trial: TrialRecord) -> tuple[Layer, ...]:
    """The layers of a model from the JSON that describes them.

    Raises:
        StudyError: It is something else.
    """
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
        return Predictions(
            labels=arrays["test_labels"],
            probabilities=arrays["test_probabilities"],
            averaged=arrays["test_averaged"],
            misclassified=arrays["misclassified"],
            images=arrays["misclassified_images"],
            duplicates=arrays["duplicates"],
        )
    except (KeyError, ValueError, EOFError, BadZipFile) as error:
        raise _damaged(trial, "the file of its predictions") from error


def _damaged(trial: TrialRecord, what: str) -> StudyError:
    return StudyError(
        f"trial {trial.number} of study {trial.study!r} cannot be reported on: {what} is not what"
        " a worker writes; restore the database from a backup"
    )
