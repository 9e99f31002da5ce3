"""The model card: what a trained model is, how it came about and what it may not be used for.

What it says is in ``templates/card.md``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from blood_hpo.data.facts import CLASSES
from blood_hpo.database.record import TrialRecord
from blood_hpo.store.results import Results
from blood_hpo.text import markdown


@dataclass(frozen=True)
class Card:
    """What a card is made of.

    Attributes:
        study: Name of the study that was searched.
        data: Identity of the data set.
        claim: The trial that trained the model.
        results: What it measured; it has been tested.
        summaries: Figures of the model by set of predictions.
    """

    study: str
    data: Mapping[str, Any]
    claim: TrialRecord
    results: Results
    summaries: Mapping[str, Mapping[str, Any]]


def model_card(card: Card) -> str:
    """A page in Markdown."""
    return markdown(
        __package__,
        "card.md",
        {"figure": _figure, "quoted": repr},
        **vars(card),
        classes=CLASSES,
        model=card.results.tested,
        trained=card.results.folds[0],
        parameter_count=card.results.parameter_count,
    )


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"
