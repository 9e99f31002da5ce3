"""The pruner of a study, asked about a trial by the values it has reported so far."""

from collections.abc import Mapping

from optuna.pruners import BasePruner, NopPruner, PercentilePruner
from optuna.trial import TrialState, create_trial

from blood_hpo.search.history import FamilyStudy
from blood_hpo.studyfile.tables import PrunerSpec


def build_pruner(spec: PrunerSpec) -> BasePruner:
    """Optuna's pruner for a study file's ``[pruner]`` table.

    Steps are epochs counted from 1 while Optuna counts from 0, hence the ``+ 1``: with 10 warm-up
    epochs the first decision falls after epoch 11.
    """
    if spec.name == "none":
        return NopPruner()
    return PercentilePruner(
        50.0 if spec.name == "median" else spec.percentile,
        n_startup_trials=spec.startup_trials,
        n_warmup_steps=spec.warmup_epochs + 1,
    )


def should_prune(pruner: BasePruner, known: FamilyStudy, reported: Mapping[int, float]) -> bool:
    """Whether a trial of this family with these scores, by epoch from 1, should stop."""
    trial = create_trial(state=TrialState.RUNNING, intermediate_values=dict(reported))
    return bool(pruner.prune(known, trial))
