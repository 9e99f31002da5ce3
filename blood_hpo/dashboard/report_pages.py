"""The reports that lie on the dashboard's machine, one click away from the note of their study."""

import mimetypes
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REPORTS = "/reports"
_ASKED = re.compile(f"{REPORTS}/([^/]+)/(.+)")
_HEADERS = [("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-cache")]


def report_address(study: str) -> str:
    """Where the dashboard has the report of a study."""
    return f"{REPORTS}/{quote(study, safe='')}/report.html"


def with_reports(app: "WSGIApplication", folder: Path) -> "WSGIApplication":
    """The application, with the files of reports below ``/reports``.

    Args:
        app: What answers everything else.
        folder: Holds a folder a study, as ``blood-hpo report`` writes them.
    """
    home = folder.resolve()

    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        # WSGI hands a path over as bytes in Latin-1.
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
        asked = _ASKED.fullmatch(path)
        if asked is None:
            return app(environ, start)
        study, name = asked.groups()
        file = Path(f"{home}/{study}/{name}".replace("\0", "")).resolve()
        if not (file.is_relative_to(home) and file.is_file()):
            return _none(study, start)
        content, kind = file.read_bytes(), mimetypes.guess_type(file.name)[0]
        head = [("Content-Type", kind or "application/octet-stream")]
        start("200 OK", [*head, ("Content-Length", str(len(content))), *_HEADERS])
        return [content]

    return answer


def _none(study: str, start: "StartResponse") -> Iterable[bytes]:
    said = f"There is no report of {study} on this machine yet: blood-hpo report {study} writes it."
    start("404 Not Found", [("Content-Type", "text/plain; charset=utf-8"), *_HEADERS])
    return [said.encode()]
