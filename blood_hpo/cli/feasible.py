"""Whether a study can be run at all, asked before it is created."""

from typing import TYPE_CHECKING

from blood_hpo.cli.logs import warn
from blood_hpo.errors import InputError

if TYPE_CHECKING:
    from blood_hpo.data.source import DataSource
    from blood_hpo.studyfile.schema import StudySpec

BYTES_A_PARAMETER = 16
"""Single precision, four times: the weight, its gradient, and the two moments of Adam."""


def refuse_impossible(spec: "StudySpec", source: "DataSource") -> None:
    """Hold a study file against its data set and this machine's memory.

    Raises:
        DataError: A class has fewer images than there are folds.
        InputError: The largest network does not fit into memory.
    """
    import psutil

    from blood_hpo.data.bloodmnist import class_counts
    from blood_hpo.search.dataset import refuse_too_few
    from blood_hpo.studyfile.feasibility import largest_network

    refuse_too_few(spec, class_counts(source)["train"])
    memory = psutil.virtual_memory().total
    for family, one in spec.families.items():
        size = largest_network(family, spec.space(family), one.fixed)
        if size * BYTES_A_PARAMETER > memory:
            raise InputError(
                f"study {spec.name}: the largest {family} has {size:,} parameters,"
                f" to train it takes {size * BYTES_A_PARAMETER / 1e9:,.0f} GB of memory, and this"
                f" machine has {memory / 1e9:,.0f}; search smaller ones"
            )


def warn_of_small_spaces(spec: "StudySpec") -> None:
    """Say which budgets are larger than what there is to try."""
    for family, budget in spec.budgets.items():
        size = spec.space_size(family)
        if size is not None and size < budget:
            warn(
                "the space of %s has %d configurations, so %d will be tried and not %d",
                *(family, size, size, budget),
            )
