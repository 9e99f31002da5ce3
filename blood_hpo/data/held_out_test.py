"""The test split, apart from all else: only the final evaluation imports this module.

A search that could see these images would choose by them. The layers of the project forbid the
import everywhere but in ``blood_hpo.final.evaluate``, and a contract test proves it.
"""

from blood_hpo.data import archive
from blood_hpo.data.bloodmnist import DataSource, Split


def load_test_split(source: DataSource) -> Split:
    """Load the test split: images uint8 (N, 28, 28, 3) and labels uint8 (N,).

    Raises:
        DataError: The file has changed or is damaged.
    """
    return Split(*archive.read_split(source.path, "test"))
