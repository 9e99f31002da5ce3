"""``blood-hpo health``: what a container engine asks to learn whether a worker is alive."""

import typer

from blood_hpo.errors import BloodHpoError, DatabaseError


def health() -> None:
    """Check that what this machine's workers train has a fresh heartbeat; else exit code 1.

    A worker lives through an outage of the database, so one is reported, but is not its fault.

    Example: blood-hpo health
    """
    from blood_hpo.database.address import database_url
    from blood_hpo.database.address import engine as connect
    from blood_hpo.settings import settings
    from blood_hpo.worker.health import held_here

    url = database_url(settings())
    try:
        held = held_here(connect(url, "blood-hpo health"))
    except DatabaseError as error:
        typer.echo(f"cannot tell: {error}")
        return
    for one in held:
        typer.echo(f"trial {one.number}: {one.worker} heard of {one.silent_seconds:.0f} s ago")
    if not held:
        typer.echo("no trial is held here; waiting or starting")
    elif held[0].silent_seconds > settings().grace_seconds:
        raise BloodHpoError(
            f"{held[0].worker} was not heard of for {held[0].silent_seconds:.0f} s"
            f" (allowed: {settings().grace_seconds:g}); restart it, its trial is recovered"
        )
