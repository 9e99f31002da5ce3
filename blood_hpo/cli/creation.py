"""From a study file and the command line's overrides to a study in the database."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from blood_hpo.cli.session import data_source
from blood_hpo.errors import InputError

if TYPE_CHECKING:
    from blood_hpo.store.storage import StudyStorage
    from blood_hpo.store.studies import SharedStudy
    from blood_hpo.studyfile.schema import StudySpec


def create_from_file(
    file: Path,
    *,
    name: str | None,
    budgets: Sequence[str],
    around: str | None,
    data: str | None,
) -> "SharedStudy":
    """Read, override, find the data, prepare the database, create or open the study.

    Raises:
        InputError: The file or an override is wrong.
        DataError: There is no usable data set.
        DatabaseError: The database cannot be used.
        StudyError: A study of that name exists and differs.
    """
    from blood_hpo.cli.feasible import refuse_impossible, warn_of_small_spaces
    from blood_hpo.dashboard.notes import refresh_note
    from blood_hpo.database.address import database_url
    from blood_hpo.database.migrate import ensure_schema
    from blood_hpo.settings import settings
    from blood_hpo.store.storage import StudyStorage
    from blood_hpo.store.studies import create_study
    from blood_hpo.studyfile.load import load
    from blood_hpo.studyfile.schema import StudySpec

    spec = load(file)
    if name is not None:
        spec = StudySpec.parse({**spec.model_dump(mode="json"), "name": name}, f"--name {name}")
    if around is not None:
        spec = spec.with_around(around)
    spec = spec.with_budgets(parse_budgets(budgets))
    source = data_source(data, synthetic=spec.data.synthetic_fallback)
    refuse_impossible(spec, source)
    url = database_url(settings(), create=True)
    ensure_schema(url)
    storage = StudyStorage(url)
    spec = _resolved(storage, spec)
    warn_of_small_spaces(spec)
    study = create_study(storage, spec, source)
    refresh_note(storage, study.study_id, least_seconds=0)
    return study


def create_around(file: Path, study: "SharedStudy", data: str | None) -> "SharedStudy":
    """Create a study around the winners of another one, named after both.

    Raises:
        BloodHpoError: As `create_from_file`; also where a family of the file has no winner.
    """
    from blood_hpo.studyfile.load import load

    name = f"{study.name}-{load(file).name}"
    return create_from_file(file, name=name, budgets=(), around=study.name, data=data)


def parse_budgets(given: Sequence[str]) -> dict[str, int]:
    """Read ``FAMILY=N`` options.

    Raises:
        InputError: One is not of that form, or N is not a positive whole number.
    """
    budgets = {}
    for text in given:
        family, equals, number = text.partition("=")
        if not (family and equals and re.fullmatch("[0-9]{1,9}", number) and int(number) > 0):
            raise InputError(f"--budget {text}: give a family and a number of trials, as in mlp=40")
        budgets[family] = int(number)
    return budgets


def _resolved(storage: "StudyStorage", spec: "StudySpec") -> "StudySpec":
    """Replace ``around`` by the best configurations of the studies that it names.

    A study that exists keeps the configurations that it was created around, also when the studies
    they came from have found better ones since.
    """
    from blood_hpo.store.studies import stored_spec, winning_configuration

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
