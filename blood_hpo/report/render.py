"""From findings to a folder: the page, every number as JSON, tables, drawings, predictions, models.

A report replaces an older one in one step: until all of it is written, nothing of the old one is
touched. Only the time of writing differs between two reports of the same findings.
"""

import json
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from blood_hpo import __version__
from blood_hpo.database.artefacts import load
from blood_hpo.errors import BloodHpoError, InputError
from blood_hpo.report import findings
from blood_hpo.report.document import Block, Section, Table, listed
from blood_hpo.report.figures.theme import standalone, variables
from blood_hpo.report.findings import Findings
from blood_hpo.report.record import family_name
from blood_hpo.report.sections import (
    again,
    comparison,
    confirmation,
    data,
    effects,
    search,
    space,
    summary,
    test,
    training,
)
from blood_hpo.report.stages import FinalStage

if TYPE_CHECKING:
    from sqlalchemy import Engine

PAGE, NUMBERS = "report.html", "report.json"

_SECTIONS: Final = (
    summary.section,
    data.section,
    space.section,
    search.section,
    effects.section,
    confirmation.section,
    training.section,
    test.section,
    comparison.section,
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
    _require_ours(folder)
    sections = [make(found) for make in _SECTIONS]
    with _replaced(folder) as new:
        (new / PAGE).write_text(page(found, sections, written), encoding="utf-8")
        (new / NUMBERS).write_text(numbers(found, sections, written), encoding="utf-8")
        for section in sections:
            _write_parts(new, section)
        if found.final:
            _write_models(found.final, new, artefact)
    return folder / PAGE


def page(found: Findings, sections: list[Section], written: datetime) -> str:
    """The page: HTML that refers to nothing outside itself but its neighbours in the folder."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

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
        has_models=bool(found.final and found.final.models),
        kind=_kind,
        numeric=_numeric,
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


def _write_parts(folder: Path, section: Section) -> None:
    for name in ("figures", "tables"):
        (folder / name).mkdir(exist_ok=True)
    for figure in section.figures:
        path = folder / "figures" / f"{figure.name}.svg"
        path.write_text(standalone(figure.svg), encoding="utf-8")
    for table in section.tables:
        (folder / "tables" / f"{table.name}.csv").write_text(table.csv(), encoding="utf-8")


def _write_models(final: FinalStage, folder: Path, artefact: Callable[[str], bytes]) -> None:
    """Copy predictions, models and their cards as they were saved."""
    for name in ("predictions", "models"):
        (folder / name).mkdir()
    for model in final.models:
        file = str(model.noted["model"]["file"])
        targets = {
            "medmnist.csv": folder / "predictions" / str(model.noted["medmnist"]["file"]),
            "model.keras": folder / "models" / file,
            "model.md": (folder / "models" / file).with_suffix(".md"),
        }
        for name, path in targets.items():
            path.write_bytes(artefact(f"{model.number}/{name}"))


def _kind(block: Block) -> str:
    return type(block).__name__.lower()


def _numeric(table: Table, place: int) -> bool:
    """Whether a column holds numbers and dashes only."""
    cells = [row[place] for group in table.groups for row in group.rows]
    return any(one.numeric for one in cells) and all(
        one.numeric or one.value is None for one in cells
    )


def _json(value: Any) -> Any:  # noqa: ANN401 - anything that a section found
    """What JSON can hold; numbers to ten digits, which every machine computes alike."""
    if isinstance(value, float):
        return float(f"{value:.10g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return value


def _require_ours(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is not a folder; name another with --out")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / NUMBERS).is_file():
        raise InputError(
            f"{folder} is not empty and holds no report, so nothing in it is replaced;"
            " name another folder with --out"
        )


@contextmanager
def _replaced(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of ``folder`` if all goes well, and else disappears."""
    folder = folder.absolute()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise _cannot_write(folder, error) from error
    new, old = work / "new", work / "old"
    try:
        new.mkdir()
        yield new
        if folder.exists():
            os.rename(folder, old)  # noqa: PTH104 - Path.rename says the same
        os.rename(new, folder)  # noqa: PTH104
    except OSError as error:
        if old.exists() and not folder.exists():
            os.rename(old, folder)  # noqa: PTH104
        raise _cannot_write(folder, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _cannot_write(folder: Path, error: OSError) -> BloodHpoError:
    return BloodHpoError(
        f"the report cannot be written to {folder}: {error.strerror or error};"
        " free some space, or name another folder with --out"
    )
