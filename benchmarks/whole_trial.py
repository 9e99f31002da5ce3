"""A whole trial, as the program runs it, beside the same with Keras `fit`, as the notebooks did.

Both build the network, train 3 folds of 3,200 images for 5 epochs without early stopping, judge
every epoch on the validation split and the end on the held-out fold; the program judges every epoch
on that too. The two take turns in one process with one TensorFlow thread. The first trace is what
the first epoch takes beyond a later one: once a trial here, once a fold with Keras.

    python benchmarks/whole_trial.py --data bloodmnist.npz

takes about three minutes; all is CPU seconds of the whole process, without loading the images.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from epoch import NETWORKS, QUICK, heading, notebook_model
from surroundings import data_set, options

from blood_hpo.data.bloodmnist import DataSource, load_split
from blood_hpo.models.configuration import Configuration
from blood_hpo.search.dataset import SearchData, search_data
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.training.runtime import configure

FOLDS, EPOCHS, IMAGES = 3, 5, 3200
HEADER = (
    "| network | ours, CPU s | Keras fit, CPU s | ratio | our first trace | Keras's first traces"
    " | our accuracy | Keras's accuracy |\n|---" + "|---:" * 7 + "|"
)
IMPORT = "import time, tensorflow; print(time.process_time())"


class Taken(NamedTuple):
    """CPU seconds of a trial, those of its first traces, and the accuracy on held-out images."""

    cpu: float
    traces: float
    accuracy: float


def ours(spec: StudySpec, one: Configuration, data: SearchData) -> Taken:
    """The program's trial, from its start to the end of its network."""
    from blood_hpo.search.cross_validation import CrossValidation

    begun = time.process_time()
    run = CrossValidation(spec, one, data)
    marks = [time.process_time()]
    while not run.finished:
        run.advance()
        marks.append(time.process_time())
    accuracy = float(np.mean([fold.held_out[-1] for fold in run.results() if fold.held_out]))
    run.close()
    return Taken(time.process_time() - begun, first_trace(marks), accuracy)


def theirs(_spec: StudySpec, one: Configuration, data: SearchData) -> Taken:
    """The same with a model, a `fit` and an evaluation a fold."""
    begun = time.process_time()
    images = data.images.astype(np.float32) / 255
    traces, accuracies = zip(*_fits(one, images, data), strict=True)
    taken = time.process_time() - begun
    return Taken(taken, sum(traces), statistics.fmean(accuracies))


def _fits(
    one: Configuration, images: np.ndarray, data: SearchData
) -> Iterator[tuple[float, float]]:
    """First trace and accuracy of each fold."""
    import keras

    size = one.hyperparameters.batch_size
    validation = images[data.validation], data.labels[data.validation]
    for train, held_out in data.folds:
        model, marks = notebook_model(one.family, one.hyperparameters), [time.process_time()]
        watch = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda *_, marks=marks: marks.append(time.process_time())
        )
        given = {"batch_size": size, "epochs": EPOCHS, "validation_data": validation, "verbose": 0}
        model.fit(images[train], data.labels[train], callbacks=[watch], **given)
        _, accuracy = model.evaluate(images[held_out], data.labels[held_out], verbose=0)
        yield first_trace(marks), accuracy


def first_trace(marks: list[float]) -> float:
    """What the first epoch took beyond a later one, from the times at which each ended."""
    first, *later = np.diff(marks).tolist()
    return float(first - statistics.median(later))


def row(label: str, source: DataSource, repeats: int) -> str:
    """One line of the table."""
    family, given = NETWORKS[label]
    fraction = IMAGES / len(load_split(source, "train").labels)
    document = {
        "name": "whole-trial",
        "data": {"fraction": fraction},
        "training": {"folds": FOLDS, "epochs": EPOCHS, "patience": EPOCHS, "start_epoch": 0},
        "pruner": {"name": "none"},
        "families": {family: {"budget": 1, "space": {"dropout": [0.0, 0.5]}, "fixed": given}},
    }
    spec = StudySpec.parse(document, label)
    one, data = Configuration.of(family, given), search_data(spec, source)
    pairs = [(ours(spec, one, data), theirs(spec, one, data)) for _ in range(repeats)]
    mine, keras = map(medians, zip(*pairs, strict=True))
    return (
        f"| {label} | {mine.cpu:.2f} | {keras.cpu:.2f} | {keras.cpu / mine.cpu:.2f}"
        f" | {mine.traces:.2f} | {keras.traces:.2f} | {mine.accuracy:.3f} | {keras.accuracy:.3f} |"
    )


def medians(trials: Sequence[Taken]) -> Taken:
    """Those of several trials."""
    return Taken(*map(statistics.median, zip(*trials, strict=True)))


def importing() -> float:
    """CPU seconds of a process that does nothing but import TensorFlow."""
    return float(subprocess.check_output([sys.executable, "-c", IMPORT], stderr=subprocess.DEVNULL))


def main() -> None:
    """Measure and print the table."""
    parser = options(__doc__)
    parser.add_argument("--repeats", type=int, default=2, help="trials of each (2)")
    asked = parser.parse_args()
    configure()
    source = data_set(asked.data)
    imports = statistics.median(importing() for _ in range(3))
    print(heading(source, f"medians of {asked.repeats} trials"))
    print(f"`import tensorflow`: {imports:.2f} CPU s\n\n{HEADER}")
    for label in QUICK:
        print(row(label, source, asked.repeats), flush=True)


if __name__ == "__main__":
    main()
