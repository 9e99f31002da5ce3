"""What was searched: hyperparameters with their options in stage groups, the optimum marked."""

from collections.abc import Sequence
from typing import Any

from blood_hpo.report.page.cells import Cell, Option, listed, plain, setting, words
from blood_hpo.report.page.document import Block, Group, Row, Section, Table, Text
from blood_hpo.report.read.findings import Findings, Winner
from blood_hpo.report.read.search_study import family_name

SAMPLERS = {
    "tpe": "a tree-structured Parzen estimator (TPE)",
    "random": "uniform random sampling",
    "grid": "a grid of every combination",
    "staged_grid": "a grid stage by stage: the best of one stage is held in the next",
}


def section(found: Findings) -> Section:
    """The section."""
    blocks: list[Block] = [Text(text) for text in _rules(found)]
    blocks.append(Row(tuple(_table(found, family) for family in found.study.families)))
    return Section("space", "What was searched", tuple(blocks), {"spec": dict(found.study.spec)})


def _rules(found: Findings) -> list[str]:
    spec = found.study.spec
    training, sampler, pruner = spec["training"], spec["sampler"], spec["pruner"]
    searched = (
        f"Configurations were proposed by {SAMPLERS[sampler['name']]}, for each family by itself,"
        f" and scored by the mean {found.study.objective} over {training['folds']} folds that"
        f" advance epoch by epoch together. No configuration was tried twice."
    )
    trained = (
        f"Each fold was trained for at most {training['epochs']} epochs. Early stopping watched the"
        f" validation split with a patience of {training['patience']} epochs, from epoch"
        f" {training['start_epoch'] + 1} on, and restored the best epoch; the score is taken on the"
        " held-out fold, which steers nothing."
    )
    stopped = {
        "none": "Nothing was pruned.",
        "median": "A trial below the median of its family's earlier trials at the same epoch was"
        " pruned",
        "percentile": f"A trial outside the best {pruner.get('percentile', 0):g} % of its family's"
        " earlier trials at the same epoch was pruned",
    }[pruner["name"]]
    if pruner["name"] != "none":
        stopped += (
            f", but none before epoch {pruner['warmup_epochs'] + 1} and none of the first"
            f" {pruner['startup_trials']}."
        )
    return [searched, f"{trained} {stopped}"]


def _table(found: Findings, family: str) -> Table:
    winner = found.winners.get(family)
    space = found.study.space(family)
    own = found.study.spec["families"][family]
    if own["stages"]:
        groups = [
            Group(_rows(space, stage, winner), f"Stage {number}")
            for number, stage in enumerate(own["stages"], start=1)
        ]
    else:
        groups = [Group(_rows(space, list(space), winner), "Searched together")]
    name = family_name(family)
    return Table(
        f"space-{family}",
        f"Hyperparameters of the {name}",
        ("hyperparameter", "options", "best"),
        tuple(group for group in groups if group.rows),
        _note(found, family, winner),
    )


def _note(found: Findings, family: str, winner: Winner | None) -> str:
    source = found.study.spec["families"][family]["fixed_from"]
    held = f" All else is held at the best configuration of study {source}." if source else ""
    if winner is None:
        return held.strip()
    chosen = "confirmed on fresh folds" if winner.confirmed else "best score of the search"
    return f"Marked: trial {winner.trial.number}, {chosen}.{held}"


def _rows(
    space: dict[str, Any], names: Sequence[str], winner: Winner | None
) -> tuple[tuple[Cell, ...], ...]:
    params = winner.trial.params if winner else {}
    return tuple(
        (
            plain(name, words(name)),
            _options(space[name], params.get(name), marked=name in params),
            plain(params.get(name), setting(params[name]), best=True)
            if name in params
            else plain(None),
        )
        for name in names
        if name in space
    )


def _options(values: Any, best: object, *, marked: bool) -> Cell:  # noqa: ANN401 - as stored
    if isinstance(values, list):
        options = tuple(
            Option(setting(one), marked and one == best and type(one) is type(best))
            for one in values
        )
        return Cell(values, listed([one.text for one in options]), options=options)
    scale = ", on a log scale" if values.get("log") else ""
    step = f", in steps of {values['step']}" if values.get("step", 1) != 1 else ""
    return Cell(values, f"{setting(values['low'])} to {setting(values['high'])}{scale}{step}")
