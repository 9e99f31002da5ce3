"""Reports beside the dashboard: their own files are served, and nothing else of the machine."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from blood_hpo.dashboard.report_pages import report_address, with_reports


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("secret")
    page = tmp_path / "report" / "größe 1" / "report.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>a report")
    (page.parent / "link").symlink_to(tmp_path / "secret")
    return tmp_path / "report"


def ask(folder: Path, path: str) -> tuple[str, dict[str, str], bytes]:
    environment: dict[str, Any] = {"PATH_INFO": path.encode().decode("latin-1")}
    setup_testing_defaults(environment)
    said: list[Any] = []

    def pages(_: object, start: Any) -> Iterable[bytes]:
        start("200 OK", [])
        return [b"the dashboard"]

    app: Any = with_reports(pages, folder)
    body = b"".join(app(environment, lambda *one: said.extend(one)))
    return said[0], dict(said[1]), body


def test_the_report_of_a_study_is_served(folder: Path) -> None:
    status, headers, body = ask(folder, "/reports/größe 1/report.html")
    assert (status, headers["Content-Type"], body) == ("200 OK", "text/html", b"<p>a report")
    assert headers["Content-Length"] == "11"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox allow-downloads"


def test_a_report_that_is_not_there_says_how_it_is_written(folder: Path) -> None:
    status, _, body = ask(folder, "/reports/paper/report.html")
    assert status == "404 Not Found"
    assert b"blood-hpo report paper" in body


@pytest.mark.parametrize(
    "path",
    [
        "/reports/../secret",
        "/reports/größe 1/../../secret",
        "/reports/größe 1/link",
        "/reports/x//secret",
        "/reports/x\0/y",
        "/reports/größe 1/.",
        f"/reports/{'x' * 300}/report.html",
    ],
)
def test_nothing_else_of_the_machine_is_served(folder: Path, path: str) -> None:
    status, _, body = ask(folder, path)
    assert (status, b"secret" in body.replace(path.encode(), b"")) == ("404 Not Found", False)


@pytest.mark.parametrize("path", ["/", "/reports", "/reports/x", "/dashboard/studies/1"])
def test_all_else_is_the_dashboards(folder: Path, path: str) -> None:
    assert ask(folder, path)[2] == b"the dashboard"


def test_an_address_holds_any_name() -> None:
    assert report_address("a/b ü") == "/reports/a%2Fb%20%C3%BC/report.html"
