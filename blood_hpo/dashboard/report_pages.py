"""The reports that lie on the dashboard's machine, one click away from the note of their study."""

import mimetypes
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REPORTS = "/reports"
_ASKED = re.compile(f"{REPORTS}/([^/]+)/(.+)")
SANDBOX = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox allow-downloads"),
]
_HEADERS = [*SANDBOX, ("Cache-Control", "no-cache")]


def report_address(study: str) -> str:
    """Where the dashboard has the report of a study."""
    return f"{REPORTS}/{quote(study, safe='')}/report.html"


def answer(
    start: "StartResponse", status: str, body: bytes, kind: str = "application/json"
) -> list[bytes]:
    """Begin an answer of a WSGI application; its body."""
    start(status, [("Content-Type", kind), ("Content-Length", str(len(body))), *_HEADERS])
    return [body]


def with_reports(app: "WSGIApplication", folder: Path) -> "WSGIApplication":
    """The application, with the files of a folder below ``/reports``.

    The folder holds a folder a study, as ``blood-hpo report`` writes them.
    """
    home = folder.resolve()

    def pages(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        # WSGI hands a path over as bytes in Latin-1.
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
        asked = _ASKED.fullmatch(path)
        if asked is None:
            return app(environ, start)
        study, name = asked.groups()
        file = Path(f"{home}/{study}/{name}".replace("\0", "")).resolve()
        with suppress(OSError):  # replaced by a newer one meanwhile, or a name no file can have
            if file.is_relative_to(home) and file.is_file():
                kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
                return answer(start, "200 OK", file.read_bytes(), kind)
        said = f"No report of {study} is on this machine: blood-hpo report {study} writes it."
        return answer(start, "404 Not Found", said.encode(), "text/plain; charset=utf-8")

    return pages
