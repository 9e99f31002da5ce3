"""Effects of single hyperparameters: from grids around the winners, and stage by stage."""

from collections.abc import Sequence
from statistics import fmean, stdev

from blood_hpo.database.record import TrialRecord
from blood_hpo.report.page.cells import count, number, plain, settings, words
from blood_hpo.report.page.document import Block, Cells, Figure, Row, Section, Table
from blood_hpo.report.page.words import said, table
from blood_hpo.report.process import effects_figures as draw
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.grids import EFFECTS, Grid, Stage, StagedGrid
from blood_hpo.report.read.published import original_scores
from blood_hpo.report.read.search_study import family_name


def section(found: Findings) -> Section:
    """The section; it is empty where no grid was run on these data."""
    blocks = _around(found) + (_staged(found, found.staged) if found.staged else [])
    opening = [said("effects")] if blocks else []
    return Section("effects", [*opening, *blocks])


def _around(found: Findings) -> list[Block]:
    grids = {family: one for family, one in found.grids.items() if one.complete}
    drawn = [
        _drawn(found, family, f"grid-{family}", one.study, one.complete)
        for family, one in grids.items()
    ]
    held = " ".join(_held(found, grid, family) for family, grid in grids.items())
    tables = [_grid_table(found, family, grid) for family, grid in grids.items()]
    return [held, Row(drawn), *tables] if drawn else []


def _grid_table(found: Findings, family: str, grid: Grid) -> Table:
    names = EFFECTS[family]
    trials = sorted(grid.complete, key=lambda one: [one.params[name] for name in names])
    rows = [
        {
            **{words(name): count(one.params[name]) for name in names},
            **_scores(found, family, one, names),
        }
        for one in trials
    ]
    facts = {"family": family_name(family), "names": " and ".join(map(words, names))}
    return table("grid", rows, f"grid-{family}", **facts)


def _staged(found: Findings, grid: StagedGrid) -> list[Block]:
    """The original's own method: its Figures 4 and 8, and its tables by stage."""
    drawn = [
        _drawn(found, family, f"stage-{family}", grid.study, stage.trials)
        for family in grid.families
        if (stage := grid.effect(family))
    ]
    tables = [_stage_table(found, family, stages) for family, stages in grid.families.items()]
    # Folded where the same is drawn around the winner: one of them is enough to look at.
    folded = "The original's Figures 4 and 8" if found.grids else ""
    return [said("staged", study=grid.study), *([Row(drawn, folded)] if drawn else []), *tables]


def _stage_table(found: Findings, family: str, stages: Sequence[Stage]) -> Table:
    groups = {
        f"Stage {place}: {', '.join(map(words, stage.names))}": _stage_rows(found, family, stage)
        for place, stage in enumerate(stages, start=1)
    }
    return table("stages-of", groups, f"stages-{family}", family=family_name(family))


def _stage_rows(found: Findings, family: str, stage: Stage) -> list[Cells]:
    rows: list[Cells] = []
    for one in stage.trials:
        varied = {name: one.params[name] for name in stage.names}
        scores = _scores(found, family, one, stage.names, best=one is stage.best)
        rows.append({"what varied": plain(varied, settings(varied)), **scores})
    return rows


def _scores(
    found: Findings, family: str, trial: TrialRecord, names: tuple[str, ...], *, best: bool = False
) -> Cells:
    mean, spread = _effect(trial)
    scores = original_scores(found.study.objective, family, names)
    theirs = scores.get(tuple(str(trial.params[name]) for name in names))
    return {
        "mean": number(mean, best=best),
        "sd of folds": number(spread),
        "original, mean": number(theirs and theirs[0]),
        "original, sd": number(theirs and theirs[1]),
    }


def _drawn(
    found: Findings, family: str, name: str, study: str, trials: Sequence[TrialRecord]
) -> Figure:
    names = EFFECTS[family]
    scores = original_scores(found.study.objective, family, names)
    theirs = {tuple(map(int, values)): score for values, score in scores.items()}
    ours = {tuple(int(one.params[key]) for key in names): _effect(one) for one in trials}
    make = draw.units if family == "mlp" else draw.kernels
    return make(name, study, found.study.objective, ours, theirs)


def _held(found: Findings, grid: Grid, family: str) -> str:
    fixed = grid.spec["families"][family]["fixed"]
    held = settings({name: value for name, value in fixed.items() if value is not None})
    facts = {"study": grid.study, "centre": _centre(found, grid, family)}
    facts |= {"share": 100 * grid.spec["data"]["fraction"], **grid.spec["training"]}
    return said("held", held=held or "all defaults", **facts)


def _centre(found: Findings, grid: Grid, family: str) -> str:
    if not grid.around:
        return said("not-around", name=found.study.name)
    if not grid.around_winner:
        return said("around-another")
    return f"around this study's winner, trial {found.winners[family].trial.number}"


def _effect(trial: TrialRecord) -> tuple[float, float]:
    scores = list(trial.fold_scores or ())
    return fmean(scores), stdev(scores) if len(scores) > 1 else 0.0
