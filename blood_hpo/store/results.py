"""What a trial leaves in the database besides its value, before it is written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import zip_longest
from statistics import fmean
from typing import TYPE_CHECKING, Any

from blood_hpo.database.statements import statement
from blood_hpo.training.fold_result import FoldResult

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class TestedModel:
    """A model that was exported and tested: the columns of ``hpo.tested_model``, by their names."""

    file: str
    sha256: str
    bytes: int
    loading_difference: float
    non_trainable_count: int
    validation_images: int
    validation_errors: int
    validation_accuracy: float
    validation_balanced_accuracy: float
    validation_macro_auc: float | None
    validation_log_loss: float
    test_images: int
    test_errors: int
    test_accuracy: float
    test_balanced_accuracy: float
    test_macro_auc: float | None
    test_log_loss: float
    averaged_accuracy: float | None
    medmnist_auc: float
    medmnist_acc: float
    medmnist_file: str
    confusion: Sequence[int]
    scaling_mean: Sequence[float]
    scaling_deviation: Sequence[float]
    class_weights: Sequence[float]
    architecture: Sequence[Mapping[str, Any]]
    versions: Mapping[str, str]
    mistakes: Mapping[str, Sequence[float]]
    """Columns of ``hpo.mistake``: image, true_class, predicted_class, confidence,
    true_probability."""


@dataclass(frozen=True)
class Results:
    """All that a complete or pruned trial measured.

    Attributes:
        folds: In their order; a retraining has one.
        seconds: Wall time of the attempt.
        parameter_count: Trainable parameters.
        confusion: Images of the held-out folds by true and predicted class, (8, 8); None in a
            retraining.
        tested: The tested model of a retraining.
    """

    folds: Sequence[FoldResult]
    seconds: float
    parameter_count: int
    confusion: Sequence[Sequence[int]] | None = None
    tested: TestedModel | None = None

    @property
    def epochs(self) -> int:
        """Epochs trained, summed over the folds."""
        return sum(fold.epochs for fold in self.folds)

    def shown(self) -> dict[str, Any]:
        """What an onlooker wants to see of it, by name."""
        return {
            "fold_scores": [round(fold.score, 4) for fold in self.folds],
            "epochs": self.epochs,
            "seconds": round(self.seconds, 1),
            "parameters": self.parameter_count,
        }

    def write(self, connection: "Connection", trial_id: int) -> None:
        """Write all of it, in the transaction that ends the trial."""
        rows = self.confusion
        whole = {
            "trial_id": trial_id,
            "epoch": max(fold.epochs for fold in self.folds),
            "epochs": self.epochs,
            "seconds": self.seconds,
            "parameter_count": self.parameter_count,
            "confusion": None if rows is None else [cell for row in rows for cell in row],
            "mean_folds": [len(one) for one in _by_epoch(self.folds, "train_loss")],
            "mean_train_loss": self._mean("train_loss"),
            "mean_validation": self._mean("validation"),
            "mean_score": self._mean("held_out"),
        }
        folds = [
            {"trial_id": trial_id, "fold": number, **asdict(fold)}
            for number, fold in enumerate(self.folds, start=1)
        ]
        connection.execute(statement("new_result"), {"row": json.dumps(whole)})
        connection.execute(statement("new_folds"), {"rows": json.dumps(folds)})
        if self.tested:
            _write_tested(connection, trial_id, self.tested)

    def _mean(self, curve: str) -> list[float]:
        """The mean over the folds that were trained in each epoch."""
        return [fmean(values) for values in _by_epoch(self.folds, curve)]


@dataclass(frozen=True)
class Ending:
    """What a complete or pruned trial leaves behind, stored together with its final state.

    Attributes:
        value: The trial's value.
        results: What it measured.
        artefacts: Contents of files by name, kept under ``<number of the trial>/<name>`` and linked
            to the trial for Optuna.
        reason: Why it was pruned.
    """

    value: float
    results: Results | None = None
    artefacts: Mapping[str, bytes] = field(default_factory=dict)
    reason: str | None = None

    def shown(self) -> dict[str, str]:
        """What optuna-dashboard shows of it: attributes of a line, as JSON texts by name."""
        found = self.results.shown() if self.results else {}
        if self.reason is not None:
            found["reason"] = self.reason
        return {key: json.dumps(value) for key, value in found.items()}


def _by_epoch(folds: Sequence[FoldResult], curve: str) -> list[list[float]]:
    curves = [getattr(fold, curve) or () for fold in folds]
    return [[one for one in epoch if one is not None] for epoch in zip_longest(*curves)]


def _write_tested(connection: "Connection", trial_id: int, tested: TestedModel) -> None:
    row = {**asdict(tested), "trial_id": trial_id}
    wrong = row.pop("mistakes")
    mistakes = [
        {"trial_id": trial_id, **dict(zip(wrong, one, strict=True))}
        for one in zip(*wrong.values(), strict=True)
    ]
    connection.execute(statement("new_tested_model"), {"row": json.dumps(row)})
    connection.execute(statement("new_mistakes"), {"rows": json.dumps(mistakes)})
