"""A trial in lock-step: one report an epoch, seeded by configuration, resumable bit for bit."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blood_hpo.data.bloodmnist import find
from blood_hpo.models.configuration import Configuration
from blood_hpo.search.cross_validation import CrossValidation
from blood_hpo.search.dataset import SearchData, search_data
from blood_hpo.settings import Settings
from blood_hpo.studyfile.schema import StudySpec

MLP: Mapping[str, object] = {"units": 16, "dropout": 0.2, "augmentation": "symmetries"}
Begin = Callable[..., CrossValidation]


def spec_of(**training: object) -> StudySpec:
    document = {
        "name": "lock-step",
        "seed": 5,
        "pruner": {"name": "none"},
        "training": {"folds": 3, "epochs": 4, "patience": 10, "start_epoch": 1, **training},
        "families": {"mlp": {"budget": 1, "space": {"units": [16, 32]}}},
    }
    return StudySpec.parse(document, "test")


@pytest.fixture(scope="module")
def data(synthetic_npz: Path) -> SearchData:
    return search_data(spec_of(), find(synthetic_npz, settings=Settings()))


@pytest.fixture
def begin(data: SearchData) -> Iterator[Begin]:
    begun = []

    def start(config: Mapping[str, object] = MLP, **training: object) -> CrossValidation:
        trial = CrossValidation(spec_of(**training), Configuration.of("mlp", config), data)
        begun.append(trial)
        return trial

    yield start
    for trial in begun:
        trial.close()


@pytest.fixture(scope="module")
def whole(data: SearchData) -> Iterator[CrossValidation]:
    """A trial of the usual configuration, trained to its end."""
    trial = train(CrossValidation(spec_of(), Configuration.of("mlp", MLP), data))
    yield trial
    trial.close()


def test_every_fold_and_every_configuration_has_a_seed_of_its_own(begin: Begin) -> None:
    trials = [begin(), begin({**MLP, "units": 32})]
    assert len({one.seed for trial in trials for one in trial._fits}) == 2 * 3


def train(trial: CrossValidation) -> CrossValidation:
    while not trial.finished:
        trial.advance()
    return trial


def test_every_report_is_the_mean_over_the_folds(begin: Begin) -> None:
    trial, reported = begin(), {}
    while not trial.finished:
        trial.advance()
        reported[trial.epoch] = trial.score
    results = trial.results()
    assert list(reported) == [1, 2, 3, 4]
    assert trial.score == pytest.approx(np.mean([fold.score for fold in results]))
    assert trial.reports() == pytest.approx(reported)
    assert [fold.epochs for fold in results] == [4, 4, 4]


def test_the_score_is_that_of_the_epoch_which_early_stopping_restores(
    whole: CrossValidation,
) -> None:
    for fold in whole.results():
        assert fold.best_epoch == 2 + int(np.argmax(fold.validation[1:]))
        assert fold.held_out
        assert fold.score == pytest.approx(fold.held_out[fold.best_epoch - 1], rel=1e-5)


def test_the_confusion_counts_every_image_where_it_was_held_out(
    whole: CrossValidation, data: SearchData
) -> None:
    counts = np.array(whole.confusion)
    held_out = data.labels[: len(data.labels) - len(data.validation)]
    assert counts.sum(axis=1).tolist() == np.bincount(held_out, minlength=8).tolist()
    sizes = [len(fold.held_out) for fold in data.folds]
    scores = [fold.score for fold in whole.results()]
    right = sum(size * score for size, score in zip(sizes, scores, strict=True))
    assert int(np.trace(counts)) == round(right)


def test_a_fold_that_has_stopped_holds_its_score(begin: Begin) -> None:
    trial = train(begin(epochs=60, patience=4, start_epoch=0))
    epochs = [fold.epochs for fold in trial.results()]
    assert min(epochs) < max(epochs) == trial.epoch
    assert len(trial.reports()) == max(epochs)
    assert trial.reports()[trial.epoch] == pytest.approx(trial.score)


def test_the_same_configuration_gives_the_same_result(whole: CrossValidation, begin: Begin) -> None:
    assert train(begin()).results() == whole.results()


def test_another_configuration_has_other_seeds(whole: CrossValidation, begin: Begin) -> None:
    other = {**MLP, "label_smoothing": 0.0001}
    ours, theirs = whole.results(), train(begin(other)).results()
    assert [fold.validation for fold in ours] != [fold.validation for fold in theirs]


def test_a_trial_resumed_from_its_arrays_gives_the_same_result(
    whole: CrossValidation, begin: Begin, tmp_path: Path
) -> None:
    interrupted = begin()
    interrupted.advance()
    interrupted.advance()
    spent = interrupted.seconds
    state: dict[str, Any] = {**interrupted.state()}
    np.savez(tmp_path / "state.npz", **state)
    resumed = begin()
    with np.load(tmp_path / "state.npz", allow_pickle=False) as arrays:
        resumed.restore(dict(arrays))
    assert resumed.epoch == 2
    assert resumed.seconds >= spent
    assert resumed.reports() == interrupted.reports()
    assert train(resumed).results() == whole.results()


def test_training_and_scored_images_are_disjoint_and_the_test_split_is_absent(
    data: SearchData, synthetic_npz: Path
) -> None:
    roles = [set(data.validation)]
    for fold in data.folds:
        assert not set(fold.train) & set(fold.held_out)
        assert not (set(fold.train) | set(fold.held_out)) & roles[0]
    assert set.union(*(set(fold.held_out) for fold in data.folds)) == set(
        data.folds[0].train
    ) | set(data.folds[0].held_out)
    with np.load(synthetic_npz) as archive:
        assert len(data.images) == len(archive["train_images"]) + len(archive["val_images"])
