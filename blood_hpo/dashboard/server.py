"""The dashboard: optuna-dashboard's pages over a storage that can only read.

It has no login, so it must not be able to change anything: requests that would are refused, its
transactions are read-only, and in a deployment its role may only select. Files come from workers,
so that a browser is told to run nothing of them. The storage is cached: a
refresh reads unfinished trials only.
"""

import json
import logging
import os
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
from sqlalchemy.exc import DBAPIError

from blood_hpo.dashboard.artifact_store import DatabaseArtefacts
from blood_hpo.database.failures import explain
from blood_hpo.errors import InputError
from blood_hpo.store.storage import StudyStorage

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

REPORTS = Path("report")
SANDBOX = (("X-Content-Type-Options", "nosniff"), ("Content-Security-Policy", "sandbox"))
THREADS = 4
"""Requests answered at the same time; one process, because the cache is one process's."""


def application(url: str, reports: Path = REPORTS) -> "WSGIApplication":
    """The pages and their API as a WSGI application.

    Args:
        url: The address of a database that has this program's schema.
        reports: Folder of the reports, of which each study's is served.
    """
    from optuna_dashboard import wsgi

    from blood_hpo.dashboard.report_pages import with_reports
    from blood_hpo.dashboard.trial_pages import with_kept_trials
    from blood_hpo.search.optuna_private import read_each_trial_once

    storage = StudyStorage(url, "blood-hpo dashboard", read_only=True)
    cached, files = optuna.storages.get_storage(storage), DatabaseArtefacts(storage.engine)
    pages = wsgi(cached, artifact_store=files)
    read_each_trial_once(pages)
    return _guarded(with_reports(with_kept_trials(pages, cached), reports), storage)


def serve(url: str, host: str, port: int, reports: Path = REPORTS) -> None:
    """Serve the dashboard until SIGTERM or SIGINT.

    Raises:
        InputError: The address is taken or not this machine's.
    """
    from gunicorn.app.base import BaseApplication

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

    _refuse_taken(host, port)
    log.info("dashboard: http://%s:%d (it only reads; Ctrl-C ends it)", host, port)
    Server().run()


def _guarded(app: "WSGIApplication", storage: StudyStorage) -> "WSGIApplication":
    """Refuse what would change something; say in one line that the database is away."""

    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            reason = "this dashboard only reads; change studies with the blood-hpo command"
            return _say(start, "403 Forbidden", reason)
        try:
            with storage.engine.connect():
                pass  # which asks the server whether it is there
        except DBAPIError as error:
            reason = explain(error, storage.engine.url)
            log.warning(reason)
            return _say(start, "503 Service Unavailable", reason)
        return app(environ, _sandboxed(start) if _is_a_file(environ) else start)

    return answer


def _is_a_file(environ: "WSGIEnvironment") -> bool:
    return bool(environ.get("PATH_INFO", "").startswith("/artifacts/"))


def _sandboxed(start: "StartResponse") -> "StartResponse":
    """Start an answer in which a browser runs nothing, whatever a worker has stored."""

    def begin(
        status: str, headers: list[tuple[str, str]], error: "OptExcInfo | None" = None, /
    ) -> Callable[[bytes], object]:
        return start(status, [*headers, *SANDBOX], error)

    return begin


def _say(start: "StartResponse", status: str, reason: str) -> Iterable[bytes]:
    body = json.dumps({"reason": reason}).encode()
    start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def _refuse_taken(host: str, port: int) -> None:
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        raise InputError(
            f"the dashboard cannot listen on {host}:{port} ({os.strerror(error.errno or 0)});"
            " give another with --host or --port"
        ) from error
