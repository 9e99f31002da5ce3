"""What a worker keeps in memory while it trains trial after trial.

One worker, which is this process, of a real study with a real server: trials of one short epoch on
few images, from the spaces of studies/paper.toml, so that almost every one has a network of another
shape, and its graphs are traced anew.

    python benchmarks/memory.py --data bloodmnist.npz

takes about four minutes.
"""

import logging
import time
from pathlib import Path

import psutil
from surroundings import data_set, home, machine, options

from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.settings import Settings
from blood_hpo.store.new_study import create_study
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy
from blood_hpo.studyfile.load import load
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.training.runtime import configure

STUDY_FILE = Path(__file__).parents[1] / "studies/paper.toml"
STOPS = (0.005, 0.25, 0.5, 0.75, 1.0)
"""Shares of the trials after which the memory is read."""
SHORT = {
    "name": "memory",
    "data": {"fraction": 0.03},
    "training": {"folds": 2, "epochs": 1, "start_epoch": 0},
    "pruner": {"name": "none"},
    "final": None,
}


def main() -> None:
    """Train and print a table."""
    parser = options(__doc__)
    parser.add_argument("--trials", type=int, default=200, help="half of them MLPs (200)")
    asked = parser.parse_args()
    if asked.trials < 4:  # noqa: PLR2004
        parser.error("--trials: at least 4, or nothing is seen to grow")
    source = data_set(asked.data)
    configure()
    print(f"{machine()}; {source.label}\n")
    print("| trials | resident memory, MB | CPU s a trial so far |\n|---:|---:|---:|")
    with home() as (folder, url):
        study = short_study(url, source, asked.trials)
        found = grown(study, source, Settings(home=folder), asked.trials)
        study.storage.engine.dispose()
    (early, before), (late, after) = found[1], found[-1]
    print(f"\n{(after - before) / (late - early) / 1000:.0f} KB a trial after the first {early}")


def short_study(url: str, source: DataSource, trials: int) -> SharedStudy:
    """Create it."""
    document = {**load(STUDY_FILE).model_dump(mode="json"), **SHORT}
    spec = StudySpec.parse(document, "memory")
    budgets = dict.fromkeys(spec.families, trials // 2)
    return create_study(StudyStorage(url, "benchmark"), spec.with_budgets(budgets), source)


def grown(
    study: SharedStudy, source: DataSource, settings: Settings, trials: int
) -> list[tuple[int, int]]:
    """Trials, and the bytes of memory after as many; each printed as it is known."""
    from blood_hpo.final.work import Workday
    from blood_hpo.worker.shutdown import Shutdown
    from blood_hpo.worker.worker import worker_name

    logging.getLogger("optuna").setLevel(logging.ERROR)
    day = Workday(study, source, settings, Shutdown(settings.drain_seconds), worker_name())
    stops, found = {max(1, round(share * trials)) for share in STOPS}, []
    begun = time.process_time()
    for trial in range(1, trials + 1):
        day.turn(final=False)
        if trial in stops:
            found.append((trial, psutil.Process().memory_info().rss))
            spent = (time.process_time() - begun) / trial
            print(f"| {trial} | {found[-1][1] / 1e6:.0f} | {spent:.2f} |", flush=True)
    return found


if __name__ == "__main__":
    main()
