"""What BloodMNIST at 28x28 is: its classes, its image format and its official counts.

Sources: Yang et al., "MedMNIST v2", Scientific Data 10:41, 2023, and Acevedo et al., "A dataset of
microscopic peripheral blood cell images", Data in Brief 30:105474, 2020 (licence CC BY 4.0).
"""

from typing import Final, Literal

CLASSES: Final = (
    "basophil",
    "eosinophil",
    "erythroblast",
    "immature granulocytes",
    "lymphocyte",
    "monocyte",
    "neutrophil",
    "platelet",
)
"""The name of each label, 0 to 7; label 3 joins myelocytes, metamyelocytes and promyelocytes."""

CLASS_COUNT: Final = len(CLASSES)
SIDE: Final = 28
IMAGE_SHAPE: Final = (SIDE, SIDE, 3)
"""Rows, columns and channels (RGB, uint8) of one image."""

FILE_NAME: Final = "bloodmnist.npz"

RECONSTRUCTED_SHA256: Final = "de5ee43183cbbf96e95e108f4930d8b1af38c4b43caf71cc0d8f4f5676a56c34"
"""A reconstruction of the official file from the original photographs.

Its validation split is the official one, pixel for pixel; at most 66 of the 3,421 test images may
be swapped with a training image of the same class.
"""

SplitName = Literal["train", "validation", "test"]

PREFIXES: Final[dict[SplitName, str]] = {"train": "train", "validation": "val", "test": "test"}
"""How the arrays of each split begin in a file of the MedMNIST layout."""

OFFICIAL_COUNTS: Final[dict[SplitName, tuple[int, ...]]] = {
    "train": (852, 2181, 1085, 2026, 849, 993, 2330, 1643),
    "validation": (122, 312, 155, 290, 122, 143, 333, 235),
    "test": (244, 624, 311, 579, 243, 284, 666, 470),
}
"""Images of each class in each official split: 11,959, 1,712 and 3,421 in total."""
