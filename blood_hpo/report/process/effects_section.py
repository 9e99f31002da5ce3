"""The effect of the MLP's width and of the CNN's kernels, from grid studies."""

from statistics import mean, stdev

from blood_hpo.database.record import TrialRecord
from blood_hpo.report.page.cells import Cell, number, settings
from blood_hpo.report.page.document import Block, Figures, Missing, Section, Table, Text, one_group
from blood_hpo.report.process import effects_figures as draw
from blood_hpo.report.read.findings import Findings, Grid
from blood_hpo.report.read.published import ORIGINAL_KERNELS, ORIGINAL_UNITS

TITLE = "Effects, one at a time"


def section(found: Findings) -> Section:
    """The section."""
    blocks: list[Block] = [
        Text(
            "A search changes everything at once. These are grid studies instead: one or two"
            " hyperparameters take every value while all others are held, without pruning, so that"
            " differences are effects, as far as the folds' spread lets them be seen."
        ),
        *_units(found),
        *_kernels(found),
    ]
    return Section("effects", TITLE, tuple(blocks))


def _units(found: Findings) -> list[Block]:
    done = _complete(found.grids.get("mlp"))
    grid = found.grids.get("mlp")
    if grid is None or not done:
        return [_missing(found, "units")]
    values = {int(one.params["units"]): _effect(one) for one in done}
    rows = [
        [number(units, 0), number(score), number(spread), *_theirs(ORIGINAL_UNITS.get(units))]
        for units, (score, spread) in sorted(values.items())
    ]
    columns = ("units", "mean", "sd of folds", "original, mean", "original, sd")
    return [
        Text(_held(found, grid, "mlp")),
        draw.units(values, ORIGINAL_UNITS, found.study.objective),
        Table("units", "Effect of the MLP's width", columns, one_group(rows)),
    ]


def _kernels(found: Findings) -> list[Block]:
    done = _complete(found.grids.get("cnn"))
    grid = found.grids.get("cnn")
    if grid is None or not done:
        return [_missing(found, "kernels")]
    params = [one.params for one in done]
    keys = [(int(one["kernel_size"]), int(one["filters"])) for one in params]
    values = dict(zip(keys, map(_effect, done), strict=True))
    rows = [
        [
            number(size, 0),
            number(filters, 0),
            number(score),
            number(spread),
            *_theirs(ORIGINAL_KERNELS.get((size, filters))),
        ]
        for (size, filters), (score, spread) in sorted(values.items())
    ]
    columns = ("kernel", "filters", "mean", "sd of folds", "original, mean", "original, sd")
    return [
        Text(_held(found, grid, "cnn")),
        Figures(
            (
                draw.kernels(values, found.study.objective),
                draw.kernel_lines(values, ORIGINAL_KERNELS, found.study.objective),
            )
        ),
        Table("kernels", "Effect of the CNN's kernels and filters", columns, one_group(rows)),
    ]


def _held(found: Findings, grid: Grid, family: str) -> str:
    fixed = grid.spec["families"][family]["fixed"]
    held = settings({name: value for name, value in fixed.items() if value is not None})
    return f"Study {grid.study}, {_centre(found, grid, family)}. Held: {held or 'all defaults'}."


def _centre(found: Findings, grid: Grid, family: str) -> str:
    name = found.study.name
    if not grid.around:
        return f"not around a configuration of this study (create one with --around {name})"
    if not grid.around_winner:
        return (
            "around what was this study's best when it was created, which is no longer the winner"
        )
    return f"around this study's winner, trial {found.winners[family].trial.number}"


def _missing(found: Findings, study: str) -> Missing:
    what = {"units": "the MLP's width", "kernels": "the CNN's kernels"}[study]
    name = found.study.name
    return Missing(
        f"The effect of {what} has not been measured on this data set.",
        f"blood-hpo run studies/{study}.toml --around {name} --name {name}-{study}",
    )


def _complete(grid: Grid | None) -> list[TrialRecord]:
    trials = grid.trials if grid else ()
    return [one for one in trials if one.state == "COMPLETE" and one.fold_scores]


def _effect(trial: TrialRecord) -> tuple[float, float]:
    scores = list(trial.fold_scores or ())
    return mean(scores), stdev(scores) if len(scores) > 1 else 0.0


def _theirs(value: tuple[float, float] | None) -> list[Cell]:
    return [number(value[0]), number(value[1])] if value else [number(None), number(None)]
