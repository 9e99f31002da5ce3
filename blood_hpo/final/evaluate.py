"""The test of one trained model: the only code of the project that opens the test split.

It is handed the exported file, not the network that was trained, so what is tested is what anybody
will use. Each model is tested once: its trial then ends together with all that the test gave, and
everything that is reported is computed from these saved predictions.
"""

import io
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from blood_hpo import metrics
from blood_hpo.data.bloodmnist import DataSource, Split, load_split
from blood_hpo.data.held_out_test import duplicates, load_test_split
from blood_hpo.data.medmnist_package import evaluator
from blood_hpo.errors import BloodHpoError
from blood_hpo.final.export import architecture, load, parameter_counts, predict
from blood_hpo.final.retraining import Retraining
from blood_hpo.report.read.predictions import Predictions
from blood_hpo.report.read.scores import SCORES

if TYPE_CHECKING:
    import keras

LARGEST_DIFFERENCE = 1e-3
"""Between probabilities of the file and of the trained network; rounding gives about 1e-6."""


@dataclass(frozen=True)
class Tested:
    """What the file of a model holds and predicts.

    Attributes:
        validation_labels: uint8 (V,).
        validation: Probabilities for the validation split, float32 (V, 8).
        test: What it predicts for the test split.
        loading_difference: Largest difference between the file and the network on validation.
        non_trainable: Parameters that are not trained.
        layers: See `export.architecture`.
    """

    validation_labels: NDArray[np.uint8]
    validation: NDArray[np.float32]
    test: Predictions
    loading_difference: float
    non_trainable: int
    layers: list[dict[str, Any]]

    def arrays(self) -> bytes:
        """The contents of an ``.npz`` file from which all figures can be computed again."""
        file = io.BytesIO()
        np.savez_compressed(
            file,
            **self.test.arrays(),
            validation_probabilities=self.validation,
            validation_labels=self.validation_labels,
        )
        return file.getvalue()

    def figures(self) -> dict[str, Any]:
        """The main figures, by the columns of ``hpo.tested_model``."""
        columns = {
            f"{split}_{name}": value
            for split in ("validation", "test")
            for name, value in self.summaries[split].items()
        }
        matrix = metrics.confusion(self.test.labels, self.test.probabilities)
        averaged = self.test.averaged_accuracy
        return {**columns, "averaged_accuracy": averaged, "confusion": matrix.ravel().tolist()}

    @cached_property
    def summaries(self) -> dict[str, dict[str, Any]]:
        """The figures of each set of predictions: see `summary`."""
        found = {
            "validation": summary(self.validation_labels, self.validation),
            "test": summary(self.test.labels, self.test.probabilities),
        }
        if len(self.test.averaged):
            found["test, averaged"] = summary(self.test.labels, self.test.averaged)
        return found

    def mistakes(self) -> list[dict[str, float]]:
        """The wrong predictions, as rows of ``hpo.mistake``."""
        wrong = self.test.misclassified
        labels, probabilities = self.test.labels[wrong], self.test.probabilities[wrong]
        columns = {
            "image": wrong.tolist(),
            "true_class": labels.tolist(),
            "predicted_class": probabilities.argmax(axis=1).tolist(),
            "confidence": probabilities.max(axis=1).tolist(),
            "true_probability": probabilities[np.arange(len(wrong)), labels].tolist(),
        }
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def test(
    content: bytes, trained: Retraining, validation: Split, source: DataSource, *, average: bool
) -> Tested:
    """Load a ``.keras`` file, hold it against the training that it comes from, and test it.

    With ``average`` predictions are averaged over the eight symmetries of an image too.

    Raises:
        BloodHpoError: The file is not the network that was trained; nothing has been tested.
        DataError: The test split cannot be read.
    """
    model = load(content)
    layers = architecture(model)
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
    probabilities = predict(model, held_out.images)
    predictions = Predictions(
        labels=held_out.labels,
        probabilities=probabilities,
        averaged=_averaged(model, held_out.images if average else held_out.images[:0]),
        images=held_out.images[probabilities.argmax(axis=1) != held_out.labels],
        duplicates=duplicates([load_split(source, "train"), validation, held_out]),
    )
    return Tested(validation.labels, predicted, predictions, difference, non_trainable, layers)


def _averaged(model: "keras.Model", images: NDArray[np.uint8]) -> NDArray[np.float32]:
    if not len(images):
        return np.empty((0, 8), np.float32)
    mirrored = (images, images[:, :, ::-1])
    turned = [np.rot90(one, turns, axes=(1, 2)) for one in mirrored for turns in range(4)]
    predictions = np.stack([predict(model, one) for one in turned])
    return np.asarray(predictions.mean(axis=0, dtype=np.float64), dtype=np.float32)


def summary(labels: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> dict[str, Any]:
    """The main figures of some predictions."""
    return {
        "images": len(labels),
        "errors": int((probabilities.argmax(axis=1) != labels).sum()),
        **{name: getattr(metrics, name)(labels, probabilities) for name in SCORES},
    }


def medmnist_result(found: Predictions, run: str) -> tuple[dict[str, Any], bytes]:
    """What medmnist's own evaluator says of predictions for the test split.

    Returns:
        The columns of ``hpo.tested_model``, and the result file, whose name ends in ``run``.
    """
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder, "bloodmnist.npz"), test_labels=found.labels[:, None])
        judge = evaluator().Evaluator("bloodmnist", "test", root=folder)
        area, accuracy = judge.evaluate(found.probabilities, save_folder=folder, run=run)
        (file,) = Path(folder).glob("*.csv")
        judged = {"auc": float(area), "acc": float(accuracy), "file": file.name}
        return {f"medmnist_{name}": value for name, value in judged.items()}, file.read_bytes()
