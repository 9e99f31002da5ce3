"""A study's trials as the dashboard's page asks for them, each made into JSON once.

An open page asks every few seconds for all trials from the first unfinished one on. Beside a trial
that runs for long these are thousands, and optuna-dashboard makes the JSON of each of them anew
(benchmarks/dashboard.py). What is finished does not change, so its JSON is kept here.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from optuna.storages import BaseStorage

from blood_hpo.search.optuna_private import page_document, trial_key

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

STUDY = re.compile(r"/api/studies/(\d+)")
NONE_OF_THEM = 2**53  # asked for later trials, optuna-dashboard answers with all but trials


Kept = dict[int, tuple[dict[str, Any], dict[int, bytes]]]
"""By study its attributes and the JSON of its finished trials, some 5 KB a trial of 50 epochs."""


def _trials(kept: Kept, storage: BaseStorage, study_id: int, after: int) -> bytes:
    """The study's trials from the given place on, as a JSON list."""
    # The study's own note, which workers write often, is left out; those of trials are not.
    attributes = {
        key: value
        for key, value in storage.get_study_system_attrs(study_id).items()
        if not key.startswith("dashboard:note")
    }
    # One pair, taken and replaced at once, because requests run in several threads.
    known, finished = kept.setdefault(study_id, (attributes, {}))
    if attributes != known:
        finished = {}
        kept[study_id] = attributes, finished
    shown = []
    for trial in storage.get_all_trials(study_id, deepcopy=False)[after:]:
        said = finished.get(trial_key(trial))
        if said is None:
            said = json.dumps(page_document(study_id, trial, attributes)).encode()
            if trial.state.is_finished():
                finished[trial_key(trial)] = said
        shown.append(said)
    return b"[" + b",".join(shown) + b"]"


def with_kept_trials(app: "WSGIApplication", storage: BaseStorage) -> "WSGIApplication":
    """optuna-dashboard over a storage, with the trials of a study's page from what is kept."""
    kept: Kept = {}

    def pages(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        asked = STUDY.fullmatch(environ.get("PATH_INFO", ""))
        after = parse_qs(environ.get("QUERY_STRING", "")).get("after", ["0"])[0]
        if asked is None or environ["REQUEST_METHOD"] != "GET" or not after.isdecimal():
            return app(environ, start)
        status, headers, content = _ask(app, {**environ, "QUERY_STRING": f"after={NONE_OF_THEM}"})
        if status.startswith("200"):
            trials = _trials(kept, storage, int(asked[1]), int(after))
            rest = {key: value for key, value in json.loads(content).items() if key != "trials"}
            content = b'{"trials":' + trials + b"," + json.dumps(rest).encode()[1:]
        other = [(name, value) for name, value in headers if name.lower() != "content-length"]
        start(status, [*other, ("Content-Length", str(len(content)))])
        return [content]

    return pages


def _ask(
    app: "WSGIApplication", environ: "WSGIEnvironment"
) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status, headers and content of the application's own answer."""
    begun: list[Any] = []

    def start(*said: object) -> Callable[[bytes], object]:
        begun.extend(said)
        return begun.append

    content = b"".join(app(environ, start))
    return begun[0], begun[1], content
