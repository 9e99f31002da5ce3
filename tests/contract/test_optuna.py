"""What this program takes from Optuna beside its documentation is still there, and as it was.

Each failure names what a new Optuna or optuna-dashboard has changed, and so what to look at in
``search/optuna_private.py`` or, for the tables, in the files of SQL.
"""

import ast
import inspect
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from wsgiref.util import setup_testing_defaults

import optuna
import pytest
from optuna.artifacts import FileSystemArtifactStore, upload_artifact
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.storages import InMemoryStorage, RDBStorage
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState
from optuna_dashboard import _note, _serializer, save_note, wsgi
from sqlalchemy import select

from blood_hpo.search import optuna_private
from blood_hpo.search.history import FamilyStudy

PACKAGE = Path(optuna_private.__file__).parents[1]
HEAD = "v3.2.0.a"

COLUMNS = {
    "studies": "study_id study_name",
    "study_directions": "study_direction_id direction study_id objective",
    "study_user_attributes": "study_user_attribute_id study_id key value_json",
    "study_system_attributes": "study_system_attribute_id study_id key value_json",
    "trials": "trial_id number study_id state datetime_start datetime_complete",
    "trial_params": "param_id trial_id param_name param_value distribution_json",
    "trial_values": "trial_value_id trial_id objective value value_type",
    "trial_intermediate_values": "trial_intermediate_value_id trial_id step intermediate_value"
    " intermediate_value_type",
    "trial_user_attributes": "trial_user_attribute_id trial_id key value_json",
    "trial_system_attributes": "trial_system_attribute_id trial_id key value_json",
    "trial_heartbeats": "trial_heartbeat_id trial_id heartbeat",
    "version_info": "version_info_id schema_version library_version",
}
"""All columns, since our SQL inserts rows: it must fill those that must not be null."""


@pytest.fixture
def disk(tmp_path: Path) -> RDBStorage:
    """Optuna's own storage, for what it writes."""
    return RDBStorage(f"sqlite:///{tmp_path}/optuna.db")


@pytest.mark.parametrize("table", COLUMNS)
def test_a_table_has_the_columns_that_our_sql_knows(table: str) -> None:
    assert set(models.BaseModel.metadata.tables) == set(COLUMNS)
    columns = models.BaseModel.metadata.tables[table].columns
    assert {one.name for one in columns} == set(COLUMNS[table].split())


def test_our_sql_names_no_other_table_of_optunas() -> None:
    named = {
        name
        for file in PACKAGE.rglob("*.sql")
        for name in re.findall(r"\bpublic\.(\w+)", file.read_text(encoding="utf-8"))
    }
    assert named - {"alembic_version"} <= set(COLUMNS)  # that one only gets its grants


def test_the_tables_have_the_version_and_the_words_that_our_sql_knows(disk: RDBStorage) -> None:
    assert disk.get_head_version() == HEAD
    words = ["RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING"]
    assert [one.name for one in TrialState] == words
    trials = models.BaseModel.metadata.tables
    for table, column, known in (
        ("trials", "state", words),
        ("trial_values", "value_type", ["FINITE", "INF_POS", "INF_NEG"]),
        ("trial_intermediate_values", "intermediate_value_type", ["FINITE", "INF_POS", "INF_NEG"]),
        ("study_directions", "direction", ["NOT_SET", "MINIMIZE", "MAXIMIZE"]),
    ):
        kind: Any = trials[table].columns[column].type
        assert set(kind.enums) >= set(known), f"{table}.{column}"


def signature(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (TPESampler._sample_relative, ["self", "study", "trial", "search_space"]),
        (TPESampler.sample_relative, ["self", "study", "trial", "search_space"]),
        (optuna.Study._get_trials, ["self", "deepcopy", "states", "use_cache"]),
        (optuna.Study.get_trials, ["self", "deepcopy", "states"]),
        (optuna.Study.__init__, ["self", "study_name", "storage", "sampler", "pruner"]),
        (InMemoryStorage.create_new_study, ["self", "directions", "study_name"]),
        (_serializer.serialize_frozen_trial, ["study_id", "trial", "study_system_attrs"]),
    ],
    ids=lambda one: getattr(one, "__qualname__", ""),
)
def test_what_is_called_or_replaced_takes_what_it_took(
    function: object, parameters: list[str]
) -> None:
    assert signature(function) == parameters


def test_a_storage_takes_what_it_took() -> None:
    taken = {"url", "engine_kwargs", "skip_compatibility_check", "skip_table_creation"}
    assert taken <= set(signature(RDBStorage.__init__))


def row(number: int, state: str, value: float, params: dict[str, Any], reports: list[float]) -> Any:
    """A trial as the statement ``history`` reads it."""
    return SimpleNamespace(
        number=number,
        family="mlp",
        state=state,
        config_hash=f"{number:016x}",
        params=params,
        given_up=False,
        value=value,
        reports=reports,
    )


def test_samplers_and_pruners_see_the_remembered_trials() -> None:
    space = {"x": FloatDistribution(0.0, 1.0)}
    study = FamilyStudy("mlp", space)
    for number in range(12):
        value = number / 12
        study.learn(row(number, "COMPLETE", value, {"x": 0.9 if number > 9 else 0.1}, [value] * 2))
    unborn = optuna.trial.create_trial(state=TrialState.RUNNING, intermediate_values={1: 0, 2: 0})
    sampler = optuna_private.CompleteTPESampler(seed=0, n_startup_trials=2)
    drawn = [sampler.sample_relative(study, unborn, dict(space))["x"] for _ in range(20)]
    assert all(isinstance(one, float) and 0 <= one <= 1 for one in drawn)
    assert sum(isinstance(one, float) and one > 0.5 for one in drawn) > 10
    pruner = optuna.pruners.MedianPruner(n_startup_trials=2, n_warmup_steps=1)
    assert pruner.prune(study, unborn)
    states = (TrialState.COMPLETE,)
    assert len(study.get_trials(deepcopy=False, states=states)) == 12
    assert {optuna_private.trial_key(one) for one in study.get_trials()} == set(range(12))


def test_a_trial_is_what_optuna_makes_of_it() -> None:
    study = FamilyStudy("mlp", {"x": IntDistribution(0, 2)})
    study.learn(row(0, "PRUNED", 0.5, {"x": 1}, [0.5]))
    (found,) = study.get_trials()
    made = optuna.trial.create_trial(
        state=TrialState.PRUNED,
        value=0.5,
        params={"x": 1},
        distributions={"x": IntDistribution(0, 2)},
        intermediate_values={1: 0.5},
    )
    hidden = {"_number", "_trial_id", "_datetime_start", "datetime_complete"}
    ours, theirs = ({k: v for k, v in vars(t).items() if k not in hidden} for t in (found, made))
    reports = ours.pop("intermediate_values"), theirs.pop("intermediate_values")
    assert dict(reports[0]) == reports[1]
    assert ours == theirs


def test_a_parameter_is_stored_as_optuna_stores_it(disk: RDBStorage) -> None:
    given = {
        "choice": ("b", CategoricalDistribution(("a", "b"))),
        "rate": (0.01, FloatDistribution(0.001, 0.1, log=True)),
        "units": (64, IntDistribution(32, 128, step=32)),
    }
    study = optuna.create_study(storage=disk)
    study.add_trial(
        optuna.trial.create_trial(
            state=TrialState.RUNNING,
            params={name: value for name, (value, _) in given.items()},
            distributions={name: one for name, (_, one) in given.items()},
        )
    )
    table = models.TrialParamModel
    with disk.engine.connect() as connection:
        rows = connection.execute(
            select(table.param_name, table.param_value, table.distribution_json)
        ).all()
    assert {row[0]: tuple(row) for row in rows} == {
        name: tuple(optuna_private.parameter_row(name, *one).values())
        for name, one in given.items()
    }


def test_a_file_is_linked_as_optuna_links_it(disk: RDBStorage, tmp_path: Path) -> None:
    file = tmp_path / "curves.svg"
    file.write_text("<svg/>", encoding="utf-8")
    trial = optuna.create_study(storage=disk).ask()
    store = FileSystemArtifactStore(tmp_path)
    key = upload_artifact(artifact_store=store, file_path=str(file), study_or_trial=trial)
    table = models.TrialSystemAttributeModel
    with disk.engine.connect() as connection:
        stored = connection.execute(select(table.key, table.value_json)).all()
    described = {"filename": "curves.svg", "mimetype": "image/svg+xml", "encoding": None}
    ours = optuna_private.artifact_attribute(key, **described)
    assert [tuple(row) for row in stored] == [(ours["key"], ours["value_json"])]


def test_a_note_stands_where_our_sql_writes_it() -> None:
    study = optuna.create_study()
    save_note(study, "text")
    attributes = study._storage.get_study_system_attrs(study._study_id)
    assert attributes == {"dashboard:note_str:0": "text", "dashboard:note_ver": 1}
    longer = {**attributes, "dashboard:note_str:0": "t" * 9000}
    assert _note.get_note_from_system_attrs(longer, None)["body"] == "t" * 9000
    assert _note.note_str_key_prefix(7).startswith("dashboard:7:")


def test_a_page_is_told_of_a_trial() -> None:
    trial = optuna.trial.create_trial(state=TrialState.COMPLETE, value=0.5)
    found = optuna_private.page_document(1, trial, {})
    assert json.loads(json.dumps(found))["state"] == "Complete"
    assert {"trial_id", "study_id", "number", "values", "params", "note"} <= set(found)


def test_a_page_that_reads_each_trial_once_is_told_the_same() -> None:
    study = optuna.create_study(storage=InMemoryStorage())
    pages = [wsgi(study._storage), wsgi(study._storage)]
    optuna_private.read_each_trial_once(pages[0])
    for low in (3.0, 1.0, 2.0):
        rate = FloatDistribution(low, low + 4.0)
        running = study.ask({"rate": rate})
        done = study.ask(
            {"rate": FloatDistribution(low, low + 4.0), "units": IntDistribution(1, 2)}
        )
        done.set_user_attr("note", low)
        study.tell(done, 0.5)
        told = [_asked(page, study._study_id) for page in pages]
        assert told[0] == told[1]
    study.tell(running, 0.7)
    told = [_asked(page, study._study_id) for page in pages]
    assert told[0] == told[1]
    assert told[0]["union_search_space"]
    assert told[0]["intersection_search_space"]


def _asked(page: Any, study_id: int) -> dict[str, Any]:
    """What optuna-dashboard answers about a study; its search spaces come in no order."""
    environ: dict[str, Any] = {"PATH_INFO": f"/api/studies/{study_id}"}
    setup_testing_defaults(environ)
    answer: dict[str, Any] = json.loads(b"".join(page(environ, lambda *_: None)))
    for name in ("union_search_space", "intersection_search_space"):
        answer[name].sort(key=lambda one: one["name"])
    return answer


def test_no_other_module_reaches_into_optuna() -> None:
    known = {name for kind in (FrozenTrial, optuna.Study, TPESampler) for name in dir(kind)}
    known |= set(vars(optuna.trial.create_trial(state=TrialState.RUNNING)))
    known |= set(vars(optuna.create_study()))
    private = {name for name in known if re.fullmatch(r"_[a-z]\w*", name)}
    assert {"_trial_id", "_get_trials", "_storage", "_study_id"} <= private
    found = [
        f"{file.relative_to(PACKAGE)}: {one}"
        for file in PACKAGE.rglob("*.py")
        if file != Path(optuna_private.__file__)
        for one in reached(file.read_text(encoding="utf-8"), private)
    ]
    assert found == []


def reached(source: str, private: set[str]) -> list[str]:
    """Private modules of Optuna that are imported, and private names of objects not our own."""
    tree, found = ast.parse(source), []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and re.match(r"optuna\w*\..*\b_", f"{node.module}."):
            found.append(str(node.module))
        own = isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"self", "cls"}
        if isinstance(node, ast.Attribute) and node.attr in private and not own:
            found.append(ast.unparse(node))
    return found


def test_a_reach_into_optuna_is_seen() -> None:
    source = "from optuna_dashboard._serializer import x\nprint(trial._trial_id, self._trial_id)"
    assert reached(source, {"_trial_id"}) == ["optuna_dashboard._serializer", "trial._trial_id"]
