"""Studies that come into being, or whose study file is changed where that may be.

The study file, its fingerprint and the identity of the data set are stored with the study, so that
a worker needs a name and a database, and so that nobody adds trials that cannot be compared.
"""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import IntegrityError

from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.database.statements import statement
from blood_hpo.errors import StudyError
from blood_hpo.stages import SEARCH
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy, open_study, winning_configuration
from blood_hpo.studyfile.fingerprint import differences, fingerprint
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.version import __version__


def insert_study(storage: StudyStorage, new: Mapping[str, Any], budgets: Mapping[str, int]) -> bool:
    """Create a study with its record and budgets, by family, at once; False if the name is taken.

    The new one has its name, stage, the search_id where it follows a search, and spec, fingerprint
    and data as in `SharedStudy`, the study file as plain values.
    """
    shown = {"data": new["data"]["label"], "objective": new["spec"]["objective"]}
    made = {
        **new,
        "metric_json": json.dumps([shown["objective"]]),
        "shown": json.dumps({key: json.dumps(value) for key, value in shown.items()}),
        "spec": json.dumps(new["spec"]),
        "data": json.dumps(dict(new["data"])),
        "program_version": __version__,
    }
    try:
        with storage.engine.begin() as connection:
            study_id = connection.execute(statement("new_study"), made).scalar_one()
            for family, budget in budgets.items():
                row = {"study_id": study_id, "family": family, "budget": budget}
                connection.execute(statement("write_budget"), row)
    except IntegrityError:
        return False
    return True


def create_study(storage: StudyStorage, spec: StudySpec, source: DataSource) -> SharedStudy:
    """Create a study, or open the one of that name if it was created from the same file.

    Budgets and the final stage may differ from the stored ones: the new ones are stored.

    Raises:
        InputError: A configuration that ``around`` names does not fit the study.
        StudyError: A study of that name exists and differs in anything else, or in its data set; or
            a budget is lower than what is done; or ``around`` names no study with a best one.
    """
    spec = _resolved(storage, spec)
    document = spec.model_dump(mode="json")
    new = {"name": spec.name, "stage": SEARCH, "search_id": None, "spec": document}
    new |= {"fingerprint": fingerprint(spec), "data": source.describe()}
    created = insert_study(storage, new, spec.budgets)
    study = open_study(storage, spec.name)
    if created:
        return study
    changed = differences(study.spec, spec)
    if changed:
        raise StudyError(
            f"study {spec.name!r} exists and differs: {'; '.join(changed)}; undo the change, or"
            " create another study with --name"
        )
    study.refuse_other_program()
    study.refuse_other_data(source)
    if study.spec != spec:
        _rewrite(study, document, spec.budgets)
        study = open_study(storage, spec.name)
    return study


def _resolved(storage: StudyStorage, spec: StudySpec) -> StudySpec:
    """Replace ``around`` by the best configurations of the studies that it names.

    A study that exists keeps the configurations that it was created around, also when the studies
    they came from have found better ones since.
    """
    named = {name: one.around for name, one in spec.families.items() if one.around is not None}
    if not named:
        return spec
    known = storage.ask("study_record", name=spec.name)
    stored = open_study(storage, spec.name).spec if known else None
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


def _rewrite(study: SharedStudy, document: Mapping[str, Any], budgets: Mapping[str, int]) -> None:
    """Store another study file, of which only budgets and the final stage differ."""
    with study.storage.engine.begin() as connection:
        connection.execute(statement("claim_lock"), {"study_id": study.study_id})
        held = {row.family: row.held for row in study.standing(connection)}
        for family, budget in budgets.items():
            if held[family] > budget:
                raise StudyError(
                    f"study {study.name!r} has {held[family]} {family} trials done, in training or"
                    f" waiting: a budget of {budget} is too low; set at least {held[family]}"
                )
            row = {"study_id": study.study_id, "family": family, "budget": budget}
            connection.execute(statement("close_ranks"), row)
            connection.execute(statement("write_budget"), row)
        row = {"study_id": study.study_id, "spec": json.dumps(document)}
        connection.execute(statement("write_spec"), row)
