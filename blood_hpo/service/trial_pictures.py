"""What the dashboard shows of a trial: its learning curves and the classes it confuses."""

from collections.abc import Mapping
from typing import Any

from blood_hpo.data.facts import CLASSES
from blood_hpo.service.pictures import Curve, Panel, confusion, curves

CURVES_FILE, CONFUSION_FILE = "curves.svg", "confusion.svg"
FOLDS = ("#0072b2", "#b85208", "#00795a", "#74508f", "#8a6d00")
"""Colours of the folds, told apart with any kind of colour vision; a sixth fold begins anew."""

MUTED = "#5f6570"
SHOWN = 10
"""Trials of a family, its best ones, that get pictures."""


def pictures_of_folds(title: str, attributes: Mapping[str, Any]) -> dict[str, bytes]:
    """The pictures of a cross-validated trial.

    Args:
        title: What the trial is.
        attributes: Its user attributes ``curves``, ``fold_best_epochs`` and
            ``held_out_confusion``.

    Returns:
        Contents of files by name.
    """
    matrix = attributes["held_out_confusion"]
    return {
        CURVES_FILE: curves(title, _fold_panels(attributes)),
        CONFUSION_FILE: confusion(f"{title}, held-out folds", matrix, CLASSES),
    }


def _fold_panels(attributes: Mapping[str, Any]) -> list[Panel]:
    found, best = attributes["curves"], attributes["fold_best_epochs"]
    colours = [FOLDS[fold % len(FOLDS)] for fold in range(len(best))]
    labels = [f"fold {fold}" for fold in range(1, len(best) + 1)]
    scores = [
        Curve("", values, colour, chosen=chosen)
        for values, colour, chosen in zip(found["score"], colours, best, strict=True)
    ]
    validation = [
        Curve("", values, colour, dashed=True)
        for values, colour in zip(found["validation"], colours, strict=True)
    ]
    losses = [
        Curve(label, values, colour)
        for label, values, colour in zip(labels, found["train_loss"], colours, strict=True)
    ]
    title = "held-out score (dashed: validation)"
    return [Panel(title, [*validation, *scores]), Panel("training loss", losses)]


def pictures_of_model(title: str, attributes: Mapping[str, Any]) -> dict[str, bytes]:
    """The pictures of a model that was retrained and tested.

    Args:
        title: What the model is.
        attributes: The user attributes ``curves``, ``best_epoch`` and ``confusion`` of its trial.

    Returns:
        Contents of files by name.
    """
    found, best = attributes["curves"], attributes["best_epoch"]
    panels = [
        Panel(
            label,
            [
                Curve("training", found[f"train_{label}"][0], MUTED, dashed=True),
                Curve("validation", found[f"validation_{label}"][0], FOLDS[0], chosen=best),
            ],
        )
        for label in ("accuracy", "loss")
    ]
    return {
        CURVES_FILE: curves(title, panels),
        CONFUSION_FILE: confusion(f"{title}, test split", attributes["confusion"], CLASSES),
    }
