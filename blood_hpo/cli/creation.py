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
from blood_hpo.store.studies import SharedStudy, stored_spec, winning_configuration
from blood_hpo.studyfile.feasibility import largest_network
from blood_hpo.studyfile.load import load
from blood_hpo.studyfile.schema import StudySpec

BYTES_A_PARAMETER = 16  # in single precision: weight, gradient, and the two moments of Adam


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
    source = data_source(data, synthetic=spec.data.synthetic_fallback)
    refuse_too_few(spec, class_counts(source)["train"])
    _refuse_too_large(spec)
    url = address(create=True)
    ensure_schema(url)
    storage = StudyStorage(url)
    spec = _resolved(storage, spec)
    _warn_of_small_spaces(spec)
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


def _refuse_too_large(spec: StudySpec) -> None:
    """Hold a study file against this machine's memory."""
    memory = psutil.virtual_memory().total
    for family, one in spec.families.items():
        size = largest_network(family, spec.space(family), one.fixed)
        if size * BYTES_A_PARAMETER > memory:
            raise InputError(
                f"study {spec.name}: the largest {family} has {size:,} parameters,"
                f" to train it takes {size * BYTES_A_PARAMETER / 1e9:,.0f} GB of memory, and this"
                f" machine has {memory / 1e9:,.0f}; search smaller ones"
            )


def _warn_of_small_spaces(spec: StudySpec) -> None:
    """Say which budgets are larger than what there is to try."""
    for family, budget in spec.budgets.items():
        size = spec.space_size(family)
        if size is not None and size < budget:
            warn(
                "the space of %s has %d configurations, so %d will be tried and not %d",
                *(family, size, size, budget),
            )


def _resolved(storage: StudyStorage, spec: StudySpec) -> StudySpec:
    """Replace ``around`` by the best configurations of the studies that it names.

    A study that exists keeps the configurations that it was created around, also when the studies
    they came from have found better ones since.
    """
    named = {name: one.around for name, one in spec.families.items() if one.around is not None}
    if not named:
        return spec
    stored = stored_spec(storage, spec.name)
    kept = {
        name: stored.held(name)
        for name, study in named.items()
        if stored and name in stored.families and stored.families[name].fixed_from == study
    }
    best = {
        name: kept.get(name) or winning_configuration(storage, study, name)
        for name, study in named.items()
    }
    return spec.resolve_around(best)
