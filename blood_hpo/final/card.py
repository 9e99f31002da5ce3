"""The model card: what a trained model is, how it came about and what it may not be used for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from blood_hpo.data.facts import CLASSES
from blood_hpo.database.record import TrialRecord
from blood_hpo.store.results import Results, TestedModel


@dataclass(frozen=True)
class Card:
    """What a card says.

    Attributes:
        study: Name of the study that was searched.
        data: Identity of the data set.
        claim: The trial that trained the model.
        results: What it measured.
        summaries: Figures of the model by set of predictions.
    """

    study: str
    data: Mapping[str, Any]
    claim: TrialRecord
    results: Results
    summaries: Mapping[str, Mapping[str, Any]]

    @property
    def model(self) -> TestedModel:
        """The exported model."""
        assert self.results.tested is not None
        return self.results.tested


def model_card(card: Card) -> str:
    """A page in Markdown."""
    parts = [*_head(card), *_origin(card), *_figures(card), *_use(card.model.file)]
    return "\n".join(parts) + "\n"


def _head(card: Card) -> list[str]:
    marked = "**SYNTHETIC DATA: this model has never seen a blood cell.**"
    return [
        f"# {card.model.file}",
        "",
        *([marked, ""] if card.data["synthetic"] else []),
        f"A {card.claim.family} that classifies images of blood cells, 28 x 28 pixels in RGB, into",
        f"{', '.join(CLASSES[:-1])} and {CLASSES[-1]}.",
        "",
        f"SHA-256 of the file: `{card.model.sha256}`",
        "",
    ]


def _origin(card: Card) -> list[str]:
    claim, trained = card.claim, card.results.folds[0]
    source = (
        f"no search: the {claim.recipe} settings"
        if claim.source_number is None
        else f"trial {claim.source_number} of study {card.study}"
    )
    settings = (f"| `{name}` | `{value}` |" for name, value in claim.config.items())
    return [
        "## Where it comes from",
        "",
        f"- Configuration: {source}, hash `{claim.config_hash}`",
        f"- Data: {card.data['label']}, SHA-256 `{card.data['sha256']}`",
        f"- Trainable parameters: {card.results.parameter_count:,}",
        f"- Epochs: {trained.epochs}, of which epoch {trained.best_epoch} was kept",
        f"- Seed: {claim.seed} (number {claim.replicate})",
        f"- Versions: {', '.join(f'{k} {v}' for k, v in card.model.versions.items())}",
        "",
        "| Setting | Value |",
        "| --- | --- |",
        *settings,
        "",
    ]


def _figures(card: Card) -> list[str]:
    found = card.summaries
    rows = ("images", "errors", "accuracy", "balanced_accuracy", "macro_auc", "log_loss")
    return [
        "## How good it is",
        "",
        f"| | {' | '.join(found)} |",
        f"| --- |{' ---: |' * len(found)}",
        *(
            f"| {row.replace('_', ' ')} | {' | '.join(_cell(one[row]) for one in found.values())} |"
            for row in rows
        ),
        "",
        "Averaged: mean prediction over the eight symmetries of each image.",
        "",
    ]


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"


def _use(name: str) -> list[str]:
    return [
        "## Use",
        "",
        "Input: pixels from 0 to 255, shape (n, 28, 28, 3). Output: a probability for each class,",
        "in the order above. Scaling is inside.",
        "",
        f"    keras.models.load_model({name!r})(images)",
        "",
        "It was trained on images of one laboratory and one stain. It is for research and",
        "teaching, not for diagnosis.",
    ]
