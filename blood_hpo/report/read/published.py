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

ORIGINAL_UNITS: Final = {
    64: (0.6153, 0.1219),
    128: (0.7548, 0.0311),
    256: (0.7439, 0.0290),
    512: (0.7330, 0.0417),
    1024: (0.7259, 0.0192),
}
"""Its cross-validated accuracy by number of units: mean and deviation (ddof 0) of three folds."""

ORIGINAL_KERNELS: Final = {
    (3, 8): (0.8277, 0.0055),
    (3, 16): (0.8405, 0.0128),
    (3, 32): (0.8574, 0.0154),
    (3, 64): (0.8687, 0.0057),
    (3, 128): (0.8783, 0.0071),
    (5, 8): (0.8248, 0.0113),
    (5, 16): (0.8488, 0.0071),
    (5, 32): (0.8591, 0.0098),
    (5, 64): (0.8706, 0.0151),
    (5, 128): (0.8555, 0.0023),
    (7, 8): (0.8426, 0.0082),
    (7, 16): (0.8499, 0.0033),
    (7, 32): (0.8451, 0.0099),
    (7, 64): (0.8547, 0.0030),
    (7, 128): (0.8641, 0.0003),
}
"""The same by kernel size and number of filters."""
