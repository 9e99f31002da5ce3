"""What others have published on BloodMNIST at 28x28: facts with sources, none of them ours."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from statistics import fmean
from typing import Final


@dataclass(frozen=True)
class Published:
    """A published result on the official test split.

    Attributes:
        model: Name of the model, as published.
        accuracy: Test accuracy.
        auc: Macro AUC; None where none was published.
        balanced_accuracy: None where none was published.
        source: Key of `SOURCES`.
        note: What one must know to compare with it.
        parameters: Trainable parameters of the model that was tested; None where not known.
        epochs: Epochs that it was trained for; None where not known.
    """

    model: str
    accuracy: float
    auc: float | None
    source: str
    balanced_accuracy: float | None = None
    note: str = ""
    parameters: int | None = None
    epochs: int | None = None


SOURCES: Final = {
    "medmnist": (
        "Yang et al., “MedMNIST v2: a large-scale lightweight benchmark for 2D and 3D biomedical "
        "image classification”, Scientific Data 10:41, 2023"
    ),
    "original": (
        "T. Amorim and T. Martins, “Classificação de Imagens com Redes Neurais Artificiais”, 2024: "
        "the report that this project extends"
    ),
}

MEDMNIST_V2: Final = (
    Published("ResNet-18 (28)", 0.958, 0.998, "medmnist"),
    Published("ResNet-18 (224)", 0.963, 0.998, "medmnist", note="images enlarged to 224 x 224"),
    Published("ResNet-50 (28)", 0.956, 0.997, "medmnist"),
    Published("ResNet-50 (224)", 0.950, 0.997, "medmnist", note="images enlarged to 224 x 224"),
    Published("auto-sklearn", 0.878, 0.984, "medmnist"),
    Published("AutoKeras", 0.961, 0.998, "medmnist"),
    Published("Google AutoML Vision", 0.966, 0.998, "medmnist"),
)
"""Area under the curve and accuracy on BloodMNIST, three decimals as published."""

ORIGINAL: Final = {
    "mlp": Published(
        "MLP (original report)",
        0.7992,
        None,
        "original",
        balanced_accuracy=0.7551,
        note="its optimizer is given as SGD; its program trained with RMSprop",
        parameters=302_216,
        epochs=70,
    ),
    "cnn": Published(
        "CNN (original report)",
        0.9073,
        None,
        "original",
        balanced_accuracy=0.8928,
        note="the saved model has 44,168 parameters: it is not the tuned one of 176,648",
        parameters=44_168,
        epochs=71,
    ),
    "resnet": Published(
        "ResNet (original report)",
        0.9547,
        None,
        "original",
        balanced_accuracy=0.9439,
        note="a second run with the same settings gave 0.9608",
        parameters=1_957_768,
        epochs=58,
    ),
}
"""The original report's results by family. One run each, without an interval or a seed."""

ORIGINAL_RECALL: Final = {
    "mlp": (0.5205, 0.9247, 0.7878, 0.6615, 0.6749, 0.5599, 0.9204, 0.9915),
    "cnn": (0.7992, 0.9792, 0.9293, 0.8238, 0.8848, 0.7923, 0.9339, 1.0000),
    "resnet": (0.8730, 0.9872, 0.9743, 0.9378, 0.9383, 0.8732, 0.9715, 0.9957),
}
"""Its accuracy on the images of each class, 0 to 7, which is the recall of the class."""


@cache
def original_stages() -> tuple[Mapping[str, str], ...]:
    """What its searches measured: by stage what was varied, and mean and deviation of three folds.

    Its deviations divide by the number of folds. Its pooling over the whole image was run four
    times each, under sizes that had no effect, and its optimizers' names had none either: see
    docs/report.md.
    """
    file = resources.files("blood_hpo.report") / "read" / "original_stages.csv"
    rows = csv.DictReader(file.read_text(encoding="ascii").splitlines())
    return tuple({key: value for key, value in row.items() if value} for row in rows)


def original_score(family: str, params: Mapping[str, object]) -> tuple[float, float] | None:
    """Mean and deviation that the original found where it varied just these hyperparameters.

    Where it ran one configuration several times in a stage, both are means of its runs.
    """
    wanted = {key: str(value) for key, value in params.items()}
    rows = [row for row in original_stages() if row["family"] == family]
    runs = [row for row in rows if {key: row[key] for key in row if key not in _FIXED} == wanted]
    if not runs:
        return None
    return fmean(float(row["mean"]) for row in runs), fmean(float(row["sd"]) for row in runs)


_FIXED: Final = {"family", "stage", "mean", "sd"}
