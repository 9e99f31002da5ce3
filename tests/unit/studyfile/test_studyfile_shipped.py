"""The shipped study files say what their headers and the report say."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from blood_hpo.studyfile.load import load
from blood_hpo.studyfile.parameters import Categorical
from blood_hpo.studyfile.schema import StudySpec

STUDIES = Path(__file__).parents[3] / "studies"
FILES = sorted(STUDIES.glob("*.toml"))

# The report's search spaces and starting points (notebooks of the original study).
SHARED = {
    "augmentation": ["none", "flips_rotation"],
    "class_weights": ["none", "balanced"],
    "optimizer": ["sgd", "rmsprop", "adam"],
    "activation": ["relu", "tanh"],
    "batch_size": [16, 32, 64, 128],
}
MLP = {"units": [64, 128, 256, 512, 1024]}
CNN = {
    "kernel_size": [3, 5, 7],
    "filters": [8, 16, 32, 64, 128],
    "pool_size": [2, 3, 4, 5, "global"],
    "pooling": ["max", "mean"],
}
START = {
    "augmentation": "none",
    "class_weights": "none",
    "optimizer": "sgd",
    "activation": "relu",
    "batch_size": 32,
}


def choices(spec: StudySpec, family: str) -> dict[str, list[object]]:
    space = spec.space(family)
    assert all(isinstance(parameter, Categorical) for parameter in space.values())
    return {name: list(parameter.values or ()) for name, parameter in space.items()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_loads_under_its_own_name(path: Path) -> None:
    spec = load(path)
    assert spec.name == path.stem
    assert spec.description


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_header_says_what_it_costs_what_to_expect_and_the_command(path: Path) -> None:
    header = path.read_text(encoding="utf-8").split("\n\n", 1)[0]
    assert header.startswith("# ")
    for part in ("Cost:", "Expect:", f"blood-hpo run studies/{path.name}"):
        assert part in header


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_stored_study_is_the_study(path: Path) -> None:
    spec = load(path)
    stored = json.loads(json.dumps(spec.model_dump(mode="json")))
    assert StudySpec.parse(stored, "database") == spec
    assert list(stored["families"]) == list(spec.families)


@pytest.mark.parametrize("name", ["paper", "paper-grid"])
def test_the_paper_studies_search_the_reports_spaces(name: str) -> None:
    spec = load(STUDIES / f"{name}.toml")
    assert choices(spec, "mlp") == SHARED | MLP
    assert choices(spec, "cnn") == SHARED | CNN
    assert (spec.space_size("mlp"), spec.space_size("cnn")) == (480, 14_400)


@pytest.mark.parametrize("name", ["paper", "paper-grid", "units", "kernels"])
def test_the_reports_training_rules(name: str) -> None:
    spec = load(STUDIES / f"{name}.toml")
    assert spec.data.fraction == 0.4
    assert spec.training.model_dump() == {
        "folds": 3,
        "epochs": 50,
        "patience": 10,
        "start_epoch": 10,
    }


def test_the_staged_grid_is_the_reports() -> None:
    spec = load(STUDIES / "paper-grid.toml")
    mlp, cnn = spec.families["mlp"], spec.families["cnn"]
    assert [set(stage) for stage in mlp.stages or ()] == [
        {"augmentation", "class_weights"},
        {"units"},
        {"optimizer", "activation", "batch_size"},
    ]
    assert [set(stage) for stage in cnn.stages or ()] == [
        {"augmentation", "class_weights"},
        {"kernel_size", "filters"},
        {"pooling", "pool_size"},
        {"optimizer", "activation", "batch_size"},
    ]
    assert mlp.start == START | {"units": 128}
    assert cnn.start == START | {"kernel_size": 3, "filters": 32, "pool_size": 2, "pooling": "max"}
    assert spec.pruner.name == "none"


def test_the_staged_grids_header_counts_its_configurations() -> None:
    header = (STUDIES / "paper-grid.toml").read_text(encoding="utf-8").split("\n\n", 1)[0]
    totals = re.findall(r"# +(?:MLP|CNN)[ 0-9+]+= (\d+)", header)
    assert totals == ["31", "50"]
    assert load(STUDIES / "paper-grid.toml").budgets == {"mlp": 31, "cnn": 50}
    assert "81 configurations" in header


def test_the_two_effects_are_full_grids_around_the_reports_optimum() -> None:
    units, kernels = load(STUDIES / "units.toml"), load(STUDIES / "kernels.toml")
    assert choices(units, "mlp") == MLP
    assert choices(kernels, "cnn") == {key: CNN[key] for key in ("kernel_size", "filters")}
    assert (units.budgets, kernels.budgets) == ({"mlp": 5}, {"cnn": 15})
    optimum = {"augmentation": "flips_rotation", "class_weights": "none", "activation": "relu"}
    for held in (units.held("mlp"), kernels.held("cnn")):
        assert held.items() >= {**optimum, "batch_size": 16, "learning_rate": None}.items()
    assert kernels.held("cnn").items() >= {"optimizer": "adam", "pool_size": 2}.items()


def test_the_default_study_takes_all_images_and_one_schedule() -> None:
    spec = load(STUDIES / "blood.toml")
    assert spec.data.fraction == 1.0
    for family in ("mlp", "cnn"):
        assert spec.space(family).keys() >= {"learning_rate", "weight_decay", "dropout"}
        held = {"optimizer": "adamw", "schedule": "cosine", "augmentation": "symmetries"}
        assert spec.held(family).items() >= (held | {"batch_normalisation": True}).items()
    assert 3 * spec.pruner.warmup_epochs > spec.training.epochs
    assert spec.final
    assert spec.final.epochs > spec.training.epochs


def test_the_resnet_study_proposes_nothing_of_two_million_parameters() -> None:
    spec = load(STUDIES / "resnet.toml")
    others = {name: one.probes[0] for name, one in spec.space("resnet").items()}
    widest: dict[str, Any] = {"initial_filters": 48, "blocks": 2, "convolutions_per_block": 2}
    assert spec.allows("resnet", others | widest)
    assert spec.allows("resnet", others | {**widest, "blocks": 3, "convolutions_per_block": 1})
    assert not spec.allows("resnet", others | {**widest, "blocks": 3})


def test_only_quickstart_falls_back_to_synthetic_images() -> None:
    allowed = [path.stem for path in FILES if load(path).data.synthetic_fallback]
    assert allowed == ["quickstart"]
