"""A real HTTP server on loopback that can resume, refuse to resume, break off and stay silent."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from blood_hpo.settings import Settings


@dataclass
class FileServer:
    """Serves one content under every path; the tests set how.

    Attributes:
        content: The bytes of the file.
        breaks_after: Close the connection after so many bytes of the body.
        resumes: Whether Range requests are honoured.
        redirect: Where to send every request instead.
        missing: Paths that answer 404.
        ranges: The Range header of each request so far, "" for none.
    """

    content: bytes = b""
    breaks_after: int | None = None
    resumes: bool = True
    redirect: str | None = None
    missing: frozenset[str] = frozenset()
    ranges: list[str] = field(default_factory=list)
    url: str = ""


def _handler(server: FileServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            server.ranges.append(asked)
            if server.redirect is not None:
                self.send_response(302)
                self.send_header("Location", server.redirect)
                self.end_headers()
                return
            if self.path in server.missing:
                self.send_error(404)
                return
            start = int(asked[len("bytes=") : -1]) if asked and server.resumes else 0
            size = len(server.content)
            if start and start >= size:
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
            self.send_header("Content-Length", str(size - start))
            self.end_headers()
            self.wfile.write(server.content[start:][: server.breaks_after])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing: the tests read standard error."""

    return Handler


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def file_server() -> Iterator[FileServer]:
    served = FileServer()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(served)) as server:
        served.url = f"http://127.0.0.1:{server.server_port}/bloodmnist.npz"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield served
        server.shutdown()


@pytest.fixture
def own_settings(tmp_path: Path) -> Settings:
    """Settings with a cache of their own and no BLOOD_HPO_DATA, whatever the environment says."""
    return Settings(cache=tmp_path / "cache", data=None)
