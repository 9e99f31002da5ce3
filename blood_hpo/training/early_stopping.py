"""Early stopping as Keras's EarlyStopping does it, read off the validation curve alone."""

from collections.abc import Sequence


def best_epoch(values: Sequence[float], start_epoch: int) -> int:
    """The epoch, from 1, whose weights early stopping would restore now; 0 before the first.

    Among the watched epochs it is the first with the highest value; before any is watched, the
    last one.

    Args:
        values: Validation score of each completed epoch.
        start_epoch: Epochs at the beginning that are not watched.

    >>> best_epoch([0.9, 0.5, 0.7, 0.7], start_epoch=1)
    3
    """
    watched = values[start_epoch:]
    if not watched:
        return len(values)
    return start_epoch + 1 + watched.index(max(watched))


def exhausted(values: Sequence[float], start_epoch: int, patience: int) -> bool:
    """Whether ``patience`` watched epochs (at least 1) have passed without a new best.

    >>> exhausted([0.9, 0.5, 0.7, 0.7], start_epoch=1, patience=1)
    True
    """
    return len(values) - best_epoch(values, start_epoch) >= max(patience, 1)
