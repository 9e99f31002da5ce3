"""From findings to a folder: the page, every number as JSON, tables, drawings, predictions, models.

A report replaces an older one in one step: until all of it is written, nothing of the old one is
touched. Only the time of writing differs between two reports of the same findings.
"""

import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from blood_hpo import __version__
from blood_hpo.database.artefacts import load
from blood_hpo.report import files
from blood_hpo.report.folder import replaced, require_ours
from blood_hpo.report.outcome import comparison_section as comparison
from blood_hpo.report.outcome import data_section as data
from blood_hpo.report.outcome import original_section as original
from blood_hpo.report.outcome import rerun_section as again
from blood_hpo.report.outcome import summary_section as summary
from blood_hpo.report.outcome import test_section as test
from blood_hpo.report.page.cells import listed
from blood_hpo.report.page.document import Block, Section
from blood_hpo.report.page.theme import variables
from blood_hpo.report.process import confirmation_section as confirmation
from blood_hpo.report.process import cost_section as cost
from blood_hpo.report.process import effects_section as effects
from blood_hpo.report.process import search_section as search
from blood_hpo.report.process import space_section as space
from blood_hpo.report.process import training_section as training
from blood_hpo.report.read import findings
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.search_study import family_name
from blood_hpo.report.read.study_text import STUDIES

if TYPE_CHECKING:
    from sqlalchemy import Engine

PAGE, NUMBERS = "report.html", "report.json"
RESULTS: Final = {"summary", "test", "comparison", "search", "confirmation", "training"}
"""Sections whose numbers are those of a small study, where it is one."""

_SECTIONS: Final = (
    summary.section,
    test.section,
    comparison.section,
    space.section,
    search.section,
    effects.section,
    confirmation.section,
    training.section,
    data.section,
    cost.section,
    again.section,
)


def write_report(engine: "Engine", study: str, folder: Path, written: datetime) -> Path:
    """Write the report of a study into a folder, in place of the report that may be there.

    Args:
        engine: The database.
        study: Name of the study.
        folder: Created if need be; an existing one must be empty or hold a report.
        written: The time that the report names.

    Returns:
        The page.

    Raises:
        StudyError: There is no such study.
        InputError: The folder holds something else.
        BloodHpoError: A saved artefact is missing or damaged, or the disk is full.
        DatabaseError: The database cannot be reached.
    """
    found = findings.read(engine, study)
    return write(found, folder, written, lambda name: load(engine, f"{study}-final", name))


def write(
    found: Findings, folder: Path, written: datetime, artefact: Callable[[str], bytes]
) -> Path:
    """The same from what has been read; ``artefact`` gives the content of a saved file by name."""
    require_ours(folder, NUMBERS)
    made = [one for make in _SECTIONS if (one := make(found)).blocks]
    sections = [*made[:-1], original.section(made), made[-1]]
    with replaced(folder) as new:
        (new / PAGE).write_text(page(found, sections, written), encoding="utf-8")
        (new / NUMBERS).write_text(numbers(found, sections, written), encoding="utf-8")
        for section in sections:
            files.write_parts(new, section)
        files.write_studies(found, new / STUDIES)
        if found.final:
            files.write_models(found.final, new, artefact)
    return folder / PAGE


def page(found: Findings, sections: list[Section], written: datetime) -> str:
    """The page: HTML that refers to nothing outside itself but its neighbours in the folder."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("blood_hpo.report"), autoescape=True, undefined=StrictUndefined
    )
    template = environment.get_template("report.html")
    style = resources.files("blood_hpo.report") / "templates" / "style.css"
    return template.render(
        study=found.study,
        families=listed([family_name(one) for one in found.study.families]),
        sections=sections,
        written=written,
        version=__version__,
        why_small=found.small,
        results=RESULTS,
        badge=Markup('<span class="small">small study</span> ') if found.small else "",
        has_models=bool(found.final and found.final.models),
        kind=_kind,
        # Counted here and not in the style sheet, which would pass over what is folded.
        figure_numbers=_numbered([one.name for part in sections for one in part.figures]),
        table_numbers=_numbered([one.name for part in sections for one in part.tables]),
        light=variables(dark=False),
        dark=variables(dark=True),
        style=style.read_text(encoding="utf-8"),
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
                "title": one.title,
                **_json(one.facts),
                "tables": {table.name: _json(table.records()) for table in one.tables},
            }
            for one in sections
        },
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _kind(block: Block) -> str:
    return type(block).__name__.lower()


def _numbered(names: list[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names, start=1)}


def _json(value: Any) -> Any:  # noqa: ANN401 - anything that a section found
    """What JSON can hold; numbers to ten digits, which every machine computes alike."""
    if isinstance(value, float):
        return float(f"{value:.10g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return value
