"""From findings to a folder: the page, every number as JSON, tables, drawings, predictions, models.

A report replaces an older one in one step: until all of it is written, nothing of the old one is
touched. Only the time of writing differs between two reports of the same findings.
"""

import json
import logging
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from blood_hpo.report import files
from blood_hpo.report.outcome import (
    comparison_section,
    data_section,
    original_section,
    rerun_section,
    summary_section,
    test_section,
)
from blood_hpo.report.page.cells import listed
from blood_hpo.report.page.document import Section
from blood_hpo.report.page.theme import variables
from blood_hpo.report.page.words import wording
from blood_hpo.report.process import (
    confirmation_section,
    cost_section,
    effects_section,
    search_section,
    space_section,
    training_section,
)
from blood_hpo.report.read.findings import STUDIES, Findings
from blood_hpo.report.read.search_study import family_name
from blood_hpo.version import __version__

_log = logging.getLogger(__name__)
PAGE, NUMBERS = "report.html", "report.json"
RESULTS: Final = {"summary", "test", "comparison", "search", "confirmation", "training"}
"""Sections whose numbers are those of a small study, where it is one."""

_SECTIONS: Final = (
    summary_section,
    test_section,
    comparison_section,
    space_section,
    search_section,
    effects_section,
    confirmation_section,
    training_section,
    data_section,
    cost_section,
    rerun_section,
)


def write(
    found: Findings, folder: Path, written: datetime, artefact: Callable[[str], bytes]
) -> Path:
    """Write a report into a folder, in place of the one that may be there; its page.

    The content of a saved file comes by its name from ``artefact``.

    Raises:
        InputError: The folder holds something else.
        BloodHpoError: The disk is full, or a saved file is missing or damaged.
    """
    files.require_ours(folder, NUMBERS)
    with files.replaced(folder) as new:
        if found.final:  # first: if one is damaged, nobody should wait for the drawings
            files.write_models(found.final, new, artefact)
        _log.info("drawing the report of study %s", found.study.name)
        made = [one for module in _SECTIONS if (one := module.section(found)).blocks]
        sections = [*made[:-1], original_section.section(made), made[-1]]
        (new / PAGE).write_text(page(found, sections, written), encoding="utf-8")
        (new / NUMBERS).write_text(numbers(found, sections, written), encoding="utf-8")
        for section in sections:
            files.write_parts(new, section)
        files.write_studies(found, new / STUDIES)
        os.utime(new / PAGE, (written.timestamp(),) * 2)  # as old as what it shows
    return folder / PAGE


def page(found: Findings, sections: list[Section], written: datetime) -> str:
    """The page: HTML that refers to nothing outside itself but its neighbours in the folder."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("blood_hpo.report"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("report.html").render(
        found=found,
        families=listed([family_name(one) for one in found.study.families]),
        sections=sections,
        titles=wording()["titles"],
        written=written,
        version=__version__,
        results=RESULTS,
        kind=lambda block: type(block).__name__.lower(),
        # Counted here and not in the style sheet, which would pass over what is folded.
        figure_numbers=_numbered([one.name for part in sections for one in part.figures]),
        table_numbers=_numbered([one.name for part in sections for one in part.tables]),
        light=variables(dark=False),
        dark=variables(dark=True),
    )


def numbers(found: Findings, sections: list[Section], written: datetime) -> str:
    """Every number of the report as JSON: what each section found, and its tables."""
    document = {
        "study": found.study.name,
        "written_at": written.isoformat(timespec="seconds"),
        "program_version": __version__,
        "synthetic": found.study.synthetic,
        "small": found.small,
        "sections": {
            one.key: {
                "title": wording()["titles"][one.key],
                **one.facts,
                "tables": {table.name: table.records() for table in one.tables},
            }
            for one in sections
        },
    }
    exact = json.dumps(document, default=dict)
    # To ten digits, which every machine computes alike; what is no number is null.
    rounded = json.loads(
        exact, parse_float=lambda text: float(f"{float(text):.10g}"), parse_constant=lambda _: None
    )
    return json.dumps(rounded, indent=1, ensure_ascii=False) + "\n"


def _numbered(names: list[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names, start=1)}
