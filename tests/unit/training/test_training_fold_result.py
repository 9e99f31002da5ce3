"""Early stopping against Keras's own callback, on any validation curve."""

import keras
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from blood_hpo.training.fold_result import best_epoch, exhausted

CURVES = st.lists(st.integers(0, 6).map(lambda eighth: eighth / 8), min_size=1, max_size=25)


class Recorder(keras.Model):  # type: ignore[misc] # Keras is untyped
    """As much of a model as the callback touches: one weight that holds the epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.epoch = self.add_weight(shape=(), initializer="zeros")


def by_keras(curve: list[float], patience: int, start_epoch: int) -> tuple[int, int]:
    """The epoch after which Keras stops, and the one whose weights it leaves in the model."""
    callback = keras.callbacks.EarlyStopping(
        "score",
        mode="max",
        patience=patience,
        start_from_epoch=start_epoch,
        restore_best_weights=True,
    )
    model = Recorder()
    callback.set_model(model)
    callback.on_train_begin()
    model.stop_training = False
    for index, value in enumerate(curve):
        model.epoch.assign(index + 1)
        callback.on_epoch_end(index, {"score": value})
        if model.stop_training:
            break
    trained = int(model.epoch)
    callback.on_train_end()
    return trained, int(np.asarray(model.epoch))


@given(CURVES, st.integers(1, 6), st.integers(0, 8))
def test_it_stops_and_restores_where_keras_does(
    curve: list[float], patience: int, start_epoch: int
) -> None:
    trained = next(
        (n for n in range(1, len(curve) + 1) if exhausted(curve[:n], start_epoch, patience)),
        len(curve),
    )
    best = best_epoch(curve[:trained], start_epoch)
    assert (trained, best) == by_keras(curve, patience, start_epoch)


def test_nothing_is_best_before_the_first_epoch() -> None:
    assert best_epoch([], 0) == 0
    assert not exhausted([], 0, 1)


def test_unwatched_epochs_neither_count_nor_use_up_patience() -> None:
    curve = [0.9, 0.8, 0.7, 0.1, 0.2, 0.2]
    assert [best_epoch(curve[:n], 3) for n in range(1, 7)] == [1, 2, 3, 4, 5, 5]
    assert [exhausted(curve[:n], 3, 1) for n in range(1, 7)] == [False] * 5 + [True]
