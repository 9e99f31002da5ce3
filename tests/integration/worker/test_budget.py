"""Exactly the budget, each configuration once, whoever asks and however many."""

import multiprocessing
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from blood_hpo.database.record import TrialRecord, read_trials
from blood_hpo.errors import StudyError
from blood_hpo.settings import Settings
from blood_hpo.store.results import Ending, Results
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy, delete_study, open_study, pause, resume
from blood_hpo.training.fold_result import FoldResult
from blood_hpo.version import __version__
from blood_hpo.worker.checkpoint import Checkpoint
from blood_hpo.worker.claims import Busy, Claims, Finished, Paused
from blood_hpo.worker.join import Queue, Turn
from blood_hpo.worker.search_stage import SearchStage
from blood_hpo.worker.shutdown import Shutdown
from blood_hpo.worker.worker import Worker

from . import claimants
from .claimants import STOP, run_to_the_end
from .conftest import MakeStudy


def test_the_oldest_study_comes_first_and_holds_up_nobody(make_study: MakeStudy) -> None:
    study = [make_study(name=name) for name in ("zebra", "ant")][-1]
    shutdown, asked = Shutdown(1.0), []

    def begin(one: SharedStudy) -> Turn:
        def turn(_: bool | None) -> Busy:
            asked.append(one.name)
            if len(asked) == 2:
                shutdown._drain()
            return Busy()

        return turn

    Queue(study.storage, str(study.data["sha256"]), begin, shutdown, 0.01).run(None)
    assert asked == ["zebra", "ant"]


def test_a_study_that_takes_the_place_of_a_deleted_one_is_not_paused_for_it(
    make_study: MakeStudy,
) -> None:
    study, shutdown = make_study(), Shutdown(1.0)

    def begin(one: SharedStudy) -> Turn:
        def turn(_: bool | None) -> Busy:
            delete_study(one.storage, one.name)
            make_study()
            shutdown._drain()
            raise StudyError("it has been deleted")

        return turn

    Queue(study.storage, str(study.data["sha256"]), begin, shutdown, 0.01).run(None)
    new = open_study(study.storage, study.name)
    assert new.study_id != study.study_id
    with study.storage.plain() as connection:
        assert {row.paused for row in new.standing(connection)} == {None}


def test_a_number_at_the_end_of_all_numbers_stops_nobody(make_study: MakeStudy) -> None:
    study = make_study()
    with study.storage.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO public.trials (study_id, number, state)"
            f" VALUES ({study.study_id}, 2147483647, 'COMPLETE')"
        )
    claim = Claims(study, "holder").claim(STOP)
    assert isinstance(claim, TrialRecord)
    assert claim.number == 0


def test_a_worker_that_finds_a_study_finished_removes_what_is_left_of_it(
    make_study: MakeStudy, database_url: str, tmp_path: Path
) -> None:
    study = make_study(families={"mlp": {"budget": 2, "space": {"units": [64, 128]}}})
    claim = Claims(study, "gone").claim(STOP)
    assert isinstance(claim, TrialRecord)
    left = Checkpoint(tmp_path, study, claim.identity)
    left.save({})  # its worker is killed, and a peer on another machine does it again
    os.utime(left.path, (0, 0))
    study.storage.fail(study.study_id, claim.trial_id, "killed", worker="gone", retry=True)
    run_to_the_end(database_url, "peer", 1)
    no_data: Any = None  # nothing is left to train on
    stage = SearchStage(study, no_data, "host:1:a")
    worker = Worker(stage, Settings(home=tmp_path), Shutdown(1.0))
    assert left.path.exists()
    assert worker.turn() == Finished()
    assert not left.path.exists()


def test_eight_workers_spend_exactly_the_budget_and_repeat_nothing(
    make_study: MakeStudy, database_url: str
) -> None:
    families = {
        "mlp": {"budget": 18, "space": {"units": [64, 128, 256]}},
        "cnn": {"budget": 22, "space": {"filters": [8, 16], "kernel_size": [3, 5]}},
    }
    study = make_study(families=families)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([claimants.__name__])
    workers = [
        processes.Process(target=run_to_the_end, args=(database_url, f"worker-{n}", n))
        for n in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0

    with study.storage.plain() as connection:
        trials = read_trials(connection, "small")
    counted = [t for t in trials if t.state in {"COMPLETE", "PRUNED"}]
    assert Counter(t.family for t in counted) == {"mlp": 18, "cnn": 22}
    assert not [t for t in trials if t.state in {"WAITING", "RUNNING"}]
    first_attempts = [t.config_hash for t in trials if t.attempt == 1]
    assert len(first_attempts) == len(set(first_attempts))
    assert len({t.config_hash for t in counted}) == 40
    optunas = study.storage.get_all_trials(study.study_id)
    assert sorted(t.number for t in optunas) == list(range(len(trials)))


def test_families_are_served_by_the_share_of_their_budget(make_study: MakeStudy) -> None:
    families = {
        "mlp": {"budget": 2, "space": {"units": [64, 128, 256]}},
        "cnn": {"budget": 8, "space": {"filters": [8, 16], "kernel_size": [3, 5]}},
    }
    study = make_study(families=families)
    served = []
    for number in range(10):
        claim = Claims(study, f"worker-{number}").claim(STOP)
        assert isinstance(claim, TrialRecord)
        served.append(claim.family)
    assert Counter(served[:5]) == {"mlp": 1, "cnn": 4}
    assert isinstance(Claims(study, "one more").claim(STOP), Busy)


def test_a_worker_without_a_name_takes_studies_of_its_program_and_data_alone(
    make_study: MakeStudy,
) -> None:
    study = make_study()
    own = {"program_version": __version__, "sha256": str(study.data["sha256"])}
    for differs, found in (({}, ["small"]), ({"program_version": "0"}, []), ({"sha256": "b"}, [])):
        rows = study.storage.ask("unfinished", **own | differs)
        assert [row.name for row in rows] == found


def test_a_claim_whose_answer_was_lost_is_answered_again(make_study: MakeStudy) -> None:
    claims = Claims(make_study(), "one")
    first = claims.claim(STOP)
    assert isinstance(first, TrialRecord)
    assert claims.claim(STOP) == first


def test_a_sampler_sees_no_epochs_of_a_run_that_was_begun_afresh(make_study: MakeStudy) -> None:
    """Put back after epoch 30, and taken where its checkpoint is not, it was pruned after 12."""
    study = make_study()
    for worker, epochs in (("one", 30), ("two", 12)):
        claim = Claims(study, worker).claim(STOP)
        assert isinstance(claim, TrialRecord)
        reported = dict.fromkeys(range(1, epochs + 1), 0.3)
        study.storage.report(claim.trial_id, worker, reported)
        if worker == "one":
            study.storage.put_back(claim.trial_id, worker)
    assert isinstance(claim, TrialRecord)
    folds = [FoldResult(0.3, 12, 12, [1.0], [0.3], held_out=[0.3])]
    ending = Ending(0.3, Results(folds, 1.0, 10))
    assert study.storage.end(claim.trial_id, "two", TrialState.PRUNED, ending)
    (known,) = Claims(study, "two").known(claim.family).get_trials()
    assert known.last_step == 12


def test_a_raised_budget_reaches_workers_that_are_at_work(make_study: MakeStudy) -> None:
    families = {"mlp": {"budget": 1, "space": {"units": [64, 128, 256]}}}
    study = make_study(families=families)
    claims = Claims(study, "one")
    for budget in (1, 2):
        families["mlp"]["budget"] = budget
        make_study(families=families)
        claim = claims.claim(STOP)
        assert isinstance(claim, TrialRecord)
        study.storage.end(claim.trial_id, "one", TrialState.COMPLETE, Ending(0.5))
        assert claims.claim(STOP) == Finished()


def test_a_deleted_study_is_one_line(make_study: MakeStudy) -> None:
    study = make_study()
    claims = Claims(study, "one")
    claim = claims.claim(STOP)
    assert isinstance(claim, TrialRecord)
    study.storage.delete_study(study.study_id)
    assert not study.storage.end(claim.trial_id, "one", TrialState.COMPLETE, Ending(0.5))
    with pytest.raises(StudyError, match="study 'small' has been deleted"):
        claims.claim(STOP)


def test_an_exhausted_space_closes_the_budget_and_says_so(make_study: MakeStudy) -> None:
    study = make_study(
        space={}, families={"mlp": {"budget": 10, "space": {"units": [64, 128, 256]}}}
    )
    claims = Claims(study, "one")
    for _ in range(3):
        claim = claims.claim(STOP)
        assert isinstance(claim, TrialRecord)
        study.storage.end(claim.trial_id, "one", TrialState.COMPLETE, Ending(0.5))
    assert claims.claim(STOP) == Finished(closed=("mlp",))


def test_a_space_whose_last_configuration_a_peer_has_just_claimed_is_not_finished(
    make_study: MakeStudy,
) -> None:
    study = make_study(space={}, families={"mlp": {"budget": 3, "space": {"units": [64, 128]}}})
    claims, peer = Claims(study, "one"), Claims(study, "peer")
    first = claims.claim(STOP)
    assert isinstance(first, TrialRecord)
    study.storage.end(first.trial_id, "one", TrialState.COMPLETE, Ending(0.5))
    with study.storage.plain() as connection:
        before = study.standing(connection)
        assert isinstance(peer.claim(STOP), TrialRecord)
        assert claims._create(connection, before) == Busy()


def test_a_failed_configuration_gives_its_place_to_another(make_study: MakeStudy) -> None:
    study = make_study(
        space={}, families={"mlp": {"budget": 2, "space": {"units": [64, 128, 256]}}}
    )
    claims = Claims(study, "one")
    failed = claims.claim(STOP)
    assert isinstance(failed, TrialRecord)
    study.storage.fail(study.study_id, failed.trial_id, "NaN", worker="one", retry=False)
    rest = set()
    for _ in range(2):
        claim = claims.claim(STOP)
        assert isinstance(claim, TrialRecord)
        rest.add(claim.config_hash)
        study.storage.end(claim.trial_id, "one", TrialState.COMPLETE, Ending(0.5))
    assert len(rest) == 2
    assert failed.config_hash not in rest
    assert claims.claim(STOP) == Finished()


def test_a_paused_study_gives_nothing_out_until_it_is_resumed(make_study: MakeStudy) -> None:
    study = make_study()
    claims = Claims(study, "one")
    pause(study.storage, study.study_id, "the disk is full")
    assert claims.claim(STOP) == Paused("the disk is full")
    resume(study.storage, study.study_id)
    assert isinstance(claims.claim(STOP), TrialRecord)


def test_one_worker_proposes_the_same_configurations_in_every_run(
    make_study: MakeStudy, storage: StudyStorage
) -> None:
    runs = []
    for name in ("first", "second"):
        study = make_study(name=name, sampler={"name": "tpe", "startup_trials": 3})
        claims, proposed = Claims(study, "one"), []
        while isinstance(claim := claims.claim(STOP), TrialRecord):
            proposed.append(claim.config_hash)
            score = int(claim.config_hash[:4], 16) / 65536
            storage.end(claim.trial_id, "one", TrialState.COMPLETE, Ending(score))
        runs.append(proposed)
    assert runs[0] == runs[1]
    assert len(runs[0]) == 12


def test_a_staged_grid_waits_for_a_stage_and_fixes_its_best(make_study: MakeStudy) -> None:
    family = {
        "space": {"units": [64, 128], "activation": ["relu", "tanh"]},
        "start": {"units": 64, "activation": "relu"},
        "stages": [["units"], ["activation"]],
    }
    kind = {"sampler": {"name": "staged_grid"}, "pruner": {"name": "none"}}
    study = make_study(space={}, **kind, families={"mlp": family})
    stage = {name: Claims(study, name).claim(STOP) for name in ("one", "two")}
    claims = Claims(study, "three")
    assert isinstance(claims.claim(STOP), Busy)
    for worker, claim in stage.items():
        assert isinstance(claim, TrialRecord)
        score = 0.9 if claim.params["units"] == 128 else 0.1
        study.storage.end(claim.trial_id, worker, TrialState.COMPLETE, Ending(score))
    last = claims.claim(STOP)
    assert isinstance(last, TrialRecord)
    assert last.params == {"units": 128, "activation": "tanh"}
    study.storage.end(last.trial_id, "three", TrialState.COMPLETE, Ending(0.5))
    assert isinstance(claims.claim(STOP), Finished)
