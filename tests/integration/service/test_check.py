"""The audit finds each thing that should not be, and mends what can be mended."""

import os
from pathlib import Path

import pytest
from optuna.trial import TrialState
from sqlalchemy import text

from blood_hpo.service.budget import Claim, Claims
from blood_hpo.service.check import Audit
from blood_hpo.service.checkpoint import Checkpoint
from blood_hpo.service.studies import SharedStudy
from blood_hpo.settings import Settings

from .conftest import STOP, MakeStudy

BREAKAGES = {
    "over budget": """
        update study_user_attributes set value_json = jsonb_set(
            value_json::jsonb, '{families,mlp,budget}', '1')::text where key = 'spec'""",
    "counted twice": """
        update trial_user_attributes set value_json = (
            select value_json from trial_user_attributes join trials using (trial_id)
            where number = 0 and key = 'config_hash')
        where key = 'config_hash' and trial_id = (select trial_id from trials where number = 2)""",
    "lost": "delete from trial_system_attributes where key = 'retry_history'",
    "without origin": "delete from trial_system_attributes where key = 'retry_history'",
    "retried twice": """
        insert into trial_system_attributes (trial_id, key, value_json)
        select trial_id, 'retry_history', '[1]' from trials where number = 3""",
    "never heard of": "delete from trial_heartbeats",
    "not heard of": "update trial_heartbeats set heartbeat = '2000-01-01'",
    "holds several": """
        update trials set state = 'RUNNING' where number = 2;
        update trial_user_attributes set value_json = '"d"' where key = 'worker'""",
    "without configuration": "delete from trial_user_attributes where key = 'config_hash'",
    "without score": "delete from trial_values",
}
MENDED = {"lost", "never heard of", "not heard of", "left over"}


@pytest.fixture
def study(make_study: MakeStudy) -> SharedStudy:
    """Trials 0 and 2 complete, 1 failed and retried as 4, 3 in training."""
    study = make_study()
    claims = [Claims(study, name).claim(STOP) for name in "abcd"]
    assert all(isinstance(claim, Claim) for claim in claims)
    for claim, worker in zip(claims, "abcd", strict=True):
        assert isinstance(claim, Claim)
        if worker in "ac":
            study.storage.end(claim.trial_id, worker, TrialState.COMPLETE, 0.5, {})
        if worker == "b":
            study.storage.fail(claim.trial_id, {"reason": "dice"}, worker="b", retry=True)
    return study


@pytest.fixture
def audit(study: SharedStudy, tmp_path: Path) -> Audit:
    return Audit(study.storage, study.name, Settings(home=tmp_path))


def test_a_sound_study_has_nothing_to_find(audit: Audit) -> None:
    assert audit.find() == []


@pytest.mark.parametrize("kind", BREAKAGES)
def test_what_is_broken_is_named(study: SharedStudy, tmp_path: Path, kind: str) -> None:
    grace = 0.01 if kind == "not heard of" else 30.0
    audit = Audit(study.storage, study.name, Settings(home=tmp_path, grace_seconds=grace))
    with study.storage.transaction() as session:
        session.execute(text(BREAKAGES[kind]))
    assert kind in {one.kind for one in audit.find()}


@pytest.mark.parametrize("kind", sorted(MENDED & BREAKAGES.keys()))
def test_what_can_be_mended_is_mended(study: SharedStudy, tmp_path: Path, kind: str) -> None:
    audit = Audit(study.storage, study.name, Settings(home=tmp_path, grace_seconds=0.01))
    with study.storage.transaction() as session:
        session.execute(text(BREAKAGES[kind]))
    audit.repair()
    assert kind not in {one.kind for one in audit.find()}


def test_a_checkpoint_that_nobody_needs_is_removed(
    study: SharedStudy, audit: Audit, tmp_path: Path
) -> None:
    attributes = {t.number: t.user_attrs for t in study.storage.get_all_trials(study.study_id)}
    done, needed = (
        Checkpoint(tmp_path, study, attributes[number]["config_hash"]) for number in (0, 3)
    )
    for checkpoint in (done, needed):
        checkpoint.save({})
        os.utime(checkpoint.path, (0, 0))
    assert [(one.kind, one.detail) for one in audit.find()] == [("left over", str(done.path))]
    audit.repair()
    assert not done.path.exists()
    assert needed.path.exists()
