"""A large study that nobody trained: SYNTHETIC rows in Optuna's tables and in ours, from a seed.

What a worker would have written is there, but for files and its processor, in the tables in which
it writes, so that views, dashboard and commands can be timed at a size that takes weeks to train.
The numbers mean nothing.
"""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, FloatDistribution, distribution_to_json

from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.database.address import engine
from blood_hpo.models.configuration import Configuration
from blood_hpo.models.registry import FAMILIES
from blood_hpo.search.space import MODEL, family_distributions, model_distribution
from blood_hpo.studyfile.fingerprint import fingerprint
from blood_hpo.studyfile.load import load
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.version import __version__

STUDY_FILE = Path(__file__).parents[1] / "studies/blood.toml"
EPOCHS, FOLDS, CLASSES, TEST_IMAGES, WRONG = 50, 3, 8, 3421, 0.1
SEEDS = 3
COLUMNS = {
    "public.studies": "study_id, study_name",
    "public.study_directions": "study_id, direction, objective",
    "hpo.study": "study_id, stage, search_id, spec, fingerprint, data, program_version",
    "hpo.budget": "study_id, family, budget",
    "hpo.configuration": (
        "configuration_id, study_id, stage, family, config_hash, replicate, seed, config, params,"
        " budget, place, repeats_avoided, source_number, recipe, epochs, patience, start_epoch"
    ),
    "public.trials": "trial_id, number, study_id, state, datetime_start, datetime_complete",
    "public.trial_user_attributes": "trial_id, key, value_json",
    "public.trial_params": "trial_id, param_name, param_value, distribution_json",
    "public.trial_values": "trial_id, objective, value, value_type",
    "public.trial_intermediate_values": (
        "trial_id, step, intermediate_value, intermediate_value_type"
    ),
    "hpo.attempt": (
        "trial_id, configuration_id, study_id, number, attempt, worker, heartbeat_at, open,"
        " failure, reason"
    ),
    "hpo.result": ("trial_id, epoch, epochs, seconds, parameter_count, confusion"),
    "hpo.fold": (
        "trial_id, fold, score, epochs, best_epoch, train_loss, validation, held_out,"
        " train_accuracy, validation_accuracy, validation_loss"
    ),
    "hpo.candidate": (
        "study_id, family, config_hash, source_number, search_rank, search_score, rank, scores,"
        " mean, sd, low, high, behind, behind_low, behind_high, p_value, separable, winner"
    ),
    "hpo.test_opening": "trial_id",
    "hpo.tested_model": (
        "trial_id, file, sha256, bytes, loading_difference, non_trainable_count,"
        " validation_images, validation_errors, validation_accuracy,"
        " validation_balanced_accuracy, validation_macro_auc, validation_log_loss, test_images,"
        " test_errors, test_accuracy, test_balanced_accuracy, test_macro_auc, test_log_loss,"
        " medmnist_auc, medmnist_acc, medmnist_file, confusion, scaling_mean, scaling_deviation,"
        " class_weights, architecture, versions"
    ),
    "hpo.mistake": ("trial_id, image, true_class, predicted_class, confidence, true_probability"),
    "hpo.test_interval": "study_id, config_hash, seeds, low, high",
}
"""Tables in the order in which their keys allow them to be written."""
KEYS = {
    "public.studies": "study_id",
    "public.trials": "trial_id",
    "hpo.configuration": "configuration_id",
}
Row = tuple[object, ...]


@dataclass
class Rows:
    """Rows by table, until they are copied into the database."""

    latest: dict[str, int]
    tables: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def key(self, table: str) -> int:
        """The next key of a table."""
        self.latest[table] += 1
        return self.latest[table]

    def add(self, table: str, *values: object) -> None:
        """Add a row: lists become arrays, mappings JSON."""
        self.tables[table].append(tuple(_literal(one) for one in values))

    def copy(self, cursor: Any) -> None:  # noqa: ANN401 - psycopg2 has no types
        """Write all rows, and set the sequences behind them."""
        for table, columns in COLUMNS.items():
            text = io.StringIO()
            csv.writer(text).writerows(self.tables[table])
            text.seek(0)
            cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN (FORMAT csv)", text)
        for table, key in KEYS.items():
            sequence = f"pg_get_serial_sequence('{table}', '{key}')"
            cursor.execute(f"SELECT setval({sequence}, (SELECT max({key}) FROM {table}))")


@dataclass
class Study:
    """A search or one of its stages, while it is written.

    Attributes:
        rows: Where its rows go.
        stage: search, confirm or final.
        study_id: Optuna's key.
        places: Places of its budget that are taken, by family.
        number: Number of the latest trial.
    """

    rows: Rows
    stage: str
    study_id: int
    budget: int
    places: dict[str, int] = field(default_factory=dict)
    number: int = -1

    def configuration(
        self,
        family: str,
        seed: int,
        config: Mapping[str, object],
        **facts: Any,  # noqa: ANN401
    ) -> int:
        """Write a configuration that takes the next place; its key."""
        key = self.rows.key("hpo.configuration")
        place = self.places[family] = self.places.get(family, 0) + 1
        digest = Configuration.of(family, config).config_hash
        further = ("repeats", "source", "recipe", "epochs", "patience", "start_epoch")
        self.rows.add(
            "hpo.configuration", key, self.study_id, self.stage, family, digest,
            facts.get("replicate", 1), seed, config, facts["params"], self.budget, place,
            *(facts.get(name, 0 if name == "repeats" else None) for name in further),
        )  # fmt: skip
        return key

    def trial(self, state: str, started: datetime, finished: datetime | None) -> int:
        """Write Optuna's row of the next trial; its key."""
        trial_id, self.number = self.rows.key("public.trials"), self.number + 1
        self.rows.add(
            "public.trials", trial_id, self.number, self.study_id, state, started, finished
        )
        return trial_id


@dataclass(frozen=True)
class Space:
    """What a family searches, and the spelling of each distribution in the database."""

    family: str
    fixed: Mapping[str, object]
    distributions: Mapping[str, BaseDistribution]

    def draw(self, random: np.random.Generator) -> dict[str, Any]:
        """What is searched, as a sampler would draw it."""
        return {name: _draw(one, random) for name, one in self.distributions.items()}

    def config(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The whole configuration."""
        wanted = FAMILIES[self.family].hyperparameters
        return wanted.model_validate({**self.fixed, **params}).model_dump(mode="json")


def fill(url: str, trials: int, seed: int, name: str = "synthetic") -> str:
    """Write a study with its stages into a database that has been migrated.

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
    connected = engine(url, "benchmark")
    connection = connected.raw_connection()
    with closing(connection.cursor()) as cursor:
        rows = Rows({table: _latest(cursor, table, key) for table, key in KEYS.items()})
        connection.rollback()  # a transaction that is silent while rows are made would be ended
        _write(rows, name, trials, random)
        rows.copy(cursor)
    connection.commit()
    connection.close()
    connected.dispose()
    return name


def _latest(cursor: Any, table: str, key: str) -> int:  # noqa: ANN401
    cursor.execute(f"SELECT coalesce(max({key}), 0) FROM {table}")
    return int(cursor.fetchone()[0])


def _write(rows: Rows, name: str, trials: int, random: np.random.Generator) -> None:
    states = ["COMPLETE"] * trials + ["PRUNED"] * (trials // 10) + ["FAIL"] * (trials // 100)
    random.shuffle(states)
    spec = _spec(name, 2 * (len(states) + 8))
    search = _study(rows, spec, "search", None)
    _search(search, spec, [*states, *["RUNNING"] * 8], random)
    best = {space.family: space for space in _spaces(spec)}
    _confirm(_study(rows, spec, "confirm", search), best, random)
    _final(_study(rows, spec, "final", search), best, random)


def _spec(name: str, budget: int) -> StudySpec:
    spec = load(STUDY_FILE)
    document = {**spec.model_dump(mode="json"), "name": name, "description": "SYNTHETIC: no images"}
    return StudySpec.parse(document, name).with_budgets(dict.fromkeys(spec.families, budget // 2))


def _study(rows: Rows, spec: StudySpec, stage: str, search: Study | None) -> Study:
    study_id = rows.key("public.studies")
    name = spec.name if stage == "search" else f"{spec.name}-{stage}"
    budget = next(iter(spec.families.values())).budget
    assert isinstance(budget, int)
    digits = "0" * 64, "0" * 32
    data = DataSource(Path("none.npz"), "path", *digits, official=False, synthetic=True).describe()
    document = {**spec.model_dump(mode="json"), "name": name}
    rows.add("public.studies", study_id, name)
    rows.add("public.study_directions", study_id, "MAXIMIZE", 0)
    search_id = search.study_id if search else study_id
    rows.add(
        "hpo.study", study_id, stage, search_id, document, fingerprint(spec), data, __version__
    )
    for family in spec.families:
        rows.add("hpo.budget", study_id, family, budget)
    return Study(rows, stage, study_id, budget)


def _spaces(spec: StudySpec) -> list[Space]:
    return [
        Space(name, dict(one.fixed), family_distributions(spec, name))
        for name, one in spec.families.items()
    ]


def _search(
    study: Study, spec: StudySpec, states: Sequence[str], random: np.random.Generator
) -> None:
    spaces, model = _spaces(spec), model_distribution(spec)
    now = datetime.now(UTC).replace(tzinfo=None)
    for place, state in enumerate(states):
        started = now - timedelta(seconds=30.0 * (len(states) - place))
        space = spaces[int(random.integers(len(spaces)))]
        params = space.draw(random)
        repeats = int(random.integers(3))
        key = study.configuration(
            space.family, _seed(random), space.config(params), params=params, repeats=repeats
        )
        for attempt, outcome in enumerate([state, *["COMPLETE"] * (state == "FAIL")], start=1):
            trial_id = _trial(study, space.family, key, attempt, outcome, started, random)
            distributions = {MODEL: model, **space.distributions}
            for name, one in distributions.items():
                value = one.to_internal_repr({MODEL: space.family, **params}[name])
                spelt = distribution_to_json(one)
                study.rows.add("public.trial_params", trial_id, name, value, spelt)


def _trial(  # noqa: PLR0913, PLR0917 - what a trial is
    study: Study,
    family: str,
    configuration_id: int,
    attempt: int,
    state: str,
    started: datetime,
    random: np.random.Generator,
) -> int:
    epochs = EPOCHS if state == "COMPLETE" else int(random.integers(10, EPOCHS))
    seconds = round(epochs * float(random.uniform(0.5, 2.0)), 3)
    finished = None if state == "RUNNING" else started + timedelta(seconds=seconds)
    trial_id = study.trial(state, started, finished)
    add = study.rows.add
    worker = f"host-{int(random.integers(8))}:{int(random.integers(100, 104))}:0"
    reason = f"{state.lower()} after epoch {epochs}" if state in {"PRUNED", "FAIL"} else None
    add(
        "hpo.attempt", trial_id, configuration_id, study.study_id, study.number, attempt, worker,
        f"{finished or datetime.now(UTC).replace(tzinfo=None)}+00", finished is None,
        "error" if state == "FAIL" else None, reason,
    )  # fmt: skip
    _attributes(study, trial_id, family=family, worker=worker, attempt=attempt)
    curves = _curves(epochs, random)
    for step, value in enumerate(curves[2].mean(axis=0), start=1):
        add("public.trial_intermediate_values", trial_id, step, value, "FINITE")
    if state in {"COMPLETE", "PRUNED"}:
        scores = curves[2].max(axis=1)
        add("public.trial_values", trial_id, 0, scores.mean(), "FINITE")
        _result(study, trial_id, curves, seconds, random)
        known = {"epochs": epochs * FOLDS, "seconds": seconds, "reason": reason}
        _attributes(study, trial_id, fold_scores=[round(one, 4) for one in scores], **known)
    return trial_id


def _attributes(study: Study, trial_id: int, **attributes: object) -> None:
    """Write what an onlooker of optuna-dashboard sees of a trial."""
    for key, value in attributes.items():
        if value is not None:
            text = json.dumps(value)
            study.rows.add("public.trial_user_attributes", trial_id, key, text)


def _result(
    study: Study,
    trial_id: int,
    curves: "np.ndarray[Any, np.dtype[np.float64]]",
    seconds: float,
    random: np.random.Generator,
) -> None:
    _, folds, epochs = curves.shape
    confusion = random.integers(0, 500, CLASSES**2).tolist() if study.stage == "search" else None
    study.rows.add(
        "hpo.result", trial_id, epochs, epochs * folds, seconds,
        int(random.integers(10_000, 2_000_000)), confusion,
    )  # fmt: skip
    for fold in range(folds):
        held_out = curves[2, fold].tolist()
        best = int(np.argmax(held_out))
        study.rows.add(
            "hpo.fold", trial_id, fold + 1, held_out[best], epochs, best + 1,
            curves[0, fold].tolist(), curves[1, fold].tolist(), held_out, None, None, None,
        )  # fmt: skip


def _curves(epochs: int, random: np.random.Generator) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Training loss, validation and held-out score, (3, folds, epochs), with all their digits."""
    rise = 1 - np.exp(-np.arange(1, epochs + 1) / random.uniform(5, 20))
    noisy = random.uniform(0.6, 0.95) * rise + random.normal(0, 0.005, (3, FOLDS, epochs))
    noisy[0] = 2 - 2 * noisy[0]
    return noisy


def _draw(one: BaseDistribution, random: np.random.Generator) -> Any:  # noqa: ANN401
    if isinstance(one, FloatDistribution):
        low, high = (math.log(one.low), math.log(one.high)) if one.log else (one.low, one.high)
        drawn = float(random.uniform(low, high))
        return math.exp(drawn) if one.log else drawn
    choices: Sequence[Any] = one.choices  # type: ignore[attr-defined]
    return choices[int(random.integers(len(choices)))]


def _seed(random: np.random.Generator) -> int:
    return int(random.integers(2**31))


def _literal(value: object) -> object:
    if isinstance(value, list):
        return "{" + ",".join(str(_literal(one)) for one in value) + "}"
    return json.dumps(value) if isinstance(value, Mapping) else value


def _confirm(study: Study, spaces: Mapping[str, Space], random: np.random.Generator) -> None:
    """Two configurations of each family, run again on two splits, and how they compare."""
    for number, (family, space) in enumerate(spaces.items()):
        for rank in (1, 2):
            params = space.draw(random)
            config = space.config(params)
            for split in (1, 2):
                known = {"params": params, "replicate": split, "source": number}
                key = study.configuration(family, _seed(random), config, **known)
                now = datetime.now(UTC).replace(tzinfo=None)
                _trial(study, family, key, 1, "COMPLETE", now - timedelta(minutes=5), random)
            digest = Configuration.of(family, config).config_hash
            compared = (None,) * 5 if rank == 1 else (0.01, -0.01, 0.03, 0.2, False)
            study.rows.add(
                "hpo.candidate", study.study_id, family, digest, number, rank, 0.91 - rank / 100,
                rank, [[0.9 - rank / 100] * FOLDS] * 2, 0.9 - rank / 100, 0.01, 0.88 - rank / 100,
                0.92 - rank / 100, *compared, rank == 1,
            )  # fmt: skip


def _final(study: Study, spaces: Mapping[str, Space], random: np.random.Generator) -> None:
    """Three models of each family, tested."""
    for family, space in spaces.items():
        params = space.draw(random)
        config = space.config(params)
        digest = Configuration.of(family, config).config_hash
        for seed in range(1, SEEDS + 1):
            rules = {"recipe": "winner", "epochs": EPOCHS, "patience": 10, "start_epoch": 1}
            known = {"params": params, "replicate": seed, "source": 0, **rules}
            _model(study, family, study.configuration(family, seed, config, **known), random)
        study.rows.add("hpo.test_interval", study.study_id, digest, SEEDS, 0.88, 0.92)


def _model(study: Study, family: str, key: int, random: np.random.Generator) -> None:
    add, now = study.rows.add, datetime.now(UTC).replace(tzinfo=None)
    trial_id = study.trial("COMPLETE", now - timedelta(minutes=10), now)
    add(
        "hpo.attempt", trial_id, key, study.study_id, study.number, 1, "host-0:100:0", f"{now}+00",
        False, None, None,
    )  # fmt: skip
    _attributes(study, trial_id, family=family, worker="host-0:100:0", attempt=1)
    add("public.trial_values", trial_id, 0, 0.9, "FINITE")
    loss, validation, accuracy = (curve[0].tolist() for curve in _curves(EPOCHS, random))
    add("hpo.result", trial_id, EPOCHS, EPOCHS, 600.0, 100_000, None)
    curves = loss, validation, None, accuracy, validation, loss
    add("hpo.fold", trial_id, 1, 0.9, EPOCHS, EPOCHS, *curves)
    add("hpo.test_opening", trial_id)
    true = random.integers(0, CLASSES, TEST_IMAGES)
    predicted = np.where(random.random(TEST_IMAGES) < WRONG, (true + 1) % CLASSES, true)
    wrong = np.flatnonzero(true != predicted)
    confusion = np.zeros((CLASSES, CLASSES), dtype=int)
    np.add.at(confusion, (true, predicted), 1)
    rate = 1 - len(wrong) / TEST_IMAGES
    add(
        "hpo.tested_model", trial_id, "model.keras", "0" * 64, 400_000, 0.0, 0, 1712, 170, 0.9, 0.9,
        0.99, 0.3, TEST_IMAGES, len(wrong), rate, rate, 0.99, 0.3, 0.99, rate, "medmnist.csv",
        confusion.ravel().tolist(), [0.8, 0.7, 0.7], [0.1, 0.2, 0.2], [1.0] * CLASSES,
        {"layers": []}, {"blood_hpo": __version__},
    )  # fmt: skip
    for image in wrong.tolist():
        sure, true_probability = random.uniform(0.4, 1), random.uniform(0, 0.4)
        labels = int(true[image]), int(predicted[image])
        add("hpo.mistake", trial_id, image, *labels, sure, true_probability)
