"""The synthetic set: the same bytes everywhere, marked for good, learnable but not trivial."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier

from blood_hpo.data.bloodmnist import OFFICIAL_COUNTS, DataSource, Split, class_counts, load_split
from blood_hpo.data.facts import SplitName
from blood_hpo.data.source import open_source
from blood_hpo.data.synthetic import write_synthetic
from blood_hpo.errors import DataError

SMALL: dict[SplitName, int] = {"train": 8, "validation": 8, "test": 8}


@pytest.fixture(scope="module")
def default_set(tmp_path_factory: pytest.TempPathFactory) -> DataSource:
    path = tmp_path_factory.mktemp("default") / "synthetic.npz"
    write_synthetic(path)
    return open_source(path, "path")


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write_synthetic(tmp_path / name, sizes=SMALL, seed=seed)
    first, same, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == same != other


def test_the_pixels_are_the_same_on_every_machine(default_set: DataSource) -> None:
    train = load_split(default_set, "train")
    assert hashlib.sha256(train.images.tobytes() + train.labels.tobytes()).hexdigest() == (
        "324e5d0d5578e6d98bfdaf39a9628a59ce6cfa607d845acc99236b262deb787e"
    )


def test_the_mark_survives_a_copy_to_the_name_of_the_real_file(
    synthetic_npz: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "bloodmnist.npz"
    copy.write_bytes(synthetic_npz.read_bytes())
    assert open_source(copy, "environment").label == "SYNTHETIC"


def test_classes_are_as_unevenly_spread_as_the_real_ones(default_set: DataSource) -> None:
    for split, counts in class_counts(default_set).items():
        official = np.array(OFFICIAL_COUNTS[split])
        assert np.all(np.abs(counts - official * sum(counts) / official.sum()) < 1.5)


def test_the_smallest_set_has_one_image_of_each_class(tmp_path: Path) -> None:
    write_synthetic(tmp_path / "small.npz", sizes=SMALL)
    source = open_source(tmp_path / "small.npz", "path")
    assert set(class_counts(source).values()) == {(1,) * 8}
    with pytest.raises(ValueError, match="at least 8 images, not 7"):
        write_synthetic(tmp_path / "tiny.npz", sizes=SMALL | {"test": 7})
    assert not (tmp_path / "tiny.npz").exists()


def test_a_linear_model_learns_part_of_it(default_set: DataSource) -> None:
    """Far above the most frequent class (0.19) and below perfection."""
    train, validation = load_split(default_set, "train"), load_split(default_set, "validation")
    model = RidgeClassifier(alpha=100.0).fit(_features(train), train.labels)
    assert 0.5 < model.score(_features(validation), validation.labels) < 0.95


def _features(split: Split) -> np.ndarray:
    """A pixel in four, roughly standardised: enough to learn from, and quick."""
    return split.images[:, ::2, ::2].reshape(len(split), -1) / 128.0 - 1


def test_no_image_is_in_two_splits(default_set: DataSource) -> None:
    images = [
        image.tobytes()
        for name in ("train", "validation")
        for image in load_split(default_set, name).images
    ]
    assert len(set(images)) == len(images)


def test_a_place_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be written"):
        write_synthetic(tmp_path / "file" / "set.npz", sizes=SMALL)
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="cannot be written"):
        write_synthetic(tmp_path / "folder", sizes=SMALL)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
