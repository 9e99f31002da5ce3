"""What others have published on BloodMNIST at 28x28: facts with sources, none of them ours."""

from dataclasses import dataclass
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
    """

    model: str
    accuracy: float
    auc: float | None
    source: str
    balanced_accuracy: float | None = None
    note: str = ""


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
    ),
    "cnn": Published(
        "CNN (original report)",
        0.9073,
        None,
        "original",
        balanced_accuracy=0.8928,
        note="the saved model has 44,168 parameters: it is not the tuned one of 176,648",
    ),
    "resnet": Published(
        "ResNet (original report)",
        0.9547,
        None,
        "original",
        balanced_accuracy=0.9439,
        note="a second run with the same settings gave 0.9608",
    ),
}
"""The original report's results by family. One run each, without an interval or a seed."""

ORIGINAL_RECALL: Final = {
    "mlp": (0.5205, 0.9247, 0.7878, 0.6615, 0.6749, 0.5599, 0.9204, 0.9915),
    "cnn": (0.7992, 0.9792, 0.9293, 0.8238, 0.8848, 0.7923, 0.9339, 1.0000),
    "resnet": (0.8730, 0.9872, 0.9743, 0.9378, 0.9383, 0.8732, 0.9715, 0.9957),
}
"""Its accuracy on the images of each class, 0 to 7, which is the recall of the class."""
