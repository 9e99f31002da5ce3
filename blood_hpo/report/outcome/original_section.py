"""Every figure and table of the original report, with what this report has in its place."""

from collections.abc import Sequence

from blood_hpo.report.page.cells import Cell, plain
from blood_hpo.report.page.document import Section
from blood_hpo.report.page.words import table
from blood_hpo.report.read.published import rows_of


def section(others: Sequence[Section]) -> Section:
    """The section, from all others of the report."""
    there = {one.name for part in others for one in part.figures}
    there |= {one.name for part in others for one in part.tables}
    rows = [
        {
            "original report": plain(piece["place"]),
            "what it shows": plain(piece["what"]),
            "here": _ours(piece["names"].split(), there),
        }
        for piece in rows_of("original_pieces.csv")
    ]
    return Section("original", [table("original", rows)])


def _ours(names: Sequence[str], there: set[str]) -> Cell:
    found = tuple(name for name in names if name in there)
    return Cell(list(found), "not measured", refers=found)
