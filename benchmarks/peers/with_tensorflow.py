"""TensorFlow: this program's compiled epoch, or Keras `fit` where an argument says so."""

import sys
from pathlib import Path

from turns import Epoch, Task, take_turns

sys.path.append(str(Path(__file__).parents[1]))


def make(task: Task) -> Epoch:
    """The loops of benchmarks/epoch.py."""
    from epoch import compiled, plain

    from blood_hpo.data.bloodmnist import Split
    from blood_hpo.models.registry import FAMILIES
    from blood_hpo.training.runtime import configure

    configure()
    network = {**task.network, "batch_size": task.batch_size, "optimizer": "adam"}
    config = FAMILIES[task.family].hyperparameters(**network)
    loop = plain if "fit" in sys.argv else compiled
    return loop(task.family, config, Split(images=task.images, labels=task.labels))


if __name__ == "__main__":
    take_turns(make)
