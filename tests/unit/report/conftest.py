"""A study that never ran, with everything that a report can show: made up, but consistent."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blood_hpo.data.facts import OFFICIAL_COUNTS
from blood_hpo.database.record import TrialRecord
from blood_hpo.report.read.candidates import Candidate, Confirmation
from blood_hpo.report.read.final_stage import FinalStage, Model, layers
from blood_hpo.report.read.findings import Cost, Findings, Winner
from blood_hpo.report.read.grids import Grid, StagedGrid, staged
from blood_hpo.report.read.predictions import Predictions
from blood_hpo.report.read.search_study import Curve, Place, Study, Totals
from blood_hpo.report.render import write

WRITTEN = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
START = datetime(2024, 4, 30, 8, 0, tzinfo=UTC)
SKILL = {"mlp": 2.2, "cnn": 3.2, "resnet": 5.0}
SPACE: dict[str, dict[str, Any]] = {
    "mlp": {"units": [64, 128, 256], "dropout": {"low": 0.0, "high": 0.5, "log": False}},
    "cnn": {"kernel_size": [3, 5, 7], "filters": [8, 16, 32]},
}
SHARED: dict[str, Any] = {
    "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "augmentation": ["none", "flips_rotation", "symmetries"],
    "standardise": [False, True],
}
HELD = {"optimizer": "adamw", "schedule": "cosine", "weight_decay": None}


def spec(**changes: object) -> dict[str, Any]:
    """A study file as it is stored."""
    families = {
        family: {
            "budget": 26,
            "space": space,
            "fixed": {},
            "around": None,
            "fixed_from": None,
            "start": None,
            "stages": None,
        }
        for family, space in SPACE.items()
    }
    return {
        "name": "blood",
        "description": "A study that never ran",
        "seed": 7,
        "objective": "accuracy",
        "data": {"fraction": 0.4, "synthetic_fallback": False},
        "training": {"folds": 3, "epochs": 20, "patience": 5, "start_epoch": 2},
        "sampler": {"name": "tpe", "startup_trials": 10},
        "pruner": {"name": "median", "startup_trials": 5, "warmup_epochs": 3},
        "space": SHARED,
        "families": families,
        "final": None,
        **changes,
    }


def trial(
    number: int, family: str, params: dict[str, Any], score: float | None, **other: Any
) -> TrialRecord:
    values = {
        **dict.fromkeys(TrialRecord.__dataclass_fields__),
        "trial_id": number,
        "study": "blood",
        "number": number,
        "family": family,
        "state": "COMPLETE",
        "score": score,
        "epochs": 45,
        "seconds": 50.0 + number % 7,
        "parameter_count": 302_216 if family == "mlp" else 176_648,
        "fold_scores": None if score is None else [score - 0.01, score, score + 0.01],
        "params": params,
        "config": {**HELD, **params},
        "config_hash": f"{number:016x}",
        "replicate": 1,
        "seed": 1000 + number,
        "in_force": True,
        "attempt": 1,
        "repeats_avoided": 0,
        "worker": f"host:{100 + number % 3}:1700000000",
        "started_at": START + timedelta(seconds=30 * number),
        "finished_at": START + timedelta(seconds=30 * number + 80),
    }
    return TrialRecord(**{**values, **other})


def trials() -> tuple[TrialRecord, ...]:
    """26 trials of each family, every fourth pruned from the tenth on, one failed besides."""
    generator, found = np.random.default_rng(3), []
    for number in range(52):
        family = "mlp" if number % 2 else "cnn"
        params = {
            name: values[int(generator.integers(len(values)))]
            if isinstance(values, list)
            else float(generator.uniform(values["low"], values["high"]))
            for name, values in {**SHARED, **SPACE[family]}.items()
        }
        score = (0.72 if family == "mlp" else 0.84) + 0.06 * params["standardise"]
        score += 0.02 * float(generator.normal())
        ending: dict[str, Any] = {}
        if number >= 20 and number % 4 < 2:
            ending = {"state": "PRUNED", "epochs": 15, "seconds": 17.0}
            score -= 0.08
        found.append(trial(number, family, params, score, **ending))
    reason = "the loss is not finite"
    failed = trial(52, "cnn", {}, None, state="FAIL", epochs=None, reason=reason)
    return (*found, failed)


def curve(best: float, epochs: int = 15) -> Curve:
    x = np.arange(1, epochs + 1)
    validation = best - 0.4 * np.exp(-x / 3)
    return Curve(
        train_loss=tuple((2.0 * np.exp(-x / 6)).tolist()), validation=tuple(validation.tolist())
    )


def totals(family: str, own: list[TrialRecord], budget: int) -> Totals:
    """What the views would say of a family."""
    by_state = {
        state: [one for one in own if one.state == state]
        for state in ("COMPLETE", "PRUNED", "FAIL", "RUNNING", "WAITING")
    }
    complete, pruned = by_state["COMPLETE"], by_state["PRUNED"]
    usual = np.mean([one.epochs or 0 for one in complete]) if complete else 0.0
    saved = [float(usual) - (one.epochs or 0) for one in pruned]
    pace = [(one.seconds or 0) / (one.epochs or 1) for one in pruned]
    return Totals(
        family=family,
        budget=budget,
        complete=len(complete),
        pruned=len(pruned),
        failed=len(by_state["FAIL"]),
        unfinished=len(by_state["RUNNING"]) + len(by_state["WAITING"]),
        remaining=max(budget - len(complete) - len(pruned), 0),
        epochs=sum(one.epochs or 0 for one in [*complete, *pruned]),
        seconds=sum(one.seconds or 0 for one in [*complete, *pruned]),
        pruned_epochs=sum(one.epochs or 0 for one in pruned),
        saved_epochs=sum(saved),
        saved_seconds=float(np.dot(saved, pace)) if pruned else 0.0,
    )


def places(family: str, trials: tuple[TrialRecord, ...]) -> tuple[Place, ...]:
    own = [one for one in trials if one.family == family and one.state == "COMPLETE"]
    board = sorted(own, key=lambda one: (-(one.score or 0), one.number))
    return tuple(Place(one, rank, 0.01) for rank, one in enumerate(board, start=1))


def cost(name: str, trials: tuple[TrialRecord, ...]) -> Cost:
    failed = sum(one.state == "FAIL" for one in trials)
    epochs, seconds = (
        sum(one.epochs or 0 for one in trials),
        sum(one.seconds or 0 for one in trials),
    )
    return Cost(name, len(trials), failed, epochs, seconds)


def study(**changes: Any) -> Study:
    data = {
        "label": "BloodMNIST 28x28 (official)",
        "origin": "cache",
        "sha256": "ab" * 32,
        "md5": "cd" * 16,
        "official": True,
        "synthetic": False,
    }
    values = {
        "name": "blood",
        "spec": spec(),
        "data": data,
        "fingerprint": "ef" * 16,
        "program_version": "0.1.0",
        "trials": trials(),
        **changes,
    }
    families, known = values["spec"]["families"], values["trials"]
    by_family = {one: [trial for trial in known if trial.family == one] for one in families}
    return Study(
        **values,
        totals={one: totals(one, by_family[one], families[one]["budget"]) for one in families},
        places={one: found for one in families if (found := places(one, known))},
        collapsed=values.pop("collapsed", {}),
    )


def grid(family: str) -> Grid:
    values = {
        "mlp": [{"units": units} for units in (64, 128, 256)],
        "cnn": [{"kernel_size": k, "filters": f} for k in (3, 5, 7) for f in (8, 16, 32)],
    }[family]
    document = spec(sampler={"name": "grid", "startup_trials": 10}, space={})
    document["families"][family] |= {"fixed": HELD, "fixed_from": "blood"}
    found = [trial(n, family, params, 0.7 + 0.01 * n) for n, params in enumerate(values)]
    return Grid(
        f"blood-{family}-grid", around=True, around_winner=True, spec=document, trials=tuple(found)
    )


STAGES = {
    "mlp": [["augmentation", "standardise"], ["units"]],
    "cnn": [["standardise"], ["kernel_size", "filters"]],
}


def staged_grid(count: int = 99) -> StagedGrid:
    """A staged grid whose score rises with every value, after so many trials of a family."""
    shared: dict[str, list[Any]] = {
        "augmentation": ["none", "flips_rotation"],
        "standardise": [False, True],
    }
    spaces: dict[str, dict[str, list[Any]]] = {
        "mlp": {"units": [64, 128, 256]},
        "cnn": {"kernel_size": [3, 5], "filters": [8, 16]},
    }
    document = spec(name="steps", space=shared, sampler={"name": "staged_grid"})
    found: list[TrialRecord] = []
    for family, own in spaces.items():
        space = {**shared, **own}
        start = {name: values[0] for name, values in space.items()}
        document["families"][family] |= {"stages": STAGES[family], "start": start, "space": own}
        ran: list[TrialRecord] = []
        for stage in STAGES[family]:
            for values in itertools.product(*(space[name] for name in stage)):
                params = {**start, **dict(zip(stage, values, strict=True))}
                score = 0.5 + 0.02 * sum(space[name].index(params[name]) for name in space)
                if all(one.params != params for one in ran):
                    ran.append(trial(len(found) + len(ran), family, params, score))
            start = {name: space[name][-1] if name in stage else start[name] for name in space}
        found += ran[:count]
    return staged(document, tuple(found))


def candidates(board: list[TrialRecord]) -> tuple[Candidate, ...]:
    found = []
    for place, one in enumerate(reversed(board[:3])):
        assert one.score
        mean = 0.79 - 0.004 * place
        apart = place == 2
        found.append(
            Candidate(
                family=one.family,
                number=one.number,
                rank=place + 1,
                params=one.params,
                parameter_count=one.parameter_count or 0,
                search_score=one.score,
                search_rank=3 - place,
                by_split=[[mean - 0.01, mean, mean + 0.01]] * 2,
                collapsed=int(apart),
                mean=mean,
                sd=0.01,
                low=mean - 0.012,
                high=mean + 0.012,
                behind=0.004 * place,
                behind_low=None if place == 0 else 0.004 * place - 0.006,
                behind_high=None if place == 0 else 0.004 * place + 0.006,
                p_value=None if place == 0 else 0.2 / place**3,
                separable=apart,
                winner=place == 0,
                left_out=None,
            )
        )
    return tuple(found)


REPEATS = np.array([[0, 7, 0, 9, 1], [0, 3, 2, 5, 0], [1, 2, 2, 6, 1], [2, 1, 2, 8, 1]])
"""One within training, one of training in test under another label, two more in test."""


def predictions(family: str, seed: int) -> Predictions:
    """Predictions for the official test split's counts; images are plain noise."""
    generator = np.random.default_rng([seed, len(family)])
    labels = np.repeat(np.arange(8), OFFICIAL_COUNTS["test"]).astype(np.uint8)
    generator.shuffle(labels)
    logits = generator.normal(size=(len(labels), 8)) * 1.5 + SKILL[family] * np.eye(8)[labels]
    weights = np.exp(logits)
    probabilities = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    images = generator.integers(0, 256, (len(wrong), 28, 28, 3), dtype=np.uint8)
    averaged = probabilities if family == "resnet" else np.empty((0, 8), np.float32)
    return Predictions(labels, probabilities, averaged, images, REPEATS)


LAYERS: dict[str, list[tuple[str, str, list[int], int, list[str]]]] = {
    "mlp": [
        ("pixels", "InputLayer", [28, 28, 3], 0, []),
        ("flatten", "Flatten", [2352], 0, ["pixels"]),
        ("dense", "Dense", [128], 301_184, ["flatten"]),
        ("dense_1", "Dense", [8], 1_032, ["dense"]),
        ("probabilities", "Softmax", [8], 0, ["dense_1"]),
    ],
    "cnn": [
        ("pixels", "InputLayer", [28, 28, 3], 0, []),
        ("conv2d", "Conv2D", [26, 26, 128], 3_584, ["pixels"]),
        ("max_pooling2d", "MaxPooling2D", [13, 13, 128], 0, ["conv2d"]),
        ("flatten", "Flatten", [21_632], 0, ["max_pooling2d"]),
        ("dense", "Dense", [8], 173_064, ["flatten"]),
    ],
    "resnet": [
        ("pixels", "InputLayer", [28, 28, 3], 0, []),
        ("conv2d", "Conv2D", [28, 28, 64], 1_792, ["pixels"]),
        ("activation", "Activation", [28, 28, 64], 0, ["conv2d"]),
        ("conv2d_1", "Conv2D", [14, 14, 128], 73_856, ["activation"]),
        ("conv2d_2", "Conv2D", [14, 14, 128], 8_320, ["activation"]),
        ("add", "Add", [14, 14, 128], 0, ["conv2d_1", "conv2d_2"]),
        ("dense", "Dense", [8], 1_032, ["add"]),
    ],
}


def early_scores(trials: tuple[TrialRecord, ...]) -> dict[int, tuple[int, float]]:
    """What each trial had scored after epoch 4."""
    return {one.number: (4, one.score - 0.1) for one in trials if one.score is not None}


def model(number: int, family: str, seed: int, source: int | None) -> Model:
    found = predictions(family, seed)
    accuracy = found.scores.accuracy
    run = curve(accuracy + 0.01, 30)
    auc = found.scores.macro_auc
    columns = ("name", "kind", "output_shape", "parameters", "inputs")
    own = trial(
        number,
        family,
        {},
        accuracy,
        study="blood-final",
        config=HELD,
        config_hash=f"{len(family):016x}",
        replicate=seed,
        seed=4242 + number,
        recipe="winner" if source is not None else "recommended",
        source_number=source,
        most_epochs=200,
        patience=20,
        start_epoch=30,
        epochs=30,
        seconds=612.0,
        parameter_count=sum(layer[3] for layer in LAYERS[family]),
    )
    described = [dict(zip(columns, layer, strict=True)) for layer in LAYERS[family]]
    return Model(
        trial=own,
        file=f"blood-{family}-{seed}.keras",
        sha256=sha256(saved(f"{own.number}/model.keras")).hexdigest(),
        best_epoch=28,
        validation_accuracy=accuracy + 0.01,
        medmnist_auc=auc,
        medmnist_acc=accuracy,
        medmnist_file=f"bloodmnist_test_[AUC]{auc:.3f}_[ACC]{accuracy:.3f}@{family}-{seed}.csv",
        test_openings=1,
        versions={"blood_hpo": "0.1.0", "tensorflow": "2.21.0"},
        layers=layers(described, own),
        curve=Curve(
            train_loss=run.train_loss,
            validation=run.validation,
            train_accuracy=tuple(value + 0.02 for value in run.validation),
            validation_loss=tuple(value + 0.1 for value in run.train_loss),
        ),
        predictions=found,
    )


def final_stage(winners: dict[str, Winner]) -> FinalStage:
    sources = {family: winner.trial.number for family, winner in winners.items()} | {"resnet": None}
    models = [
        model(2 * place + seed, family, seed, source)
        for place, (family, source) in enumerate(sources.items())
        for seed in (1, 2)
    ]
    images = np.random.default_rng(1).integers(0, 256, (8, 28, 28, 3), dtype=np.uint8)
    counts = np.array(list(OFFICIAL_COUNTS.values()))
    return FinalStage(0, 0, 0, tuple(models), images, counts)


@pytest.fixture(scope="session")
def finished() -> Findings:
    """A study with everything."""
    found = study()
    boards = {family: [one.trial for one in own] for family, own in found.places.items()}
    winners = {family: Winner(board[2], confirmed=True) for family, board in boards.items()}
    confirmed = {family: candidates(board) for family, board in boards.items()}
    grids = {family: grid(family) for family in SPACE}
    ended = {"blood": found.trials} | {one.study: one.trials for one in grids.values()}
    return Findings(
        study=found,
        winners=winners,
        grids=grids,
        confirmation=Confirmation(confirmed),
        final=final_stage(winners),
        staged=staged_grid(),
        costs={name: cost(name, trials) for name, trials in ended.items()},
        early_scores=early_scores(found.trials),
    )


@pytest.fixture(scope="session")
def searched(finished: Findings) -> Findings:
    """The same study after its search alone."""
    winners = {
        family: Winner(board[0].trial, confirmed=False)
        for family, board in finished.study.places.items()
    }
    return replace(finished, winners=winners, grids={}, staged=None, confirmation=None, final=None)


@pytest.fixture(scope="session")
def begun() -> Findings:
    """A study without any trial."""
    return Findings(study(trials=()), winners={}, grids={}, confirmation=None, final=None)


def saved(name: str) -> bytes:
    """What stands for a saved artefact."""
    return f"content of {name}\n".encode()


@pytest.fixture(scope="session")
def report(finished: Findings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the finished study's report. Read it, never write."""
    folder = tmp_path_factory.mktemp("report") / "blood"
    write(finished, folder, WRITTEN, saved)
    return folder
