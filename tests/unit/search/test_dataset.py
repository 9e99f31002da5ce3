"""Which images a search and its confirmation train and score on."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from blood_hpo.data.bloodmnist import DataSource, class_counts, find
from blood_hpo.data.synthetic import write_synthetic
from blood_hpo.errors import DataError
from blood_hpo.search.dataset import SearchData, refuse_too_few, search_data
from blood_hpo.settings import Settings
from blood_hpo.studyfile.schema import StudySpec


@pytest.fixture(scope="module")
def source(synthetic_npz: Path) -> DataSource:
    return find(synthetic_npz, settings=Settings())


def spec_of(fraction: float, objective: str = "accuracy") -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": "test",
            "seed": 3,
            "objective": objective,
            "data": {"fraction": fraction},
            "training": {"folds": 2, "epochs": 20},
            "families": {"mlp": {"budget": 1, "space": {"units": [4]}}},
        }
    )


def parts(data: SearchData) -> tuple[set[bytes], set[bytes]]:
    """The images of the training and of the validation subset."""
    images = [image.tobytes() for image in data.images]
    return set(images[: data.validation[0]]), set(images[data.validation[0] :])


def counts(data: SearchData) -> NDArray[np.int64]:
    return np.bincount(data.labels[: data.validation[0]], minlength=8)


@pytest.mark.parametrize("fraction", [0.2, 0.4, 0.5])
def test_fresh_images_are_none_of_the_searchs(source: DataSource, fraction: float) -> None:
    spec = spec_of(fraction)
    searched, fresh = search_data(spec, source), search_data(spec, source, 11)
    for old, new in zip(parts(searched), parts(fresh), strict=True):
        assert not old & new
    fewer = counts(searched) - counts(fresh)
    assert set(fewer.tolist()) <= ({0, 1} if fraction == 0.5 else {0})
    assert len(np.unique(np.concatenate([fold.held_out for fold in fresh.folds]))) == sum(
        counts(fresh)
    )


def test_of_an_odd_number_of_images_the_half_that_is_left_is_fresh(tmp_path: Path) -> None:
    write_synthetic(tmp_path / "odd.npz", sizes={"train": 241, "validation": 65, "test": 64})
    spec, odd = spec_of(0.5), find(tmp_path / "odd.npz", settings=Settings())
    searched, fresh = search_data(spec, odd), search_data(spec, odd, 11)
    for old, new in zip(parts(searched), parts(fresh), strict=True):
        assert not old & new
    assert set((counts(searched) - counts(fresh)).tolist()) <= {0, 1}


def test_where_too_few_of_a_class_are_left_fresh_images_are_drawn_from_all(tmp_path: Path) -> None:
    """Else a study would be accepted and searched, and its confirmation refused."""
    write_synthetic(tmp_path / "few.npz", sizes={"train": 240, "validation": 64, "test": 64})
    with np.load(tmp_path / "few.npz") as whole:
        arrays = dict(whole)
    rare = arrays["val_labels"][:, 0] == 7
    arrays["val_labels"][np.flatnonzero(rare)[1:]] = 0  # one is left
    np.savez(tmp_path / "rare.npz", **arrays)
    source = find(tmp_path / "rare.npz", settings=Settings())
    specs = [
        spec_of(0.5).model_copy(update={"objective": "macro_auc", "seed": seed})
        for seed in range(20)
    ]
    accepted = [one for one in specs if is_accepted(one, source)]
    assert 0 < len(accepted) < len(specs)  # the draw in proportion may leave the one image out
    for spec in accepted:
        fresh = search_data(spec, source, 11)
        assert set(fresh.labels[fresh.validation]) == set(range(8))


def is_accepted(spec: StudySpec, source: DataSource) -> bool:
    try:
        search_data(spec, source)
    except DataError:
        return False
    return True


def test_a_class_that_the_search_watched_is_watched_on_fresh_images(source: DataSource) -> None:
    """Of few images a draw in proportion may leave a class out."""
    spec = spec_of(0.2)
    searched = search_data(spec, source)
    for seed in range(20):
        fresh = search_data(spec, source, seed)
        watched = [one.labels[one.validation] for one in (searched, fresh)]
        assert (
            np.bincount(watched[0], minlength=8).tolist()
            == np.bincount(watched[1], minlength=8).tolist()
        )


def test_where_too_few_are_left_all_images_are_drawn_from(source: DataSource) -> None:
    spec = spec_of(0.8)
    searched, fresh = search_data(spec, source), search_data(spec, source, 11)
    assert len(searched.labels) == len(fresh.labels)
    old, new = parts(searched)[0], parts(fresh)[0]
    assert old & new
    assert new - old


def test_the_whole_data_are_the_same_images_in_other_folds(source: DataSource) -> None:
    spec = spec_of(1.0)
    searched, fresh = search_data(spec, source), search_data(spec, source, 11)
    assert parts(searched) == parts(fresh)
    assert searched.folds[0].held_out.tolist() != fresh.folds[0].held_out.tolist()


def test_every_class_is_watched_where_the_objective_needs_it(source: DataSource) -> None:
    watched = search_data(spec_of(0.11), source)
    assert len(set(watched.labels[watched.validation].tolist())) < 8
    spec = spec_of(0.11, "macro_auc")
    with pytest.raises(DataError, match=r"leaves 0 validation images of class .* for macro_auc"):
        search_data(spec, source)
    with pytest.raises(DataError, match=r"leaves 0 validation images of class .* for macro_auc"):
        refuse_too_few(spec, class_counts(source))
    refuse_too_few(spec_of(0.11), class_counts(source))
    refuse_too_few(spec_of(1.0, "macro_auc"), class_counts(source))


def test_a_seed_gives_the_same_images_and_folds_each_time(source: DataSource) -> None:
    first, again, other = (search_data(spec_of(0.4), source, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.folds[1].train, again.folds[1].train)
    assert parts(first) != parts(other)
