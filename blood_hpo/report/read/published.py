"""What others have published on BloodMNIST at 28x28; ``page/words.toml`` names the sources."""

import csv
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from statistics import fmean
from typing import Final

from pydantic import TypeAdapter


@dataclass(frozen=True)
class Published:
    """A published result on the official test split; what was not published is None.

    The family is that of the original report's models and empty for MedMNIST's; AUC is the macro
    AUC, the parameters are the trainable ones, and the recalls those of the classes.
    """

    model: str
    accuracy: float
    family: str = ""
    balanced_accuracy: float | None = None
    auc: float | None = None
    parameters: int | None = None
    epochs: int | None = None
    note: str = ""
    recalls: str = ""


@cache
def rows_of(name: str) -> tuple[Mapping[str, str], ...]:
    """A table beside this module, without its empty cells."""
    file = resources.files("blood_hpo.report") / "read" / name
    rows = csv.DictReader(file.read_text(encoding="ascii").splitlines())
    return tuple({key: value for key, value in row.items() if value} for row in rows)


PUBLISHED: Final = TypeAdapter(tuple[Published, ...]).validate_python(rows_of("published.csv"))
ORIGINAL: Final = {one.family: one for one in PUBLISHED if one.family}
"""The original report's results by family. One run each, without an interval or a seed."""

MEDMNIST_V2: Final = tuple(one for one in PUBLISHED if not one.family)
"""Three decimals, as published."""

ORIGINAL_RECALL: Final = {
    family: tuple(map(float, one.recalls.split())) for family, one in ORIGINAL.items()
}
"""Its accuracy on the images of each class, 0 to 7, which is the recall of the class."""


@cache
def original_scores(
    objective: str, family: str, names: tuple[str, ...]
) -> dict[tuple[str, ...], tuple[float, float]]:
    """Mean and deviation of three folds that the original found where it varied just these names.

    By their values. It measured accuracy: for another objective there are none. Its deviations
    divide by the number of folds. Where it ran one configuration several times in a stage, both are
    means of its runs: its pooling over the whole image was run four times each, under sizes that
    had no effect, and its optimizers' names had none either: see docs/report.md.
    """
    runs = defaultdict(list)
    for row in rows_of("original_stages.csv") if objective == "accuracy" else ():
        if row["family"] == family and row.keys() - {"family", "stage", "mean", "sd"} == set(names):
            runs[tuple(row[name] for name in names)].append((float(row["mean"]), float(row["sd"])))
    return {key: (fmean(m for m, _ in own), fmean(s for _, s in own)) for key, own in runs.items()}
