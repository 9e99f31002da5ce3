"""From a study file and the command line's overrides to a study in the database."""

import re
from collections.abc import Sequence
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


def create_from_file(
    file: Path,
    *,
    name: str | None,
    budgets: Sequence[str],
    around: str | None,
    data: str | None,
) -> SharedStudy:
    """Read, override, find the data, prepare the database, create or open the study.

    Raises:
        InputError: The file or an override is wrong, or a network does not fit into memory.
        DataError: There is no usable data set, or a class has fewer images than there are folds.
        DatabaseError: The database cannot be used.
        StudyError: A study of that name exists and differs.
    """
    spec = load(file)
    if name is not None:
        spec = StudySpec.parse({**spec.model_dump(mode="json"), "name": name}, f"--name {name}")
    if around is not None:
        spec = spec.with_around(around)
    spec = spec.with_budgets(_parse_budgets(budgets))
    for family, size in spec.smaller_spaces():
        warn(
            "the space of %s has %d configurations, so %d will be tried and not %d",
            *(family, size, size, spec.budgets[family]),
        )
    spec.refuse_larger_than(psutil.virtual_memory().total)
    source = data_source(data, synthetic=spec.data.synthetic_fallback)
    refuse_too_few(spec, class_counts(source)["train"])
    url = address(create=True)
    ensure_schema(url)
    storage = StudyStorage(url)
    study = create_study(storage, spec, source)
    refresh_note(storage, study.study_id, least_seconds=0)
    return study


def create_around(file: Path, study: SharedStudy, data: str | None) -> SharedStudy:
    """Create a study around the winners of another one, named after both."""
    name = f"{study.name}-{load(file).name}"
    return create_from_file(file, name=name, budgets=(), around=study.name, data=data)


def _parse_budgets(given: Sequence[str]) -> dict[str, int]:
    """Read ``FAMILY=N`` options."""
    budgets = {}
    for text in given:
        family, equals, number = text.partition("=")
        if not (family and equals and re.fullmatch("[0-9]{1,9}", number) and int(number) > 0):
            raise InputError(f"--budget {text}: give a family and a number of trials, as in mlp=40")
        budgets[family] = int(number)
    return budgets
