"""A large study that nobody trained: SYNTHETIC rows in Optuna's own tables, from a seed.

Everything that a worker would have written is there, under the names and in the tables in which a
worker writes it, so that views, dashboard and commands can be timed at a size that takes weeks to
train. The numbers mean nothing.
"""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, FloatDistribution, distribution_to_json

from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.models.hyperparameters import config_hash
from blood_hpo.models.registry import FAMILIES
from blood_hpo.search.space import MODEL, family_distributions, model_distribution
from blood_hpo.service.storage import StudyStorage
from blood_hpo.service.studies import create_study
from blood_hpo.studyfile.load import load
from blood_hpo.studyfile.schema import StudySpec

STUDY_FILE = Path(__file__).parents[1] / "studies/blood.toml"
EPOCHS, FOLDS, CLASSES, TEST_IMAGES, WRONG = 50, 3, 8, 3421, 0.1
COLUMNS = {
    "trials": "trial_id, number, study_id, state, datetime_start, datetime_complete",
    "trial_user_attributes": "trial_id, key, value_json",
    "trial_system_attributes": "trial_id, key, value_json",
    "trial_params": "trial_id, param_name, param_value, distribution_json",
    "trial_values": "trial_id, objective, value, value_type",
    "trial_intermediate_values": "trial_id, step, intermediate_value, intermediate_value_type",
    "trial_heartbeats": "trial_id, heartbeat",
}
Row = tuple[object, ...]


@dataclass
class Writer:
    """Collects rows of Optuna's tables and copies them into the database.

    Attributes:
        study_id: Optuna's key of the study.
        trial_id: Key of the latest trial.
        number: Number of the latest trial in the study.
        rows: Rows by table.
    """

    study_id: int
    trial_id: int
    number: int = -1
    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def trial(self, state: str, started: datetime, finished: datetime | None) -> None:
        """Begin the next trial."""
        self.trial_id, self.number = self.trial_id + 1, self.number + 1
        row = (self.trial_id, self.number, self.study_id, state, started, finished or "")
        self.rows["trials"].append(row)

    def add(self, table: str, *values: object) -> None:
        """Add a row of the latest trial."""
        self.rows[table].append((self.trial_id, *values))

    def attributes(self, values: Mapping[str, object]) -> None:
        """Add user attributes of the latest trial."""
        for key, value in values.items():
            self.add("trial_user_attributes", key, json.dumps(value))

    def copy(self, cursor: Any) -> None:  # noqa: ANN401 - psycopg2 has no types
        """Write all rows."""
        for table, columns in COLUMNS.items():
            text = io.StringIO()
            csv.writer(text).writerows(self.rows[table])
            text.seek(0)
            cursor.copy_expert(f"COPY public.{table} ({columns}) FROM STDIN (FORMAT csv)", text)


@dataclass(frozen=True)
class Space:
    """What a family searches, and the spelling of each distribution in the database."""

    family: str
    fixed: Mapping[str, object]
    distributions: Mapping[str, BaseDistribution]

    def draw(self, random: np.random.Generator) -> dict[str, Any]:
        """A configuration, as the study file would have it searched."""
        return {name: _draw(one, random) for name, one in self.distributions.items()}


def fill(url: str, trials: int, seed: int, name: str = "synthetic") -> str:
    """Write a study with its final stage into a database that has been migrated.

    Args:
        url: The address of the database.
        trials: Complete trials, each of 3 folds over 50 epochs. Beside them there are a tenth as
            many pruned ones, a hundredth as many failed ones with a retry each, and eight running.
        seed: Of all random numbers.
        name: Name of the study.

    Returns:
        The name of the study.
    """
    random = np.random.default_rng(seed)
    storage = StudyStorage(url, "benchmark")
    pruned, failed = trials // 10, trials // 100
    states = ["COMPLETE"] * trials + ["PRUNED"] * pruned + ["FAIL"] * failed
    random.shuffle(states)
    spec = _spec(name, trials + pruned + 100)
    source = DataSource(
        Path("none.npz"), "path", "0" * 64, "0" * 32, official=False, synthetic=True
    )
    create_study(storage, spec, source)
    writer = _writer(storage, name)
    _search(writer, spec, [*states, *["RUNNING"] * 8], random)
    _copy(storage, writer)
    _confirmation(storage, spec)
    _final(storage, spec, source, random)
    storage.engine.dispose()
    return name


def _spec(name: str, budget: int) -> StudySpec:
    spec = load(STUDY_FILE)
    document = {**spec.model_dump(mode="json"), "name": name, "description": "SYNTHETIC: no images"}
    return StudySpec.parse(document, name).with_budgets(dict.fromkeys(spec.families, budget // 2))


def _copy(storage: StudyStorage, writer: Writer) -> None:
    connection = storage.engine.raw_connection()
    with connection.cursor() as cursor:
        writer.copy(cursor)
        cursor.execute("SELECT setval('trials_trial_id_seq', (SELECT max(trial_id) FROM trials))")
    connection.commit()
    connection.close()


def _writer(storage: StudyStorage, name: str) -> Writer:
    with storage.engine.connect() as connection:
        latest = connection.exec_driver_sql("SELECT max(trial_id) FROM trials").scalar_one()
    return Writer(storage.study_id(name), latest or 0)


def _search(
    writer: Writer, spec: StudySpec, states: Sequence[str], random: np.random.Generator
) -> None:
    spaces = [
        Space(name, dict(one.fixed), family_distributions(spec, name))
        for name, one in spec.families.items()
    ]
    model = model_distribution(spec)
    now = datetime.now(UTC).replace(tzinfo=None)
    for place, state in enumerate(states):
        started = now - timedelta(seconds=30.0 * (len(states) - place))
        space = spaces[int(random.integers(len(spaces)))]
        params = space.draw(random)
        attempts = 2 if state == "FAIL" else 1
        for attempt in range(1, attempts + 1):
            outcome = "COMPLETE" if attempt > 1 else state
            _trial(writer, space, params, outcome, started, random)
            writer.attributes({"attempt": attempt})
            _params(writer, {MODEL: model, **space.distributions}, {MODEL: space.family, **params})
            if attempt > 1:
                origin = writer.number - 1
                writer.add("trial_system_attributes", "failed_trial", json.dumps(origin))
                writer.add("trial_system_attributes", "retry_history", json.dumps([origin]))


def _params(
    writer: Writer, distributions: Mapping[str, BaseDistribution], values: Mapping[str, Any]
) -> None:
    for name, one in distributions.items():
        stored = one.to_internal_repr(values[name])
        writer.add("trial_params", name, stored, distribution_to_json(one))


def _trial(  # noqa: PLR0913, PLR0917 - what a trial is
    writer: Writer,
    space: Space,
    params: Mapping[str, Any],
    state: str,
    started: datetime,
    random: np.random.Generator,
) -> None:
    epochs = EPOCHS if state == "COMPLETE" else int(random.integers(10, EPOCHS))
    seconds = round(epochs * float(random.uniform(0.5, 2.0)), 3)
    finished = None if state == "RUNNING" else started + timedelta(seconds=seconds)
    config = _config(space, params)
    writer.trial(state, started, finished)
    worker = f"host-{int(random.integers(8))}:{int(random.integers(100, 104))}:0"
    born = {"family": space.family, "config": config, "seed": int(random.integers(2**31))}
    known = {"config_hash": _hash(space.family, config), "repeats_avoided": 0, "worker": worker}
    writer.attributes(born | known)
    curves = _curves(epochs, random)
    means = np.mean(curves["score"], axis=0)
    for step, value in enumerate(means, start=1):
        writer.add("trial_intermediate_values", step, value, "FINITE")
    writer.add("trial_heartbeats", finished or datetime.now(UTC).replace(tzinfo=None))
    if state in {"COMPLETE", "PRUNED"}:
        writer.add("trial_values", 0, means.max(), "FINITE")
        writer.attributes(_ending(curves, epochs, seconds, random))
    if state in {"PRUNED", "FAIL"}:
        writer.attributes({"reason": f"{state.lower()} after epoch {epochs}"})
    if state == "FAIL":
        writer.attributes({"final_failure": False, "seconds": seconds})


def _ending(
    curves: Mapping[str, Any], epochs: int, seconds: float, random: np.random.Generator
) -> dict[str, object]:
    return {
        "fold_scores": [max(one) for one in curves["score"]],
        "fold_epochs": [epochs] * FOLDS,
        "fold_best_epochs": [int(np.argmax(one)) + 1 for one in curves["score"]],
        "epochs_trained": epochs * FOLDS,
        "seconds": seconds,
        "parameter_count": int(random.integers(10_000, 2_000_000)),
        "curves": curves,
        "held_out_confusion": random.integers(0, 500, (CLASSES, CLASSES)).tolist(),
    }


def _curves(epochs: int, random: np.random.Generator) -> dict[str, list[list[float]]]:
    """Curves with as many digits as those of a training, one list a fold."""
    rise = 1 - np.exp(-np.arange(1, epochs + 1) / random.uniform(5, 20))
    level = random.uniform(0.6, 0.95)
    noisy = level * rise + random.normal(0, 0.005, (3, FOLDS, epochs))
    return {
        "train_loss": (2 - 2 * noisy[0]).tolist(),
        "validation": noisy[1].tolist(),
        "score": noisy[2].tolist(),
    }


def _draw(one: BaseDistribution, random: np.random.Generator) -> Any:  # noqa: ANN401
    if isinstance(one, FloatDistribution):
        low, high = (math.log(one.low), math.log(one.high)) if one.log else (one.low, one.high)
        drawn = float(random.uniform(low, high))
        return math.exp(drawn) if one.log else drawn
    choices: Sequence[Any] = one.choices  # type: ignore[attr-defined]
    return choices[int(random.integers(len(choices)))]


def _config(space: Space, params: Mapping[str, Any]) -> dict[str, Any]:
    wanted = FAMILIES[space.family].hyperparameters
    return wanted.model_validate({**space.fixed, **params}).model_dump(mode="json")


def _hash(family: str, config: Mapping[str, Any]) -> str:
    return config_hash(family, FAMILIES[family].hyperparameters.model_validate(config))


def _confirmation(storage: StudyStorage, spec: StudySpec) -> None:
    """The study of the confirmation: two configurations of each family."""
    candidates = [
        {"rank": rank, "trial": rank, "mean": 0.9 - rank / 100, "winner": rank == 1}
        for rank in (1, 2)
    ]
    families = {name: {"winner": 1, "candidates": candidates} for name in spec.families}
    attributes = {"stage_of": spec.name, "confirmation": {"families": families}}
    storage.create_study(f"{spec.name}-confirm", attributes, metric=spec.objective)


def _final(
    storage: StudyStorage, spec: StudySpec, source: DataSource, random: np.random.Generator
) -> None:
    """The study of the final stage: three models of each family, tested."""
    document = spec.model_dump(mode="json")
    plan = [
        {
            "family": name,
            "config_hash": "0" * 16,
            "rules": {"epochs": EPOCHS},
            "seeds": 3,
            "recipe": "winner",
        }
        for name in spec.families
    ]
    attributes = {
        "spec": {**document, "name": f"{spec.name}-final"},
        "data": source.describe(),
        "paused": None,
        "stage": "final",
        "stage_of": spec.name,
        "plan": plan,
    }
    storage.create_study(f"{spec.name}-final", attributes, metric=spec.objective)
    writer = _writer(storage, f"{spec.name}-final")
    for number, wanted in enumerate(one for one in plan for _ in range(3)):
        now = datetime.now(UTC).replace(tzinfo=None)
        writer.trial("COMPLETE", now - timedelta(minutes=10), now)
        writer.attributes({**wanted, "replicate": number % 3 + 1, **_tested(random)})
        writer.add("trial_values", 0, 0.9, "FINITE")
    _copy(storage, writer)


def _tested(random: np.random.Generator) -> dict[str, object]:
    true = random.integers(0, CLASSES, TEST_IMAGES)
    predicted = np.where(random.random(TEST_IMAGES) < WRONG, (true + 1) % CLASSES, true)
    wrong = np.flatnonzero(true != predicted)
    confusion = np.zeros((CLASSES, CLASSES), dtype=int)
    np.add.at(confusion, (true, predicted), 1)
    return {
        "parameter_count": 100_000,
        "epochs_trained": EPOCHS,
        "test": {
            "count": TEST_IMAGES,
            "errors": len(wrong),
            "accuracy": 1 - len(wrong) / TEST_IMAGES,
        },
        "confusion": confusion.tolist(),
        "misclassified": {
            "image": wrong.tolist(),
            "true": true[wrong].tolist(),
            "predicted": predicted[wrong].tolist(),
            "confidence": random.uniform(0.4, 1, len(wrong)).tolist(),
            "true_probability": random.uniform(0, 0.4, len(wrong)).tolist(),
        },
    }
