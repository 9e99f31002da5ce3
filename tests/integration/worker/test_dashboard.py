"""The dashboard's application over a real database: it shows, and it changes nothing."""

import json
import socket
import threading
from collections.abc import Iterator
from io import BytesIO
from operator import itemgetter
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from optuna.exceptions import StorageInternalError
from optuna.storages import get_storage
from optuna.study import Study
from optuna.trial import Trial, TrialState
from optuna_dashboard import save_note, wsgi
from sqlalchemy import Engine, text

from blood_hpo.dashboard.server import application, serve
from blood_hpo.database.record import TrialRecord
from blood_hpo.errors import InputError
from blood_hpo.store.results import Ending
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy
from blood_hpo.worker.claims import Claims

from .conftest import MakeStudy


class Browser:
    """Asks the application as a server would."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def ask(
        self, path: str, method: str = "GET", body: bytes = b"", query: str = ""
    ) -> tuple[int, Any]:
        status, _, answer = self.fetch(path, method, body, query)
        shown = json.loads(answer)
        # In no order: Optuna selects attributes without one.
        for trial in [*shown.get("trials", []), *shown.get("best_trials", [])]:
            trial["user_attrs"].sort(key=itemgetter("key"))
        shown.get("union_user_attrs", []).sort(key=itemgetter("key"))
        # optuna-dashboard keeps a set of them, and their choices change places from page to page.
        shown.pop("union_search_space", None)
        return status, shown

    def fetch(
        self, path: str, method: str = "GET", body: bytes = b"", query: str = ""
    ) -> tuple[int, dict[str, str], bytes]:
        environment: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path}
        environment |= {"QUERY_STRING": query}
        environment |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        setup_testing_defaults(environment)
        started: list[tuple[int, dict[str, str]]] = []

        def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            started.append((int(status.split(maxsplit=1)[0]), dict(headers)))

        answer = self._app(environment, start)
        return *started[0], b"".join(answer)


@pytest.fixture
def study(make_study: MakeStudy) -> SharedStudy:
    return make_study()


@pytest.fixture
def browser(study: SharedStudy, database_url: str) -> Browser:
    assert study.name == "small"
    return Browser(application(database_url, Path("report")))


def test_studies_and_their_trials_are_shown(browser: Browser, study: SharedStudy) -> None:
    status, listed = browser.ask("/api/studies")
    assert status == 200
    assert [one["study_name"] for one in listed["study_summaries"]] == ["small"]
    status, shown = browser.ask(f"/api/studies/{study.study_id}")
    assert (status, shown["trials"]) == (200, [])


def test_trials_are_those_of_optuna_dashboard_itself(
    browser: Browser, study: SharedStudy, database_url: str
) -> None:
    """Kept or not, finished or not, each trial is what the library answers."""
    storage = get_storage(StudyStorage(database_url, "library", read_only=True))
    slow = Claims(study, "slow").claim(threading.Event().wait)
    fast = Claims(study, "fast").claim(threading.Event().wait)
    assert isinstance(slow, TrialRecord)
    assert isinstance(fast, TrialRecord)
    page = f"/api/studies/{study.study_id}"
    assert browser.ask(page) == Browser(wsgi(storage)).ask(page)
    study.storage.end(fast.trial_id, "fast", TrialState.COMPLETE, Ending(0.9))
    # Anew, because optuna-dashboard asks the storage again only when its own list is 2 s old.
    browser, library = Browser(application(database_url, Path("report"))), Browser(wsgi(storage))
    answered = library.ask(page)
    assert browser.ask(page) == answered
    assert [trial["state"] for trial in answered[1]["trials"]] == ["Running", "Complete"]
    assert browser.ask(page) == answered
    assert [t["number"] for t in browser.ask(page, query="after=1")[1]["trials"]] == [1]
    assert browser.ask(page, query="after=-1")[0] == 400
    assert browser.ask("/api/studies/999") == library.ask("/api/studies/999")
    save_note(Trial(Study(study.name, study.storage), fast.trial_id), "noted by another program")
    assert browser.ask(page)[1]["trials"][1]["note"]["body"] == "noted by another program"


def test_pictures_are_shown_as_pictures_and_no_file_runs_in_the_browser(
    browser: Browser, study: SharedStudy
) -> None:
    claim = Claims(study, "holder").claim(threading.Event().wait)
    assert isinstance(claim, TrialRecord)
    files = {"curves.svg": study.storage.store(study.study_id, b"<svg/>")}
    files["page.html"] = study.storage.store(study.study_id, b"<script>alert(1)</script>")
    study.storage.end(claim.trial_id, "holder", TrialState.COMPLETE, Ending(0.9), files)
    assert browser.ask("/api/meta")[1]["artifact_is_available"]
    _, shown = browser.ask(f"/api/studies/{study.study_id}")
    stored = {one["filename"]: one["artifact_id"] for one in shown["trials"][0]["artifacts"]}
    folder = f"/artifacts/{study.study_id}/{claim.trial_id}"
    path = f"{folder}/{stored['curves.svg']}"
    status, headers, content = browser.fetch(path)
    assert (status, headers["Content-Type"], content) == (200, "image/svg+xml", b"<svg/>")
    page = f"{folder}/{stored['page.html']}"
    for asked in (page, page.replace("artif", "artif\xff")):  # Bottle drops what is not UTF-8
        status, headers, content = browser.fetch(asked)
        assert (status, content) == (200, b"<script>alert(1)</script>")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "sandbox allow-downloads"
    assert browser.ask(path.replace("/artifacts", "/api/artifacts"), "DELETE")[0] == 403


@pytest.mark.parametrize("method", ["DELETE", "POST", "PUT", "PATCH"])
def test_whatever_would_change_something_is_refused(
    browser: Browser, study: SharedStudy, method: str
) -> None:
    status, said = browser.ask(f"/api/studies/{study.study_id}", method, b"{}")
    assert status == 403
    assert "only reads" in said["reason"]
    assert study.storage.study_id("small") == study.study_id


def test_its_transactions_could_not_write(
    database_url: str, study: SharedStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[StudyStorage] = []

    def kept(*given: Any, **more: Any) -> StudyStorage:
        opened.append(StudyStorage(*given, **more))
        return opened[-1]

    monkeypatch.setattr("blood_hpo.dashboard.server.StudyStorage", kept)
    application(database_url, Path("report"))
    (storage,) = opened
    with pytest.raises(StorageInternalError) as refusal:
        storage.set_study_user_attr(study.study_id, "x", 1)
    assert "read-only transaction" in str(refusal.value.__cause__)
    storage.engine.dispose()


@pytest.fixture
def away(server: Engine, browser: Browser, database_url: str) -> Iterator[Browser]:
    """A dashboard whose database takes no connections any more."""
    name = database_url.rpartition("/")[2].partition("?")[0]
    with server.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        gone = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
        connection.execute(gone, {"name": name})
        yield browser
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))


def test_a_database_that_is_away_is_said_in_one_line(away: Browser) -> None:
    status, said = away.ask("/api/studies")
    assert status == 503
    assert "not currently accepting connections" in said["reason"]
    assert "\n" not in said["reason"]


def test_a_taken_port_is_named(database_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"127\.0\.0\.1:{port} \(Address already in use\)"):
            serve(database_url, "127.0.0.1", port, Path("report"))
