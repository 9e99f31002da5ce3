"""What was searched: hyperparameters with their options in stage groups, the optimum marked."""

from collections.abc import Iterable
from typing import Any

from blood_hpo.report.page.cells import Cell, Option, listed, plain, setting, words
from blood_hpo.report.page.document import Block, Cells, Row, Section, Table
from blood_hpo.report.page.words import said, table
from blood_hpo.report.read.findings import Findings, Winner
from blood_hpo.report.read.search_study import family_name, searched


def section(found: Findings) -> Section:
    """The section."""
    tables = [_table(found, family) for family in found.study.families]
    blocks: list[Block] = [*_rules(found), Row(tables)]
    return Section("space", blocks, {"spec": dict(found.study.spec)})


def _rules(found: Findings) -> list[str]:
    spec, objective = found.study.spec, found.study.objective
    training, sampler = spec["training"], said(f"sampler-{spec['sampler']['name']}")
    trained = said("trained", **training, first=training["start_epoch"] + 1)
    return [
        said("proposed", sampler=sampler, objective=objective, folds=training["folds"]),
        f"{trained} {_pruned(spec['pruner'])}",
    ]


def _pruned(pruner: dict[str, Any]) -> str:
    if pruner["name"] == "none":
        return said("not-pruned")
    bar = "below the median"
    if pruner["name"] == "percentile":
        bar = f"outside the best {pruner['percentile']:g} %"
    first, startup = pruner["warmup_epochs"] + 1, pruner["startup_trials"]
    return said("pruned", bar=bar, first=first, startup=startup)


def _table(found: Findings, family: str) -> Table:
    winner, space = found.winners.get(family), searched(found.study.spec, family)
    own = found.study.spec["families"][family]
    stages = {f"Stage {place}": names for place, names in enumerate(own["stages"] or (), start=1)}
    groups = {
        title: _rows(space, names, winner)
        for title, names in (stages or {"Searched together": list(space)}).items()
    }
    notes = []
    if winner:
        chosen = "confirmed on fresh folds" if winner.confirmed else "best score of the search"
        notes.append(f"Marked: trial {winner.trial.number}, {chosen}.")
    if own["fixed_from"]:
        notes.append(f"All else is held at the best configuration of study {own['fixed_from']}.")
    facts = {"family": family_name(family), "note": " ".join(notes)}
    return table("space", groups, f"space-{family}", **facts)


def _rows(space: dict[str, Any], names: Iterable[str], winner: Winner | None) -> list[Cells]:
    params = winner.trial.params if winner else {}
    return [
        {
            "hyperparameter": plain(name, words(name)),
            "options": _options(space[name], params.get(name), marked=name in params),
            "best": plain(params[name], setting(params[name]), best=True)
            if name in params
            else plain(None),
        }
        for name in names
        if name in space
    ]


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
