"""What a trial leaves in the database besides its value, before it is written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection

from blood_hpo.database.statements import statement
from blood_hpo.training.fold_result import FoldResult


@dataclass(frozen=True)
class Results:
    """All that a complete or pruned trial measured.

    Attributes:
        folds: In their order; a retraining has one.
        seconds: Wall time, with that of earlier attempts that it goes on from.
        parameter_count: Trainable parameters.
        confusion: Images of the held-out folds by true and predicted class, (8, 8); None in a
            retraining.
        tested: Of a retraining: the columns of ``hpo.tested_model`` by name, and under "mistakes"
            the rows of ``hpo.mistake``.
    """

    folds: Sequence[FoldResult]
    seconds: float
    parameter_count: int
    confusion: Sequence[Sequence[int]] | None = None
    tested: Mapping[str, Any] | None = None

    @property
    def epochs(self) -> int:
        """Epochs trained, summed over the folds."""
        return sum(fold.epochs for fold in self.folds)

    def shown(self) -> dict[str, Any]:
        """What an onlooker wants to see of it, by name."""
        return {
            "fold_scores": [round(fold.score, 4) for fold in self.folds],
            "epochs": self.epochs,
            "seconds": round(self.seconds, 1),
            "parameters": self.parameter_count,
        }

    def write(self, connection: Connection, trial_id: int) -> None:
        """Write all of it, in the transaction that ends the trial."""
        cells = self.confusion
        whole = {
            "trial_id": trial_id,
            "epoch": max(fold.epochs for fold in self.folds),
            "epochs": self.epochs,
            "seconds": self.seconds,
            "parameter_count": self.parameter_count,
            "confusion": None if cells is None else [one for row in cells for one in row],
        }
        folds = [
            {"trial_id": trial_id, "fold": number, **asdict(fold)}
            for number, fold in enumerate(self.folds, start=1)
        ]
        rows = {"row": json.dumps(whole), "folds": json.dumps(folds)}
        connection.execute(statement("new_result"), rows)
        if self.tested:
            key = {"trial_id": trial_id}
            mistakes = [{**one, **key} for one in self.tested["mistakes"]]
            rows = {"row": json.dumps({**self.tested, **key}), "mistakes": json.dumps(mistakes)}
            connection.execute(statement("new_tested_model"), rows)


@dataclass(frozen=True)
class Ending:
    """What a complete or pruned trial leaves behind, stored together with its final state.

    Artefacts are contents of files by name, kept under ``<number of the trial>/<name>`` and linked
    to the trial for Optuna; the reason is why it was pruned.
    """

    value: float
    results: Results | None = None
    artefacts: Mapping[str, bytes] = field(default_factory=dict)
    reason: str | None = None
