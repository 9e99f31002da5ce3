"""Trials of real searches, kept so that samplers and pruners can be compared without training.

    python benchmarks/recorded.py paper-grid blood

puts the finished trials of these studies into ``recorded_trials.json`` beside this file, in place
of those that it had of them: searched hyperparameters, score, the score of each fold after each
epoch, and what the trial reported to the pruner, to four digits.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import text

FILE = Path(__file__).with_name("recorded_trials.json")
TRIALS = """
    SELECT study, number, family, state, score, params, curves.folds, reported.reports
    FROM hpo.trials JOIN (
        SELECT study, number, json_agg(scores ORDER BY fold) AS folds FROM (
            SELECT study, number, fold, json_agg(round(score::numeric, 4) ORDER BY epoch) AS scores
            FROM hpo.learning_curves GROUP BY study, number, fold
        ) AS one GROUP BY study, number
    ) AS curves USING (study, number) JOIN (
        SELECT study, number, json_agg(round(score::numeric, 4) ORDER BY epoch) AS reports
        FROM hpo.reported_scores GROUP BY study, number
    ) AS reported USING (study, number)
    WHERE study = :study AND state IN ('COMPLETE', 'PRUNED') ORDER BY number
"""
DATA = "SELECT data_label, data_sha256 FROM hpo.studies WHERE study = :study"


class Recorded(NamedTuple):
    """A finished trial.

    Attributes:
        study: Whose it is.
        number: In its study.
        family: Which networks.
        state: COMPLETE or PRUNED.
        score: Mean over the folds; of a pruned one when it was stopped.
        params: What was searched.
        folds: Score of each fold after each epoch.
        reports: What the pruner was told after each epoch; of some old trials it is not known.
    """

    study: str
    number: int
    family: str
    state: str
    score: float
    params: Mapping[str, Any]
    folds: Sequence[Sequence[float]]
    reports: Sequence[float] | None = None


def recorded(study: str | None = None) -> list[Recorded]:
    """The recorded trials, of all studies or of one."""
    rows = json.loads(FILE.read_text("utf-8"))["trials"]
    trials = [Recorded(**{**row, "score": float(row["score"])}) for row in rows]
    return [one for one in trials if study in (None, one.study)]


def main() -> None:
    """Write the trials of the studies that are named."""
    from blood_hpo.database.address import database_url, engine
    from blood_hpo.settings import settings

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", nargs="+", help="Studies of the database.")
    names = parser.parse_args().studies
    with engine(database_url(settings())).connect() as connection:
        answers = [connection.execute(text(TRIALS), {"study": name}) for name in names]
        rows = [row._asdict() for answer in answers for row in answer]
        asked = connection.execute(text(DATA), {"study": names[0]}).one()
    kept = [one._asdict() for one in recorded() if one.study not in names]
    head = f'{json.dumps(asked.data_label)}, "sha256": {json.dumps(asked.data_sha256)}'
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in [*kept, *rows])
    FILE.write_text(f'{{"data": {head}, "trials": [\n{lines}\n]}}\n', "utf-8")
    print(f"{len(rows)} trials of {', '.join(names)} in {FILE}, {len(kept)} of others")


if __name__ == "__main__":
    main()
