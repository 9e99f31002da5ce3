"""Configurations, disks and programs that go wrong: bounded retries, a reason, and on it goes."""

from collections import Counter

import pytest

from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import resume

from .conftest import Measure
from .disk import mounted
from .lab import Lab

FAMILIES = {"mlp": {"budget": 4, "space": {"units": [8, 16, 32, 64, 128]}}}


@pytest.mark.parametrize(
    ("fault", "attempts", "reason"),
    [
        ("crash", 3, "RuntimeError: the network does not fit"),
        ("memory", 3, "MemoryError: Unable to allocate 8.00 TiB"),
        ("nan", 1, "the loss is not finite in epoch 2"),
    ],
)
def test_a_bad_configuration(
    lab: Lab, measured: Measure, fault: str, attempts: int, reason: str
) -> None:
    lab.create(families=FAMILIES)
    workers = [lab.worker(bad_units=16, fault=fault) for _ in range(2)]
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=4)
    failed = lab.trials("FAIL")
    assert [row["attempt"] for row in failed] == list(range(1, attempts + 1))
    assert {row["config"]["units"] for row in failed} == {16}
    assert all(reason in row["reason"] for row in failed)
    assert all("\n" not in row["reason"] for row in failed)
    assert [worker.process.exitcode for worker in workers] == [0, 0]
    measured(f"{attempts} attempts, then given up; 4 of 4 counted without it")


def test_an_ending_that_fails_is_not_trained_again(lab: Lab, measured: Measure) -> None:
    lab.create(budget=2, epochs=6)
    lab.worker(broken=True, fault="ending")
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=2)
    assert [row["attempt"] for row in lab.trials("COMPLETE")] == [2, 2]
    numbers = [row["number"] for row in lab.trials("COMPLETE")]
    resumed = [lab.resumed_from(number) for number in numbers]
    assert resumed == [6, 6]
    measured(f"second attempts go on from epochs {resumed} of 6")


def test_a_configuration_that_kills_its_worker(lab: Lab, measured: Measure) -> None:
    lab.create(families=FAMILIES)
    exits: Counter[int] = Counter()
    while not exits[0]:  # an orchestrator replaces what is killed
        exits[lab.worker(bad_units=16, fault="killed").wait()] += 1
    lab.assert_nothing_lost_or_repeated(budget=4)
    assert exits == {-9: 3, 0: 1}
    assert [row["attempt"] for row in lab.trials("FAIL")] == [1, 2, 3]
    measured("3 workers killed, then given up; 4 of 4 counted without it")


def test_when_everything_fails_the_study_is_paused(lab: Lab, measured: Measure) -> None:
    study = lab.create(budget=8, epochs=3)
    broken = lab.worker(broken=True, fault="crash")
    broken.says(" is paused (5 configurations in a row failed, the last one with:")
    assert "the network does not fit" in broken.text
    broken.process.kill()
    broken.wait()
    resume(StudyStorage(lab.url), study.study_id)
    lab.worker()
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=8)
    failed = len({row["config_hash"] for row in lab.trials("FAIL")})
    measured(f"paused after {failed} configurations; resumed, 8 of 8 counted")


def test_another_version_of_the_program_is_refused(lab: Lab, measured: Measure) -> None:
    lab.create()
    lab.server.rows(
        lab.database,
        "UPDATE hpo.study SET program_version = '0.0.9'"
        " WHERE study_id = (SELECT study_id FROM studies WHERE study_name = %s)",
        lab.study,
    )
    refused = lab.worker()
    assert refused.wait() == 5
    assert "was created by blood_hpo 0.0.9 and this is 0.1.0" in refused.text
    assert lab.trials() == []
    measured("exit 5, both versions named, no trial touched")


@pytest.mark.parametrize(
    ("disk", "options"), [("full", "size=4k,nr_inodes=1"), ("read-only", "ro")]
)
def test_a_disk_that_takes_no_checkpoint(
    lab: Lab, measured: Measure, disk: str, options: str
) -> None:
    lab.create(budget=2)
    with mounted(lab.folder / "checkpoints", options):
        worker = lab.worker()
        lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=2)
    assert worker.text.count("no checkpoint (") == 2
    assert lab.states() == {"COMPLETE": 2}
    measured(f"{disk}: said once a trial, trained to the end without checkpoints")
