"""Trials an hour of real training, by one worker and by two.

`run` with so many workers on real images: a grid of trials that cost the same, eight perceptrons
and eight convolutional networks, without pruning, so that all do the same work. The numbers of
workers take turns, there and back. It counts from the first claim to the last ending: starting
processes does not.

    python benchmarks/throughput.py --data bloodmnist.npz

takes about six minutes.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

from sqlalchemy import text
from surroundings import data_set, home, machine, options

from blood_hpo.database.address import engine

STUDY = """
name = "throughput"
[data]
fraction = 0.3
[training]
epochs = 10
patience = 10
start_epoch = 0
[sampler]
name = "grid"
[pruner]
name = "none"
[space]
dropout = [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35]
[families.mlp]
budget = 8
[families.mlp.fixed]
units = 128
[families.cnn]
budget = 8
[families.cnn.fixed]
filters = 32
"""
SPENT = """
    SELECT count(*) AS trials, extract(epoch FROM max(finished_at) - min(started_at)) AS seconds
    FROM hpo.trials WHERE study = :study AND state = 'COMPLETE'
"""


def main() -> None:
    """Let each number of workers train in turn and print a table."""
    parser = options(__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    asked = parser.parse_args()
    source = data_set(asked.data)
    print(f"{machine()}; {source.label}\n", flush=True)
    measured: dict[int, list[float]] = {workers: [] for workers in asked.workers}
    with home() as (folder, url):
        for turn, workers in enumerate([*asked.workers, *reversed(asked.workers)]):
            measured[workers].append(spend(url, folder, source.path, f"turn-{turn}", workers))
    print("| workers | trials an hour | in each turn | of the first |\n|---:|---:|---|---:|")
    medians = {workers: statistics.median(found) for workers, found in measured.items()}
    for workers, found in measured.items():
        each, share = ", ".join(f"{one:.0f}" for one in found), next(iter(medians.values()))
        print(f"| {workers} | {medians[workers]:.0f} | {each} | {medians[workers] / share:.2f} |")


def spend(url: str, folder: Path, data: Path, name: str, workers: int) -> float:
    """Trials an hour, once all are complete."""
    file = folder / "throughput.toml"
    file.write_text(STUDY, "utf-8")
    command = [sys.executable, "-m", "blood_hpo", "--quiet", "run", str(file), "--name", name]
    command += ["--workers", str(workers), "--data", str(data)]
    environment = {**os.environ, "BLOOD_HPO_HOME": str(folder)}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    connected = engine(url)
    with connected.connect() as connection:
        trials, seconds = connection.execute(text(SPENT), {"study": name}).one()
    connected.dispose()
    return float(3600 * trials / float(seconds))


if __name__ == "__main__":
    main()
