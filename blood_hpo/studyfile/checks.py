"""What one key of a study file demands of another; a table by itself is checked by the schema."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from blood_hpo.models.hyperparameters import Hyperparameters
from blood_hpo.models.registry import FAMILIES
from blood_hpo.studyfile.feasibility import Space, combinations, fields, has_network, misfit, unfit
from blood_hpo.studyfile.messages import Key, Problem, nearest, shown
from blood_hpo.text import unprintable

if TYPE_CHECKING:
    from blood_hpo.studyfile.tables import FamilySpec, StudyTables

GRIDS = {"grid", "staged_grid"}

LARGEST_GRID = 100_000
"""Combinations that a grid sampler lists."""


def problems(spec: "StudyTables") -> Iterable[Problem]:
    """Everything that is wrong between the tables of a study file.

    Later checks rely on earlier ones, so the first group that finds something is the last.
    """
    groups = (_text, _training, _families, _names, _values, _sampler, _pruner, _grid, _together)
    return next(filter(None, (list(group(spec)) for group in groups)), ())


def _text(spec: "StudyTables") -> Iterator[Problem]:
    if found := unprintable(spec.description):
        yield Problem(("description",), f"one line of plain text, without {found}; remove it")


def _training(spec: "StudyTables") -> Iterator[Problem]:
    for table, rules in (("training", spec.training), ("final", spec.final)):
        if rules is not None and rules.start_epoch >= rules.epochs:
            text = f"early stopping would never begin; set it below the {rules.epochs} epochs"
            yield Problem((table, "start_epoch"), text)
    last = spec.training.epochs - 1  # the last epoch in which a trial can be stopped
    if spec.pruner.name != "none" and spec.pruner.warmup_epochs >= last:
        text = f"no trial of {last + 1} epochs would ever be stopped; set it below {last}"
        yield Problem(("pruner", "warmup_epochs"), text)
    beside = spec.final and spec.final.resnet != "none" and "resnet" not in spec.families
    if spec.final and spec.final.resnet_epochs is not None and not beside:
        yield Problem(("final", "resnet_epochs"), "no ResNet is trained beside; remove it")
    owners = (
        ("sampler", "startup_trials", ["tpe"]),
        ("pruner", "percentile", ["percentile"]),
        ("pruner", "startup_trials", ["median", "percentile"]),
        ("pruner", "warmup_epochs", ["median", "percentile"]),
    )
    for table, key, names in owners:
        chosen = getattr(spec, table)
        default = type(chosen).model_fields[key].default
        if chosen.name not in names and getattr(chosen, key) != default:
            owner = " or ".join(map(shown, names))
            yield Problem((table, key), f"only the {table} {owner} has it; remove it")


def _families(spec: "StudyTables") -> Iterator[Problem]:
    if not spec.families:
        yield Problem(("families",), f"names no model family; choose from {', '.join(FAMILIES)}")
    for name in spec.families:
        if name not in FAMILIES:
            yield Problem(("families", name), f"unknown family; {nearest(name, FAMILIES)}")


def _names(spec: "StudyTables") -> Iterator[Problem]:
    for name in spec.shared_space:
        lacking = [family for family in spec.families if name not in fields(family)]
        if lacking and lacking != list(spec.families):
            text = f"{lacking[0]} has no such hyperparameter; move it to the families that have it"
            yield Problem(("space", name), text)
    for family, one in spec.families.items():
        yield from _own_names(family, one, spec.shared_space)


def _own_names(family: str, one: "FamilySpec", shared: Space) -> Iterator[Problem]:
    for table, names in (("space", one.space), ("fixed", one.fixed)):
        for name in names:
            if name in shared or (table == "fixed" and name in one.space):
                where = "space" if name in shared else f"families.{family}.space"
                text = f"already searched in {where}; remove it from one of them"
                yield Problem(("families", family, table, name), text)
    if not one.space and not shared:
        yield Problem(("families", family, "space"), "missing: nothing would be searched")


def _values(spec: "StudyTables") -> Iterator[Problem]:
    for name, parameter in spec.shared_space.items():
        yield from unfit(tuple(spec.families), ("space", name), parameter)
    owners: dict[str, str] = {}
    for family, one in spec.families.items():
        for name, parameter in one.space.items():
            key = ("families", family, "space", name)
            yield from unfit((family,), key, parameter)
            owner = owners.setdefault(name, family)
            if parameter != spec.families[owner].space[name]:
                yield Problem(key, f"differs from families.{owner}.space; families share a space")
        for name, value in one.fixed.items():
            if text := misfit(family, name, value):
                yield Problem(("families", family, "fixed", name), text)


def _sampler(spec: "StudyTables") -> Iterator[Problem]:
    for family, one in spec.families.items():
        key = ("families", family)
        if spec.sampler.name in GRIDS:
            for name, parameter in spec.space(family).items():
                if parameter.values is None:
                    text = "a grid needs an array of choices, not a range of floats"
                    yield Problem(_searched(spec, family, name), text)
            if one.max_parameters is not None:
                yield Problem((*key, "max_parameters"), "a grid visits all of its space; remove it")
        elif one.budget is None:
            yield Problem((*key, "budget"), "missing: how many trials may this family have?")
        yield from _staged(spec, key, one, spec.space(family))


def _pruner(spec: "StudyTables") -> Iterator[Problem]:
    if spec.sampler.name in GRIDS and spec.pruner.name != "none":
        yield Problem(("pruner", "name"), 'a grid compares all of its space; set it to "none"')
    for family in spec.families if spec.pruner.name != "none" else ():
        searched = spec.space(family).get("schedule")
        probes = searched.probes if searched else ()
        kinds = [Hyperparameters.model_validate({"schedule": one}) for one in probes]
        if len({one.schedule_ends for one in kinds}) > 1:
            text = "the pruner would stop schedules that end, which gain late; take one kind"
            key = _searched(spec, family, "schedule")
            yield Problem(key, f'{text}, or set pruner.name to "none"')


def _searched(spec: "StudyTables", family: str, name: str) -> Key:
    """Where a hyperparameter of a family is searched."""
    return ("space", name) if name in spec.shared_space else ("families", family, "space", name)


def _grid(spec: "StudyTables") -> Iterator[Problem]:
    for family in spec.families if spec.sampler.name in GRIDS else ():
        size = spec.grid_size(family)
        if size > LARGEST_GRID:
            text = f"has {size} combinations; a grid visits at most {LARGEST_GRID}"
            yield Problem(("families", family, "space"), text)


def _staged(spec: "StudyTables", key: Key, one: "FamilySpec", space: Space) -> Iterator[Problem]:
    staged = spec.sampler.name == "staged_grid"
    text = (
        "missing: the staged grid needs it" if staged else "only the staged grid has it; remove it"
    )
    for table in ("stages", "start"):
        if (getattr(one, table) is None) is staged:
            yield Problem((*key, table), text)
    if staged and one.stages is not None and one.start is not None:
        yield from _stages((*key, "stages"), one.stages, space)
        yield from _start((*key, "start"), one.start, space)


def _stages(key: Key, stages: Sequence[Sequence[str]], space: Space) -> Iterator[Problem]:
    staged = [name for stage in stages for name in stage]
    for name in dict.fromkeys((*staged, *space)):
        if name not in space:
            yield Problem(key, f"{shown(name)} is not searched; {nearest(name, space)}")
        elif staged.count(name) != 1:
            how = "in more than one place" if name in staged else "in no stage"
            yield Problem(key, f"{shown(name)} stands {how}; put it into one")
    if not all(stages):
        yield Problem(key, "a stage is empty; remove it")


def _start(key: Key, start: Mapping[str, object], space: Space) -> Iterator[Problem]:
    for name in dict.fromkeys((*start, *space)):
        if name not in space:
            yield Problem((*key, name), f"is not searched; {nearest(name, space)}")
        elif name not in start:
            yield Problem((*key, name), "missing: with which value does the staged grid start?")
        elif not space[name].contains(start[name]):
            yield Problem((*key, name), f"{shown(start[name])} is not among the searched values")
        elif text := misfit(str(key[1]), name, start[name]):  # 16.0, say, equals the choice 16
            yield Problem((*key, name), text)


def _together(spec: "StudyTables") -> Iterator[Problem]:
    for family, one in spec.families.items():
        if text := combinations(family, spec.space(family), one.fixed):
            yield Problem(("families", family, "space"), text)
        elif not has_network(family, spec.space(family), one.fixed, one.max_parameters):
            text = "no network of the space is so small; raise it"
            yield Problem(("families", family, "max_parameters"), text)
