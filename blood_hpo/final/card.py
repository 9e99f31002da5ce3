"""The model card: what a trained model is, how it came about and what it may not be used for."""

from collections.abc import Mapping
from typing import Any

from blood_hpo.data.facts import CLASSES
from blood_hpo.database.record import TrialRecord
from blood_hpo.store.results import Results
from blood_hpo.store.studies import SharedStudy
from blood_hpo.text import markdown


def model_card(
    search: SharedStudy,
    claim: TrialRecord,
    results: Results,
    summaries: Mapping[str, Mapping[str, Any]],
) -> str:
    """A page in Markdown about the model of a trial, with its figures by set of predictions."""
    filters = {"figure": _figure, "quoted": repr}
    facts = {"claim": claim, "results": results, "summaries": summaries, "classes": CLASSES}
    return markdown(__package__, "card.md", filters, study=search.name, data=search.data, **facts)


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"
