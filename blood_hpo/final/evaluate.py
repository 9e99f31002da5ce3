"""The test of one trained model: the only code of the project that opens the test split.

It is handed the exported file, not the network that was trained, so what is tested is what anybody
will use. Each model is tested once: its trial then ends together with all that the test gave, and
everything that is reported is computed from these saved predictions.
"""

import io
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from blood_hpo import metrics
from blood_hpo.data.bloodmnist import DataSource, Split, load_split
from blood_hpo.data.duplicates import duplicates
from blood_hpo.data.held_out_test import load_test_split
from blood_hpo.data.medmnist_package import evaluator
from blood_hpo.errors import BloodHpoError
from blood_hpo.final.export import load, parameter_counts, predict
from blood_hpo.final.retraining import Retraining

if TYPE_CHECKING:
    import keras

LARGEST_DIFFERENCE = 1e-3
"""Between probabilities of the file and of the trained network; rounding gives about 1e-6."""


@dataclass(frozen=True)
class Tested:
    """A model's predictions for the validation split and the test split, whose name is left out.

    Attributes:
        validation_labels: uint8 (V,).
        validation: Probabilities, float32 (V, 8).
        labels: uint8 (T,).
        images: uint8 (T, 28, 28, 3).
        probabilities: float32 (T, 8).
        averaged: Means over the eight symmetries of each image, float32 (T, 8); no rows where they
            were not asked for.
        duplicates: Images of the data set that repeat another; see `duplicates.duplicates`.
        loading_difference: Largest difference between the file and the network on validation.
        trainable: Trainable parameters of the model in the file.
        non_trainable: Its other parameters.
    """

    validation_labels: NDArray[np.uint8]
    validation: NDArray[np.float32]
    labels: NDArray[np.uint8]
    images: NDArray[np.uint8]
    probabilities: NDArray[np.float32]
    averaged: NDArray[np.float32]
    duplicates: NDArray[np.int64]
    loading_difference: float
    trainable: int
    non_trainable: int

    @property
    def misclassified(self) -> NDArray[np.int64]:
        """Positions of the wrong predictions in the test split, ascending."""
        return np.flatnonzero(self.probabilities.argmax(axis=1) != self.labels)

    def arrays(self) -> bytes:
        """The contents of an ``.npz`` file from which all figures can be computed again."""
        wrong = self.misclassified
        file = io.BytesIO()
        np.savez_compressed(
            file,
            test_probabilities=self.probabilities,
            test_averaged=self.averaged,
            test_labels=self.labels,
            validation_probabilities=self.validation,
            validation_labels=self.validation_labels,
            misclassified=wrong,
            misclassified_images=self.images[wrong],
            duplicates=self.duplicates,
        )
        return file.getvalue()

    def figures(self) -> dict[str, Any]:
        """The main figures, by the columns of ``hpo.tested_model``."""
        found = self.summaries()
        columns = {
            f"{split}_{name}": value
            for split in ("validation", "test")
            for name, value in found[split].items()
        }
        averaged = found.get("test, averaged", {}).get("accuracy")
        matrix = metrics.confusion(self.labels, self.probabilities)
        return {**columns, "averaged_accuracy": averaged, "confusion": matrix.ravel().tolist()}

    def summaries(self) -> dict[str, dict[str, Any]]:
        """The figures of each set of predictions: see `summary`."""
        found = {
            "validation": summary(self.validation_labels, self.validation),
            "test": summary(self.labels, self.probabilities),
        }
        if len(self.averaged):
            found["test, averaged"] = summary(self.labels, self.averaged)
        return found

    def mistakes(self) -> dict[str, list[float]]:
        """The wrong predictions, by the columns of ``hpo.mistake``."""
        wrong = self.misclassified
        labels, probabilities = self.labels[wrong], self.probabilities[wrong]
        return {
            "image": wrong.tolist(),
            "true_class": labels.tolist(),
            "predicted_class": probabilities.argmax(axis=1).tolist(),
            "confidence": probabilities.max(axis=1).tolist(),
            "true_probability": probabilities[np.arange(len(wrong)), labels].tolist(),
        }


def test(
    content: bytes, trained: Retraining, validation: Split, source: DataSource, *, average: bool
) -> Tested:
    """Load a model's file, hold it against the training that it comes from, and test it.

    Args:
        content: The ``.keras`` file.
        trained: The training.
        validation: The validation split.
        source: Where the test split is.
        average: Whether to average predictions over the symmetries too.

    Raises:
        BloodHpoError: The file is not the network that was trained; nothing has been tested.
        DataError: The test split cannot be read.
    """
    model = load(content)
    predicted = predict(model, validation.images)
    difference = float(np.abs(predicted - trained.validation_probabilities()).max())
    trainable, non_trainable = parameter_counts(model)
    if not difference <= LARGEST_DIFFERENCE or trainable != trained.parameter_count:
        raise BloodHpoError(
            f"the exported model is not the trained one: probabilities differ by {difference:.2g},"
            f" parameters are {trainable} and not {trained.parameter_count}; report this as a"
            " defect"
        )
    held_out = load_test_split(source)
    return Tested(
        validation_labels=validation.labels,
        validation=predicted,
        labels=held_out.labels,
        images=held_out.images,
        probabilities=predict(model, held_out.images),
        averaged=_averaged(model, held_out.images if average else held_out.images[:0]),
        duplicates=duplicates([load_split(source, "train"), validation, held_out]),
        loading_difference=difference,
        trainable=trainable,
        non_trainable=non_trainable,
    )


def _averaged(model: "keras.Model", images: NDArray[np.uint8]) -> NDArray[np.float32]:
    if not len(images):
        return np.empty((0, 8), np.float32)
    mirrored = (images, images[:, :, ::-1])
    turned = [np.rot90(one, turns, axes=(1, 2)) for one in mirrored for turns in range(4)]
    predictions = np.stack([predict(model, one) for one in turned])
    return np.asarray(predictions.mean(axis=0, dtype=np.float64), dtype=np.float32)


def summary(labels: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> dict[str, Any]:
    """The main figures of some predictions; macro AUC is None where a class does not occur."""
    area = metrics.macro_auc(labels, probabilities)
    return {
        "images": len(labels),
        "errors": int((probabilities.argmax(axis=1) != labels).sum()),
        "accuracy": metrics.accuracy(labels, probabilities),
        "balanced_accuracy": metrics.balanced_accuracy(labels, probabilities),
        "macro_auc": None if np.isnan(area) else area,
        "log_loss": metrics.log_loss(labels, probabilities),
    }


def medmnist_result(
    labels: NDArray[np.uint8], probabilities: NDArray[np.float32], run: str
) -> tuple[float, float, str, bytes]:
    """What medmnist's own evaluator says of predictions for the test split.

    Returns:
        AUC, accuracy, the name of its result file, which ends in ``run``, and its content.
    """
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder, "bloodmnist.npz"), test_labels=labels[:, None])
        judge = evaluator().Evaluator("bloodmnist", "test", root=folder)
        figures = judge.evaluate(probabilities, save_folder=folder, run=run)
        (file,) = Path(folder).glob("*.csv")
        return float(figures.AUC), float(figures.ACC), file.name, file.read_bytes()
