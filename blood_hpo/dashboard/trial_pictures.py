"""What the dashboard shows of a trial: its learning curves and the classes it confuses."""

from collections.abc import Sequence

from blood_hpo.dashboard.drawing import Curve, Panel, confusion, curves
from blood_hpo.data.facts import CLASSES
from blood_hpo.store.results import Results
from blood_hpo.training.history import FoldResult

CURVES_FILE, CONFUSION_FILE = "curves.svg", "confusion.svg"
FOLDS = ("#0072b2", "#b85208", "#00795a", "#74508f", "#8a6d00")
"""Colours of the folds, told apart with any kind of colour vision; a sixth fold begins anew."""

MUTED = "#5f6570"
SHOWN = 10
"""Trials of a family, its best ones, that get pictures."""


def pictures_of_folds(title: str, results: Results) -> dict[str, bytes]:
    """The pictures of a cross-validated trial: contents of files by name."""
    assert results.confusion is not None
    return {
        CURVES_FILE: curves(title, _fold_panels(results.folds)),
        CONFUSION_FILE: confusion(f"{title}, held-out folds", results.confusion, CLASSES),
    }


def _fold_panels(folds: Sequence[FoldResult]) -> list[Panel]:
    colours = [FOLDS[place % len(FOLDS)] for place in range(len(folds))]
    pairs = list(zip(folds, colours, strict=True))
    scores = [Curve("", one.held_out or (), colour, chosen=one.best_epoch) for one, colour in pairs]
    validation = [Curve("", one.validation, colour, dashed=True) for one, colour in pairs]
    losses = [
        Curve(f"fold {place}", one.train_loss, colour)
        for place, (one, colour) in enumerate(pairs, start=1)
    ]
    title = "held-out score (dashed: validation)"
    return [Panel(title, [*validation, *scores]), Panel("training loss", losses)]


def pictures_of_model(title: str, trained: FoldResult, cells: Sequence[int]) -> dict[str, bytes]:
    """The pictures of a model that was retrained and tested: contents of files by name.

    Args:
        title: What the model is.
        trained: Its training.
        cells: Its confusion on the test split, row by row.
    """
    accuracy = (trained.train_accuracy, trained.validation_accuracy)
    loss = (trained.train_loss, trained.validation_loss)
    panels = [
        Panel(
            label,
            [
                Curve("training", train or (), MUTED, dashed=True),
                Curve("validation", validation or (), FOLDS[0], chosen=trained.best_epoch),
            ],
        )
        for label, (train, validation) in {"accuracy": accuracy, "loss": loss}.items()
    ]
    matrix = [list(cells[row : row + len(CLASSES)]) for row in range(0, len(cells), len(CLASSES))]
    return {
        CURVES_FILE: curves(title, panels),
        CONFUSION_FILE: confusion(f"{title}, test split", matrix, CLASSES),
    }
