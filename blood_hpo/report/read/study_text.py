"""Study files in TOML, from the JSON that the database holds."""

from collections.abc import Mapping
from typing import Any

import tomli_w

from blood_hpo.database.record import Json
from blood_hpo.report.read.findings import Findings

STUDIES = "studies"
"""Folder of the study files beside the page."""

ORDER = ("name", "description", "seed", "objective", "data", "training", "sampler", "pruner")
"""The first keys of a study file: the database keeps no order."""


def study_files(found: Findings) -> dict[str, Json]:
    """The stored files of a study and of the grids around it, by name, in the order to run them."""
    grids = {one.study: one.spec for one in found.grids.values() if one.around}
    return {found.study.name: found.study.spec, **grids}


def study_file(spec: Json, heading: str) -> str:
    """The study file that a study was created from, with all defaults.

    Args:
        spec: The study file as it is stored; nulls, which TOML has none of, are left out: they are
            the defaults.
        heading: One line for people.
    """
    first = {key: spec[key] for key in ORDER if key in spec}
    return f"# {heading}\n\n{tomli_w.dumps(_present({**first, **spec}))}"


def _present(value: Any) -> Any:  # noqa: ANN401 - whatever a study file holds
    if not isinstance(value, Mapping):
        return value
    return {key: _present(one) for key, one in value.items() if one is not None}
