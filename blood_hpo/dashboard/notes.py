"""The note of a study on the dashboard, kept current by whichever worker finds it old.

A note is a function of what the database holds, so it changes only when something has happened.
What it says is in ``templates/note.md``, as the Markdown that optuna-dashboard shows.
"""

import json
import logging
import re
from functools import partial

from blood_hpo.dashboard.report_pages import report_address
from blood_hpo.database.query import run_query
from blood_hpo.store.outage import first_line
from blood_hpo.store.storage import StudyStorage
from blood_hpo.text import rendered

log = logging.getLogger(__name__)

LEAST_SECONDS = 60.0  # nobody reads a note twice a minute
BEST = 5  # trials of a family in the note


def refresh_note(
    storage: StudyStorage, study_id: int, least_seconds: float = LEAST_SECONDS
) -> None:
    """Bring the note of a study up to date, and of the study whose stage it is.

    A note that was looked after ``least_seconds`` ago or later, by the server's clock, is left
    alone. It is a courtesy: whatever is in its way, it stays as it was and nobody stumbles over it.
    """
    try:
        whole = _refresh(storage, study_id, least_seconds)
        if whole is not None:
            _refresh(storage, storage.study_id(whole), least_seconds)
    except Exception as error:  # a worker must not die of it
        log.warning("the note of the study is not renewed (%s)", first_line(error))


def _refresh(storage: StudyStorage, study_id: int, least_seconds: float) -> str | None:
    """Name of the study whose stage it is, if it is one and was looked after now."""
    noted = storage.ask("note_turn", study_id=study_id, least_seconds=least_seconds)
    if not noted:
        return None
    (row,) = storage.ask("described", study=noted[0].study)
    ask = partial(run_query, storage.engine)
    stage_of = row.search if row.search != row.study else None
    facts = {
        **row._mapping,
        "study_id": study_id,
        "stage_of": stage_of,
        "progress": ask("progress", study=row.study).records(),
        "best": ask("leaderboard", study=row.study, top=BEST).records(),
        "models": ask("models", study=row.search).records(),
    }
    spelt = {"report_address": report_address, "prose": _prose}
    note = json.dumps(rendered(__package__, "note.md", spelt, **facts))
    storage.tell("write_note", study_id=study_id, noted_at=noted[0].noted_at, text_json=note)
    return stage_of


def _prose(text: str) -> str:
    """Words as they are: optuna-dashboard would make links and HTML of what looks like it."""
    return re.sub(r"([\\`*_\[\]<>#|!&])", r"\\\1", text)
