"""The dashboard: optuna-dashboard's pages over a storage that can only read.

It has no login, so it must not be able to change anything: requests that would are refused, its
transactions are read-only, and in a deployment its role may only select. Files and reports tell
what workers wrote, so a browser is told to run nothing of them. The storage is cached: a refresh
reads unfinished trials only.
"""

import io
import json
import logging
import signal
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import optuna
from optuna.artifacts.exceptions import ArtifactNotFound
from sqlalchemy.exc import DBAPIError

from blood_hpo.dashboard.report_pages import SANDBOX, answer, with_reports
from blood_hpo.dashboard.trial_pages import with_kept_trials
from blood_hpo.database.artefacts import by_digest
from blood_hpo.database.failures import explain
from blood_hpo.errors import InputError
from blood_hpo.search.optuna_private import read_each_trial_once
from blood_hpo.store.storage import StudyStorage

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from sqlalchemy import Engine

log = logging.getLogger(__name__)

THREADS = 4  # requests answered at the same time; one process, because the cache is one process's


@dataclass
class DatabaseArtefacts:
    """Files of trials in the database as Optuna's artifact store, which here only reads.

    Workers and dashboard share no folder, so Optuna's own stores on disk are no use.
    """

    engine: "Engine"

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """The content of the file with that SHA-256, or an ArtifactNotFound."""
        content = by_digest(self.engine, artifact_id)
        if content is None:
            raise ArtifactNotFound(f"no file of any study has the SHA-256 {artifact_id}")
        return io.BytesIO(content)


def application(url: str, reports: Path) -> "WSGIApplication":
    """The pages and their API, and the reports of a folder, as a WSGI application.

    The address is that of a database that has this program's schema.
    """
    from optuna_dashboard import wsgi

    storage = StudyStorage(url, "blood-hpo dashboard", read_only=True)
    cached, files = optuna.storages.get_storage(storage), DatabaseArtefacts(storage.engine)
    pages = wsgi(cached, artifact_store=files)
    read_each_trial_once(pages)
    return _guarded(with_reports(with_kept_trials(pages, cached), reports), storage)


def serve(url: str, host: str, port: int, reports: Path) -> None:
    """Serve the dashboard until told to end; where it cannot listen, raise an InputError."""
    from gunicorn.app.base import BaseApplication
    from gunicorn.arbiter import Arbiter

    class Ending(Arbiter):  # type: ignore[misc]
        """Ends with its terminal, where gunicorn would read its settings, unless that is ignored.

        As gunicorn takes signals, in turn: an exception in the middle of a fork would be lost.
        """

        SIGNALS = [one for one in Arbiter.SIGNALS if signal.getsignal(one) != signal.SIG_IGN]  # noqa: RUF012
        handle_hup = Arbiter.handle_term

    class Server(BaseApplication):  # type: ignore[misc]
        """gunicorn, set up here instead of by a file or a command line."""

        def load_config(self) -> None:
            for name, value in {
                "bind": f"{host}:{port}",
                "worker_class": "gthread",
                "threads": THREADS,
                "loglevel": "warning",
                "control_socket_disable": True,
            }.items():
                self.cfg.set(name, value)

        def load(self) -> "WSGIApplication":
            # In the serving process: connections do not survive a fork.
            return application(url, reports)

        def run(self) -> None:
            Ending(self).run()

    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise InputError(
            f"the dashboard cannot listen on {host}:{port}"
            f" ({str(error.strerror).split(' (')[0]}); give another with --host or --port"
        ) from error
    log.info("dashboard: http://%s:%d (it only reads; Ctrl-C ends it)", host, port)
    Server().run()


def _guarded(app: "WSGIApplication", storage: StudyStorage) -> "WSGIApplication":
    """Refuse what would change something; say in one line that the database is away."""

    def guard(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            reason = "this dashboard only reads; change studies with the blood-hpo command"
            return answer(start, "403 Forbidden", json.dumps({"reason": reason}).encode())
        try:
            storage.engine.connect().close()  # which asks the server whether it is there
        except DBAPIError as error:
            reason = explain(error, storage.engine.url)
            log.warning(reason)
            return answer(start, "503 Service Unavailable", json.dumps({"reason": reason}).encode())
        path = environ.get("PATH_INFO", "").encode("latin-1").decode(errors="ignore")
        if not path.startswith("/artifacts/"):  # as Bottle reads it
            return app(environ, start)
        # Of a file a browser runs nothing, whatever a worker has stored.
        return app(
            environ, lambda status, headers, *error: start(status, [*headers, *SANDBOX], *error)
        )

    return guard
