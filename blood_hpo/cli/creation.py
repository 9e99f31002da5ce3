"""From a study file and the command line's overrides to a study in the database."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from blood_hpo.cli.logs import warn
from blood_hpo.cli.session import address, data_source
from blood_hpo.dashboard.notes import refresh_note
from blood_hpo.data.bloodmnist import class_counts
from blood_hpo.database.migrate import ensure_schema
from blood_hpo.errors import InputError
from blood_hpo.search.dataset import refuse_too_few
from blood_hpo.store.new_study import create_study
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy
from blood_hpo.studyfile.load import load
from blood_hpo.studyfile.schema import StudySpec


@dataclass(frozen=True)
class Overrides:
    """What the command line says instead of the study file; None leaves it as it is."""

    name: str | None = None
    seed: int | None = None
    budgets: Sequence[str] | None = None
    around: str | None = None

    def applied_to(self, file: Path) -> StudySpec:
        """The study of the file with these in it; an InputError where one is wrong."""
        spec = load(file)
        if self.name is not None:
            named = {**spec.model_dump(mode="json"), "name": self.name}
            spec = StudySpec.parse(named, f"--name {self.name}")
        if self.seed is not None:
            spec = spec.model_copy(update={"seed": self.seed})
        if self.around is not None:
            spec = spec.with_around(self.around)
        return spec.with_budgets(_parse_budgets(self.budgets or ()))


def refuse_unfit(files: Sequence[Path], grids: Sequence[Path], overrides: Overrides) -> None:
    """Raise an InputError for what is wrong with any file, before the first has run for hours."""
    for file in files:
        spec = overrides.applied_to(file)
        for grid in grids:
            for family in beside(spec.name, grid).applied_to(grid).families:
                if family not in spec.families:
                    raise InputError(f"--grid {grid}: study {spec.name} has no family {family}")


def create_from_file(file: Path, overrides: Overrides, data: str | None) -> SharedStudy:
    """Read, override, find the data, prepare the database, create or open the study.

    Raises:
        InputError: The file or an override is wrong, or a network does not fit into memory.
        DataError: There is no usable data set, or a class has fewer images than there are folds.
        DatabaseError: The database cannot be used.
        StudyError: A study of that name exists and differs.
    """
    spec = overrides.applied_to(file)
    for family, size in spec.smaller_spaces():
        warn(
            "the space of %s has %d configurations, so %d will be tried and not %d",
            *(family, size, size, spec.budgets[family]),
        )
    spec.refuse_larger_than(psutil.virtual_memory().total)
    source = data_source(data, synthetic=spec.data.synthetic_fallback)
    refuse_too_few(spec, class_counts(source))
    url = address(create=True)
    ensure_schema(url)
    storage = StudyStorage(url)
    study = create_study(storage, spec, source)
    refresh_note(storage, study.study_id, least_seconds=0)
    return study


def beside(study: str, file: Path) -> Overrides:
    """What makes of a file a study around the winners of another one, named after both."""
    return Overrides(name=f"{study}-{load(file).name}", around=study)


def _parse_budgets(given: Sequence[str]) -> dict[str, int]:
    """Read ``FAMILY=N`` options."""
    budgets = {}
    for text in given:
        family, equals, number = text.partition("=")
        if not (family and equals and re.fullmatch("[0-9]{1,9}", number) and int(number) > 0):
            raise InputError(f"--budget {text}: give a family and a number of trials, as in mlp=40")
        budgets[family] = int(number)
    return budgets
