"""Each mistake is answered with one line: the file, the key, and what to do instead."""

import copy
from pathlib import Path
from typing import Any

import pytest

from blood_hpo.errors import InputError
from blood_hpo.studyfile.load import load
from blood_hpo.studyfile.schema import StudySpec

TPE: dict[str, Any] = {
    "name": "own",
    "space": {"batch_size": [16, 32]},
    "families": {
        "mlp": {"budget": 4, "space": {"units": [64, 128]}},
        "cnn": {"budget": 4, "space": {"kernel_size": [3, 5], "pool_size": [2, "global"]}},
    },
}
STAGED: dict[str, Any] = {
    "name": "own",
    "sampler": {"name": "staged_grid"},
    "pruner": {"name": "none"},
    "families": {
        "mlp": {
            "space": {"units": [64, 128], "batch_size": [16, 32]},
            "start": {"units": 64, "batch_size": 16},
            "stages": [["units"], ["batch_size"]],
        }
    },
}


def changed(document: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    """A copy with one key set; the value None removes it."""
    copied = copy.deepcopy(document)
    *path, last = key.split(".")
    table = copied
    for part in path:
        table = table.setdefault(part, {})
    if value is None:
        del table[last]
    else:
        table[last] = value
    return copied


def message(document: object) -> str:
    with pytest.raises(InputError) as caught:
        StudySpec.parse(document, "studies/x.toml")
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("nam", "x", 'nam: unknown key; did you mean "name"?'),
        ("name", None, "name: missing"),
        ("name", "Own Study", "name: a study's name is 1 to 64 lower-case letters"),
        ("objective", "acuracy", 'objective: "acuracy" is not one of accuracy, balanced_accuracy'),
        ("objective", "acuracy", '; did you mean "accuracy"?'),
        ("training.epoch", 3, 'training.epoch: unknown key; did you mean "epochs"?'),
        ("training.folds", 1, "training.folds: should be at least 2, not 1"),
        ("training.epochs", True, "training.epochs: should be a valid integer, not true"),
        ("training.epochs", 10, "training.start_epoch: early stopping would never begin"),
        (
            "pruner.warmup_epochs",
            49,
            "no trial of 50 epochs would ever be stopped; set it below 49",
        ),
        (
            "pruner",
            {"name": "none", "warmup_epochs": 3},
            'only the pruner "median" or "percentile"',
        ),
        ("pruner.percentile", 10.0, 'pruner.percentile: only the pruner "percentile" has it'),
        ("sampler", {"name": "random", "startup_trials": 3}, 'only the sampler "tpe" has it'),
        ("data.fraction", 0.0, "data.fraction: should be greater than 0, not 0.0"),
        ("data.fraction", 40, "data.fraction: should be at most 1, not 40"),
        ("data", 0.4, "data: should be a table, not 0.4"),
        ("families", None, "families: missing"),
        ("families", {}, "families: names no model family; choose from mlp, cnn, resnet"),
        ("families.mpl", {}, 'families.mpl: unknown family; did you mean "mlp"?'),
        ("families.vit", {}, "families.vit: unknown family; choose one of mlp, cnn, resnet"),
        ("families.mlp.budget", 0, "families.mlp.budget: should be at least 1, not 0"),
        ("families.mlp.budget", None, "families.mlp.budget: missing"),
        ("families.mlp.space.unitz", [1], 'unitz: unknown key; did you mean "units"?'),
        ("families.mlp.space.dropout", [], "mlp.space.dropout: an empty array leaves nothing"),
        ("families.mlp.space.units", [64, 64], "mlp.space.units: the choice 64 is listed twice"),
        ("families.mlp.space.units", [0], "mlp.space.units: should be greater than 0, not 0"),
        ("families.mlp.space.units", 64, "units: should be an array of choices or a table with"),
        ("families.mlp.space.units", [6.5], "mlp.space.units: should be a valid integer, not 6.5"),
        ("families.mlp.space.activation", ["rel"], '"rel" is not one of relu, tanh; did you mean'),
        ("families.mlp.space.dropout", {"low": 0.0, "high": 1.0}, "should be less than 1, not 1.0"),
        ("families.mlp.space.dropout", {"low": 0.0}, "families.mlp.space.dropout.high: missing"),
        ("families.mlp.space.dropout", {"lo": 0.0}, 'unknown key; did you mean "low"?'),
        ("families.mlp.space.dropout", {"low": 0.5, "high": 0.1}, "low must be less than high"),
        ("families.cnn.space.pool_size", [2, "globl"], 'did you mean "global"?'),
        ("families.cnn.space.pool_size", [2, 25], "pool_size 25 exceeds the 24 x 24 feature map"),
        ("families.mlp.fixed", {"units": 64}, "fixed.units: already searched in families.mlp.spa"),
        ("families.mlp.fixed", {"batch_size": 8}, "fixed.batch_size: already searched in space"),
        ("families.mlp.fixed", {"optimizer": "adm"}, "mlp.fixed.optimizer: "),
        ("families.mlp.fixed", {"optimiser": "adam"}, 'did you mean "optimizer"?'),
        ("families.mlp.space.batch_size", [16], "batch_size: already searched in space; remove"),
        (
            "families.cnn.space.activation",
            ["relu", 1],
            "cnn.space.activation: 1 is not one of relu",
        ),
        ("space.units", [64], "space.units: cnn has no such hyperparameter; move it"),
        ("space.unitz", [64], 'space.unitz: unknown key; did you mean "units"?'),
        ("space.learning_rate", {"low": 0.0, "high": 0.1, "log": True}, "a log scale needs low"),
        ("space.weight_decay", {"low": 0, "high": 1}, "write low = 0.0 and high = 1.0"),
        ("space.schedule", ["cosine", "constant"], "gain late; take one kind, or set pruner.name"),
        (
            "space.batch_size",
            [16, 3 * 10**9],
            "batch_size: should be at most 200000, not 3000000000",
        ),
        ("space.mixing_strength", [0.2, 1.0], 'mixing_strength has no effect with mixing "none"'),
        ("families.mlp.fixed", {"mixing_strength": 0.2}, "has no effect with mixing"),
        ("final", {"resnet": "none", "resnet_epochs": 9}, "final.resnet_epochs: no ResNet is tr"),
        ("families.mlp.max_parameters", 151_000, "max_parameters: no network of the space is so"),
        ("sampler.name", "grid", 'pruner.name: a grid compares all of its space; set it to "none"'),
        ("families.mlp.stages", [["units"]], "stages: only the staged grid has it; remove it"),
        ("families.mlp.around", "no study", "families.mlp.around: a study's name is"),
    ],
)
def test_a_mistake_names_the_key_and_the_way_out(key: str, value: object, expected: str) -> None:
    text = message(changed(TPE, key, value))
    assert text.startswith("studies/x.toml: ")
    assert expected in text


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("families.mlp.stages", None, "families.mlp.stages: missing"),
        ("families.mlp.start", None, "families.mlp.start: missing"),
        ("families.mlp.start.units", 100, "start.units: 100 is not among the searched values"),
        ("families.mlp.start.units", 64.0, "start.units: should be a valid integer, not 64.0"),
        ("families.mlp.start.units", None, "start.units: missing"),
        ("families.mlp.start.unitz", 64, 'start.unitz: is not searched; did you mean "units"?'),
        ("families.mlp.stages", [["units"]], '"batch_size" stands in no stage'),
        ("families.mlp.stages", [["units"], ["units", "batch_size"]], '"units" stands in more'),
        ("families.mlp.stages", [["units", "batch_siz"]], '"batch_siz" is not searched; did you'),
        ("families.mlp.stages", [["units", "batch_size"], []], "a stage is empty; remove it"),
        ("pruner", None, 'pruner.name: a grid compares all of its space; set it to "none"'),
        ("families.mlp.max_parameters", 9, "max_parameters: a grid visits all of its space"),
        ("families.mlp.stages", ["units"], "families.mlp.stages.0: should be an array"),
        ("families.mlp.space.units", {"low": 1, "high": 10**9}, "has 1000000001 combinations"),
        ("families.mlp.space.dropout", {"low": 0.0, "high": 0.5}, "dropout: a grid needs an array"),
    ],
)
def test_a_mistake_in_a_staged_grid(key: str, value: object, expected: str) -> None:
    assert expected in message(changed(STAGED, key, value))


def test_a_limit_that_some_network_keeps_is_not_refused() -> None:
    """The smallest CNN has a kernel between the ends."""
    space = {"kernel_size": {"low": 3, "high": 27}, "filters": [1, 64]}
    cnn = {"budget": 4, "space": space, "max_parameters": 1_100}
    StudySpec.parse({"name": "own", "families": {"cnn": cnn}}, "own.toml")
    cnn["max_parameters"] = 900
    assert "no network of the space" in message({"name": "own", "families": {"cnn": cnn}})


def test_a_family_with_nothing_to_search() -> None:
    assert "families.resnet.space: missing: nothing would be searched" in message(
        {"name": "own", "families": {"resnet": {"budget": 1}}}
    )


def test_a_searched_resnet_has_no_other_beside_it() -> None:
    resnet = {"budget": 1, "space": {"blocks": [1, 2]}}
    document = {"name": "own", "families": {"resnet": resnet}, "final": {"resnet_epochs": 9}}
    assert "final.resnet_epochs: no ResNet is trained beside; remove it" in message(document)


def test_families_that_share_a_hyperparameter_share_its_space() -> None:
    document = changed(TPE, "families.mlp.space.dropout", [0.0, 0.1])
    document = changed(document, "families.cnn.space.dropout", [0.0, 0.2])
    assert "families.cnn.space.dropout: differs from families.mlp.space" in message(document)


def test_several_mistakes_are_all_named() -> None:
    document = changed(TPE, "families.mlp.budget", 0)
    document = changed(document, "training.folds", "3")
    assert "families.mlp.budget: " in message(document)
    assert "training.folds: " in message(document)


def test_of_very_many_mistakes_the_first_are_named() -> None:
    document = {**TPE, **{f"unknown{number}": 0 for number in range(12)}}
    assert message(document).endswith("; and 2 more")


def test_a_message_is_one_printable_line() -> None:
    text = message({"name": "own", "a\nb\x1b[31m": 1})
    assert text.isprintable()


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        (b"name = ", "not valid TOML: Invalid value"),
        (b'name = "own"\nseed == 1', "line 2, column 7"),
        (b"\xff\xfe", "'utf-8' codec can't decode byte 0xff in position 0"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"seed = 1" + b"0" * 5_000, "value has 5001 digits"),
        (
            b'name = "own"\nseed = 0x' + b"f" * 9_000,
            "seed: should be at most 4294967295, not a huge",
        ),
        (b"", "name: missing; families: missing"),
        (b'name = "own"\nseed = 2020-01-01', "seed: should be a valid integer, not a date"),
    ],
)
def test_a_file_that_is_no_study(tmp_path: Path, contents: bytes, expected: str) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(contents)
    with pytest.raises(InputError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert expected in str(caught.value)


def test_a_missing_file_names_the_nearest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("paper.toml", "pyproject.toml"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=r'no such study file; did you mean ".*/paper\.toml"\?'):
        load(tmp_path / "papr.toml")
    with pytest.raises(InputError, match=r"choose one of studies/blood\.toml, "):
        load(tmp_path / "nowhere" / "paper.toml")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"no such study file$"):
        load(tmp_path / "nowhere" / "paper.toml")


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        load(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be read: Not a directory"):
        load(tmp_path / "file" / "x.toml")
    with pytest.raises(InputError, match="embedded null byte"):
        load("\0")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        '\ufeffname = "own"\n[families.mlp]\nbudget = 1\nspace = { units = [64] }\n',
        encoding="utf-8",
    )
    assert load(path).name == "own"


def test_an_unknown_key_hides_no_other_mistake() -> None:
    wrong = {"name": "x", "sede": 1, "training": {"epoch": 3, "folds": 1}, "families": {"mlp": {}}}
    said = message(wrong)
    for mistake in (
        "sede: unknown",
        "training.epoch: unknown",
        "training.folds: should be at least",
    ):
        assert mistake in said
