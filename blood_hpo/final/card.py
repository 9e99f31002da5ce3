"""The model card: what a trained model is, how it came about and what it may not be used for."""

from collections.abc import Mapping
from typing import Any

from blood_hpo.data.facts import CLASSES


def model_card(name: str, facts: Mapping[str, Any]) -> str:
    """A page in Markdown.

    Args:
        name: Name of the model's file.
        facts: The attributes of its trial, and ``data`` of its study.
    """
    return "\n".join([*_head(name, facts), *_origin(facts), *_figures(facts), *_use(name)]) + "\n"


def _head(name: str, facts: Mapping[str, Any]) -> list[str]:
    marked = "**SYNTHETIC DATA: this model has never seen a blood cell.**"
    return [
        f"# {name}",
        "",
        *([marked, ""] if facts["data"]["synthetic"] else []),
        f"A {facts['family']} that classifies images of blood cells, 28 x 28 pixels in RGB, into",
        f"{', '.join(CLASSES[:-1])} and {CLASSES[-1]}.",
        "",
        f"SHA-256 of the file: `{facts['model']['sha256']}`",
        "",
    ]


def _origin(facts: Mapping[str, Any]) -> list[str]:
    source = (
        f"trial {facts['source_trial']} of study {facts['source_study']}"
        if facts["source_study"]
        else f"no search: the {facts['recipe']} settings"
    )
    settings = (f"| `{name}` | `{value}` |" for name, value in facts["config"].items())
    return [
        "## Where it comes from",
        "",
        f"- Configuration: {source}, hash `{facts['config_hash']}`",
        f"- Data: {facts['data']['label']}, SHA-256 `{facts['data']['sha256']}`",
        f"- Trainable parameters: {facts['parameter_count']:,}",
        f"- Epochs: {facts['epochs_trained']}, of which epoch {facts['best_epoch']} was kept",
        f"- Seed: {facts['seed']} (number {facts['replicate']})",
        f"- Versions: {', '.join(f'{k} {v}' for k, v in facts['versions'].items())}",
        "",
        "| Setting | Value |",
        "| --- | --- |",
        *settings,
        "",
    ]


def _figures(facts: Mapping[str, Any]) -> list[str]:
    columns = ["validation", "test", *(["test_averaged"] if facts["test_averaged"] else [])]
    rows = ("count", "errors", "accuracy", "balanced_accuracy", "macro_auc", "log_loss")
    return [
        "## How good it is",
        "",
        f"| | {' | '.join(column.replace('_', ', ') for column in columns)} |",
        f"| --- |{' ---: |' * len(columns)}",
        *(
            f"| {row.replace('_', ' ')} | {' | '.join(_cell(facts[c][row]) for c in columns)} |"
            for row in rows
        ),
        "",
        "Averaged: mean prediction over the eight symmetries of each image.",
        "",
    ]


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"


def _use(name: str) -> list[str]:
    return [
        "## Use",
        "",
        "Input: pixels from 0 to 255, shape (n, 28, 28, 3). Output: a probability for each class,",
        "in the order above. Scaling is inside.",
        "",
        f"    keras.models.load_model({name!r})(images)",
        "",
        "It was trained on images of one laboratory and one stain. It is for research and",
        "teaching, not for diagnosis.",
    ]
