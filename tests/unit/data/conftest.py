"""A real HTTP server on loopback that can break off, send elsewhere and lack files."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from blood_hpo.settings import Settings


@dataclass
class FileServer:
    """Serves one content under every path; the tests set how.

    Attributes:
        content: The bytes of the file.
        cuts: So many answers break off in the middle of the body.
        redirect: Where to send every request instead.
        missing: Paths that answer 404.
        requests: How many have been answered.
    """

    content: bytes = b""
    cuts: int = 0
    redirect: str | None = None
    missing: frozenset[str] = frozenset()
    requests: int = 0
    url: str = ""


def _handler(server: FileServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.requests += 1
            if server.redirect is not None:
                self.send_response(302)
                self.send_header("Location", server.redirect)
                self.end_headers()
                return
            if self.path in server.missing:
                self.send_error(404)
                return
            size = len(server.content)
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            cut = server.requests <= server.cuts
            self.wfile.write(server.content[: size // 3 if cut else size])

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
