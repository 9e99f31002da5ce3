"""Repeated images are found within and across splits."""

import numpy as np

from blood_hpo.data.bloodmnist import Split
from blood_hpo.data.held_out_test import duplicates


def split_of(values: list[int], labels: list[int]) -> Split:
    """Images of one colour each."""
    images = np.zeros((len(values), 28, 28, 3), np.uint8)
    images += np.array(values, np.uint8)[:, None, None, None]
    return Split(images=images, labels=np.array(labels, np.uint8))


def test_every_repeat_is_found_with_its_first_copy_and_whether_the_labels_agree() -> None:
    train = split_of([1, 2, 3, 2], [0, 1, 2, 1])
    validation = split_of([4, 3], [3, 2])
    test = split_of([2, 5, 4, 5], [6, 5, 3, 5])
    assert duplicates([train, validation, test]).tolist() == [
        [0, 1, 0, 3, 1],
        [0, 2, 1, 1, 1],
        [0, 1, 2, 0, 0],
        [1, 0, 2, 2, 1],
        [2, 1, 2, 3, 1],
    ]


def test_images_that_differ_in_one_pixel_are_no_duplicates() -> None:
    split = split_of([1, 1], [0, 0])
    split.images[0, 27, 27, 2] += 1
    found = duplicates([split])
    assert found.shape == (0, 5)
    assert found.dtype == np.int64
