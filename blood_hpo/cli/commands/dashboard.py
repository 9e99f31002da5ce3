"""``blood-hpo dashboard``: the studies in a browser."""

from pathlib import Path
from typing import Annotated

import typer

from blood_hpo.cli.session import address, engine


def dashboard(
    host: Annotated[
        str, typer.Option(help="Address to listen on; whoever reaches it can read every study.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8080,
    reports: Annotated[
        Path, typer.Option(help="Folder of the reports; a study's note leads to its own.")
    ] = Path("report"),
) -> None:
    """Serve optuna-dashboard and the reports, read-only, until Ctrl-C.

    Example: blood-hpo dashboard --port 8090
    """
    with engine("blood-hpo dashboard"):
        pass  # which checks the schema
    from blood_hpo.dashboard.server import serve

    serve(address(), host, port, reports)
