"""What the dashboard shows of a trial: its learning curves and the classes it confuses.

They are the report's drawings, on a ground of their own. Equal numbers give equal bytes, so that a
trial which ends twice leaves one file.
"""

from collections.abc import Sequence
from itertools import cycle

from blood_hpo.report.outcome.prediction_figures import confusion
from blood_hpo.report.page.theme import ACCENT, colour, standalone
from blood_hpo.report.process.training_figures import Line, lines, panels
from blood_hpo.report.read.search_study import Curve
from blood_hpo.store.results import Results
from blood_hpo.training.fold_result import FoldResult

FOLDS = (colour("mlp"), colour("cnn"), colour("resnet"), colour("other"), ACCENT)
"""Colours of the folds, told apart with any kind of colour vision; a sixth fold begins anew."""

SHOWN = 10  # trials of a family, its best ones, that get pictures


def pictures_of_folds(title: str, results: Results) -> dict[str, bytes]:
    """The pictures of a cross-validated trial: contents of files by name."""
    assert results.confusion is not None
    pairs = list(zip(results.folds, cycle(FOLDS), strict=False))
    validation = [Line("", one.validation, ink, dashed=True) for one, ink in pairs]
    scores = [Line("", one.held_out or (), ink, chosen=one.best_epoch) for one, ink in pairs]
    losses = [
        Line(f"fold {place}", one.train_loss, ink)
        for place, (one, ink) in enumerate(pairs, start=1)
    ]
    scored = "held-out score (dashed: validation)"
    drawn = {scored: [*validation, *scores], "training loss": losses}
    return _pictures(title, drawn, f"{title}, held-out folds", results.confusion)


def pictures_of_model(title: str, trained: FoldResult, cells: Sequence[int]) -> dict[str, bytes]:
    """The pictures of a model that was retrained and tested: contents of files by name.

    The cells are its confusion on the test split, row by row.
    """
    watched = (trained.validation_accuracy, trained.train_accuracy, trained.validation_loss)
    curve = Curve(trained.train_loss, *(one or () for one in watched))
    side = int(len(cells) ** 0.5)
    matrix = [list(cells[row : row + side]) for row in range(0, len(cells), side)]
    drawn = panels(curve, FOLDS[0], trained.best_epoch)
    return _pictures(title, drawn, f"{title}, test split", matrix)


def _pictures(
    title: str, drawn: dict[str, list[Line]], tested: str, matrix: Sequence[Sequence[int]]
) -> dict[str, bytes]:
    curves = lines("curves", title, drawn)
    confused = confusion("confusion", tested, matrix, FOLDS[0])
    files = {"curves.svg": curves, "confusion.svg": confused}
    return {name: standalone(one.svg).encode() for name, one in files.items()}
