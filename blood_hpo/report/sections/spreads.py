"""A score over the seeds of a model, as a cell."""

from collections.abc import Sequence

from blood_hpo.report.cells import Cell, number
from blood_hpo.report.uncertainty import spread


def mean_sd(values: Sequence[float]) -> Cell:
    """Mean ± sample standard deviation; of a single seed the score alone."""
    found = spread(values)
    if found.count == 1:
        return number(found.mean)
    return Cell(found.mean, f"{found.mean:.4f} ± {found.sd:.4f}")
