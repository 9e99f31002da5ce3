"""What the final stage left in the database: retrained and tested models with their predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from blood_hpo.database.artefacts import listing, load_arrays
from blood_hpo.database.query import run_query
from blood_hpo.report.contributions import Contributions, contributions
from blood_hpo.report.figures.architecture import Layer
from blood_hpo.report.figures.predictions import Mistake
from blood_hpo.report.record import Curve, Json, attributes, family_place
from blood_hpo.report.scores import Scores, all_scores, ranks

if TYPE_CHECKING:
    from sqlalchemy import Engine

DATA = "data.npz"
TEST = 2
"""Number of the test split, after training and validation."""


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
    """A retrained and tested model.

    Attributes:
        number: Trial of the final stage.
        noted: All that the trial noted about itself; see the properties.
        predictions: On the test split.
    """

    number: int
    noted: Json
    predictions: Predictions

    @property
    def family(self) -> str:
        """Model family."""
        return str(self.noted["family"])

    @property
    def seed_number(self) -> int:
        """Which of its seeds, from 1."""
        return int(self.noted["replicate"])

    @property
    def curve(self) -> Curve:
        """Its training."""
        curves = {key: tuple(runs[0]) for key, runs in self.noted["curves"].items() if runs}
        return Curve(
            train_loss=curves.get("train_loss", ()),
            validation=curves.get("validation_accuracy", curves.get("validation", ())),
            train_accuracy=curves.get("train_accuracy", ()),
            validation_loss=curves.get("validation_loss", ()),
        )

    @property
    def layers(self) -> list[Layer]:
        """Its layers in order."""
        return [
            Layer(
                name=one["name"],
                kind=one["kind"],
                shape=tuple(one["output_shape"]),
                parameters=one["parameters"],
                inputs=tuple(one["inputs"]),
            )
            for one in self.noted["architecture"]
        ]


@dataclass(frozen=True)
class FinalStage:
    """The final stage.

    Attributes:
        study: Name of the stage's study.
        plan: What was to be retrained.
        models: The tested models of the plan by family and seed.
        sample_images: The first training image of each class, uint8 (8, 28, 28, 3), or None.
        counts: Images by split and class (3, 8), or None.
    """

    study: str
    plan: tuple[Json, ...]
    models: tuple[Model, ...]
    sample_images: NDArray[np.uint8] | None
    counts: NDArray[np.int64] | None

    @property
    def families(self) -> dict[str, list[Model]]:
        """The tested models by family, in the order of their seeds."""
        names = sorted({one.family for one in self.models}, key=family_place)
        return {name: [one for one in self.models if one.family == name] for name in names}


def read_final(engine: "Engine", study: str) -> FinalStage | None:
    """A study's retrained and tested models, or None while there are none.

    Raises:
        BloodHpoError: An artefact is missing or damaged.
    """
    stage = f"{study}-final"
    plan = attributes(engine, stage).get("plan")
    if plan is None:
        return None
    files = {one.name for one in listing(engine, stage)}
    data = load_arrays(engine, stage, DATA) if DATA in files else {}
    found = [
        Model(int(number), noted, _predictions(engine, stage, int(number)))
        for number, noted in _tested(engine, stage)
        if _planned(noted, plan)
    ]
    return FinalStage(
        study=stage,
        plan=tuple(plan),
        models=tuple(sorted(found, key=lambda one: (*family_place(one.family), one.seed_number))),
        sample_images=data.get("sample_images"),
        counts=data.get("counts"),
    )


def _tested(engine: "Engine", stage: str) -> list[tuple[int, Json]]:
    rows: list[Any] = run_query(engine, "trial_attributes", study=stage).rows
    return [(row[0], row[-1]) for row in rows if "test" in row[-1]]


def _planned(noted: Json, plan: Sequence[Json]) -> bool:
    return any(
        one["family"] == noted["family"]
        and one["config_hash"] == noted["config_hash"]
        and one.get("rules") == noted.get("rules")
        and noted["replicate"] <= one["seeds"]
        for one in plan
    )


def _predictions(engine: "Engine", stage: str, number: int) -> Predictions:
    arrays = load_arrays(engine, stage, f"{number}/predictions.npz")
    return Predictions(
        labels=arrays["test_labels"],
        probabilities=arrays["test_probabilities"],
        averaged=arrays["test_averaged"],
        misclassified=arrays["misclassified"],
        images=arrays["misclassified_images"],
        duplicates=arrays["duplicates"],
    )
