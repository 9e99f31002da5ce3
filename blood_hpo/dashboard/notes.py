"""The note of a study on the dashboard, kept current by whichever worker finds it old.

A note is a function of what the database holds, so it changes only when something has happened.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from blood_hpo.dashboard.note_text import Facts, note_text
from blood_hpo.database.query import run_query
from blood_hpo.database.statements import statement
from blood_hpo.errors import StudyError
from blood_hpo.store.outage import first_line
from blood_hpo.store.storage import StudyStorage

log = logging.getLogger(__name__)

LEAST_SECONDS = 60.0
"""Nobody reads a note twice a minute."""

BEST = 5
"""Trials of a family in the note."""


def refresh_note(
    storage: StudyStorage, study_id: int, least_seconds: float = LEAST_SECONDS
) -> None:
    """Bring the note of a study up to date, and of the study whose stage it is.

    A note is a courtesy: whatever is in its way, it stays as it was and nobody stumbles over it.

    Args:
        storage: The database.
        study_id: Optuna's key of the study.
        least_seconds: Leave a note alone that was looked after that recently, by the server's
            clock; 0 has it show all that has happened before the call.
    """
    try:
        whole = _refresh(storage, study_id, least_seconds)
        if whole is not None:
            _refresh(storage, storage.study_id(whole), least_seconds)
    except Exception as error:  # a worker must not die of it
        log.warning("the note of the study is not renewed (%s)", first_line(error))


def _refresh(storage: StudyStorage, study_id: int, least_seconds: float) -> str | None:
    """Name of the study whose stage it is, if it is one and was looked after now."""
    turn = {"study_id": study_id, "least_seconds": least_seconds}
    with storage.transaction() as connection:
        if connection.execute(statement("note_turn"), turn).one_or_none() is None:
            return None
        facts = _facts(storage, study_id)
        text = {"study_id": study_id, "text_json": json.dumps(note_text(facts))}
        connection.execute(statement("write_note"), text)
    return facts.stage_of


def _facts(storage: StudyStorage, study_id: int) -> Facts:
    rows = storage.ask("note_facts", study_id=study_id)
    if not rows:
        raise StudyError(f"there is no study with the key {study_id}")
    (row,) = rows
    return Facts(
        **row._mapping,
        progress=list(_rows(storage, "progress", study=row.study)),
        best=list(_rows(storage, "leaderboard", study=row.study, top=BEST)),
        models=list(_rows(storage, "models", study=row.stage_of or row.study)),
    )


def _rows(storage: StudyStorage, query: str, **parameters: object) -> Iterator[Mapping[str, Any]]:
    answer = run_query(storage.engine, query, **parameters)
    return (dict(zip(answer.columns, row, strict=True)) for row in answer.rows)
