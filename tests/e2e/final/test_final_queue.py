"""A worker without a name: it takes what needs work, oldest first, and waits for more."""

import os
import signal

import pytest

from ...waiting import until
from .conftest import STUDY, House

pytestmark = pytest.mark.timeout(900)

SHORT = (
    STUDY.replace("budget = 2", "budget = 1")
    .replace("confirm_top = 2\nconfirm_splits = 2", "confirm_top = 1\nconfirm_splits = 1")
    .replace("epochs = 60\npatience = 60", "epochs = 2\npatience = 2")
)


def finished(house: House) -> list[str]:
    """Finished searches, in the order in which they were."""
    asked = "SELECT study_name FROM hpo.study JOIN studies USING (study_id)"
    rows = house.rows(f"{asked} WHERE finished_at IS NOT NULL ORDER BY finished_at")
    return [row["study_name"] for row in rows if row["study_name"].startswith("queue")]


def test_studies_are_worked_on_in_the_order_of_their_creation(house: House) -> None:
    for name in ("queue-b", "queue-a"):
        house.create(name, text=SHORT)
    house.run("study", "pause", "queue-b")
    worker = house.start("worker")
    try:
        until(
            lambda: finished(house) == ["queue-a"], "a tested", 400
        )  # a paused study holds nobody up
        house.run("study", "resume", "queue-b")
        until(lambda: finished(house) == ["queue-a", "queue-b"], "b tested", 400)
        tested = house.rows("SELECT study FROM hpo.progress WHERE study LIKE 'queue-%-final'")
        assert {row["study"] for row in tested} == {"queue-a-final", "queue-b-final"}

        again = house.folder / "queue-a.toml"
        again.write_text(again.read_text().replace("seeds = 1", "seeds = 2"))
        house.run("study", "create", str(again))  # which changes its final stage
        until(lambda: finished(house) == ["queue-b", "queue-a"], "a tested again", 400)
        (models,) = house.rows("SELECT budget FROM hpo.progress WHERE study = 'queue-a-final'")
        assert models["budget"] == 2
        assert worker.stderr is not None
        lines = iter(worker.stderr.readline, "")
        assert any("no study needs work; waiting for one" in line for line in lines)
        worker.send_signal(signal.SIGTERM)
        _, said = worker.communicate(timeout=60)
        assert worker.returncode == 130, said
        assert said.rstrip().endswith("drained")
    finally:
        if worker.poll() is None:
            os.kill(worker.pid, signal.SIGKILL)
