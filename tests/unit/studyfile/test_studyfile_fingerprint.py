"""A fingerprint changes with whatever changes results, and with nothing else."""

import copy
from typing import Any

import pytest

from blood_hpo.studyfile.fingerprint import differences, fingerprint
from blood_hpo.studyfile.schema import StudySpec

DOCUMENT: dict[str, Any] = {
    "name": "own",
    "description": "one",
    "space": {"batch_size": [16, 32]},
    "families": {
        "mlp": {"budget": 3, "space": {"units": [64, 128]}},
        "cnn": {"budget": 3, "space": {"filters": [8, 16]}, "fixed": {"dropout": 0.5}},
    },
}


def spec(key: str | None = None, value: object = None) -> StudySpec:
    document = copy.deepcopy(DOCUMENT)
    if key is not None:
        *path, last = key.split(".")
        table = document
        for part in path:
            table = table.setdefault(part, {})
        table[last] = value
    return StudySpec.parse(document, "own.toml")


def test_it_is_sixteen_hexadecimal_digits_and_stays() -> None:
    # Pinned: a key that is added later, at its default, must not shut out the studies that exist.
    assert fingerprint(spec()) == "4879933cb292aa46"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "other"),
        ("description", "two"),
        ("families.mlp.budget", 9),
        ("data.synthetic_fallback", True),
        ("seed", 0),
        ("training.epochs", 50),
        ("data.fraction", 1),
        ("families.mlp.fixed", {"activation": "relu"}),
        ("families.mlp.fixed_from", "paper"),
        ("final", {"seeds": 2}),
    ],
)
def test_what_does_not_change_results(key: str, value: object) -> None:
    given = spec(key, value)
    assert fingerprint(given) == fingerprint(spec())
    assert differences(spec(), given) == []


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("seed", 1, "seed: 0 -> 1"),
        ("objective", "macro_auc", 'objective: "accuracy" -> "macro_auc"'),
        ("data.fraction", 0.5, "data.fraction: 1.0 -> 0.5"),
        ("training.epochs", 60, "training.epochs: 50 -> 60"),
        ("sampler.name", "random", 'sampler.name: "tpe" -> "random"'),
        ("pruner.warmup_epochs", 3, "pruner.warmup_epochs: 10 -> 3"),
        ("space.batch_size", [16], "space.batch_size: [16, 32] -> [16]"),
        (
            "families.mlp.fixed",
            {"activation": "tanh"},
            'families.mlp.fixed.activation: "relu" -> "tanh"',
        ),
        ("families.cnn.fixed", {}, "families.cnn.fixed.dropout: 0.5 -> 0.0"),
        (
            "families.resnet",
            {"budget": 1, "space": {"blocks": [1]}},
            "families.resnet: absent -> present",
        ),
        (
            "families.cnn.space.filters",
            {"low": 8, "high": 9},
            'families.cnn.space.filters: [8, 16] -> {"low": 8, "high": 9, "log": false, "step": 1}',
        ),
    ],
)
def test_what_changes_results_is_shown(key: str, value: object, expected: str) -> None:
    given = spec(key, value)
    assert fingerprint(given) != fingerprint(spec())
    assert differences(spec(), given) == [expected]


def test_a_hyperparameter_that_becomes_searched_is_no_longer_held() -> None:
    given = spec("families.mlp.space.dropout", {"low": 0.0, "high": 0.5})
    assert sorted(differences(spec(), given)) == [
        "families.mlp.fixed.dropout: 0.0 -> absent",
        'families.mlp.space.dropout: absent -> {"low": 0.0, "high": 0.5, "log": false}',
    ]


def test_the_order_of_tables_does_not_count() -> None:
    turned = dict(reversed(DOCUMENT.items()))
    turned["families"] = dict(reversed(DOCUMENT["families"].items()))
    assert fingerprint(StudySpec.parse(turned, "own.toml")) == fingerprint(spec())
