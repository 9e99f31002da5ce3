"""The audit finds what the keys rule out, where somebody has taken the keys away."""

import pytest
from sqlalchemy import Engine

from blood_hpo.database.query import run_query

from .conftest import BUDGETS, Recorder

BREAKAGES = {
    "over budget": """
        ALTER TABLE hpo.configuration DROP CONSTRAINT configuration_check;
        UPDATE hpo.configuration SET place = place + 90 WHERE family = 'cnn';
        UPDATE hpo.budget SET budget = 1 WHERE family = 'cnn'""",
    "counted twice": """
        DROP INDEX hpo.configuration_once;
        ALTER TABLE hpo.configuration
            DROP CONSTRAINT configuration_study_id_config_hash_seed_key;
        UPDATE hpo.configuration SET config_hash = repeat('a', 16) WHERE family = 'mlp'""",
    "other state": "UPDATE public.trials SET state = 'FAIL' WHERE number = 0",
    "lost": "DELETE FROM public.trials WHERE number = 5",
    "never heard of": "UPDATE hpo.attempt SET heartbeat_at = NULL WHERE number = 6",
    "holds several": """
        UPDATE public.trials SET state = 'RUNNING' WHERE number = 5;
        UPDATE hpo.attempt SET worker = 'host-c:3:0' WHERE number = 5""",
    "without result": "DELETE FROM hpo.result",
    "without score": "UPDATE public.trial_values SET value = 'NaN'",
    "unlinked file": """
        INSERT INTO hpo.piece (study_id, sha256, piece, content, stored_at)
        SELECT study_id, repeat('ab', 32), 0, 'x', '2000-01-01' FROM hpo.study""",
}


def kinds(connected: Engine, study: str, grace: float = 30.0) -> set[object]:
    return {
        row[0] for row in run_query(connected, "inconsistencies", study=study, grace=grace).rows
    }


def test_nothing_is_found_in_a_study_with_trials_in_every_state(
    study: str, connected: Engine
) -> None:
    assert kinds(connected, study) == set()


@pytest.mark.parametrize("kind", BREAKAGES)
def test_what_is_broken_is_named(
    recorder: Recorder, study: str, connected: Engine, kind: str
) -> None:
    recorder.create("beside", **BUDGETS)  # whose rows are nobody's business
    guarded = ("public.trials", "public.trial_values", "hpo.attempt")  # what has ended stays
    with connected.begin() as connection:
        for table in guarded:
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        connection.exec_driver_sql(BREAKAGES[kind].replace("hpo.study", "hpo.study LIMIT 1"))
    assert kind in kinds(connected, study)
    assert kinds(connected, "beside") == set()


def test_silence_counts_from_the_heartbeat(study: str, connected: Engine) -> None:
    assert kinds(connected, study, grace=0) == {"not heard of"}
    with connected.begin() as connection:
        connection.exec_driver_sql("UPDATE hpo.attempt SET heartbeat_at = '2000-01-01' WHERE open")
    # The server has started since: nobody could be heard before.
    assert kinds(connected, study, grace=86_400 * 365) == set()
