"""Every figure and table of the original report, with what this report has in its place."""

from collections.abc import Sequence

from blood_hpo.report.page.cells import Cell, plain
from blood_hpo.report.page.document import Section, Table, one_group

TITLE = "The original, piece by piece"
PIECES = (
    ("Figure 1", "a sample of each class", ("samples",)),
    ("Figure 2", "images of each class", ("class-counts",)),
    ("Figure 3", "weights of the classes", ("classes",)),
    ("Figure 4", "MLP: accuracy by number of units", ("stage-mlp", "grid-mlp")),
    ("Figure 8", "CNN: accuracy by kernels and filters", ("stage-cnn", "grid-cnn")),
    ("Figures 5, 9, 12", "training by epoch", ("training-mlp", "training-cnn", "training-resnet")),
    (
        "Figures 6, 10, 13",
        "confusion matrices, there with swapped axes",
        ("confusion-mlp", "confusion-cnn", "confusion-resnet"),
    ),
    ("Figures 7, 11, 14", "ranks of the true class", ("ranks-mlp", "ranks-cnn", "ranks-resnet")),
    (
        "Figures A.15 to A.18",
        "layers of the networks",
        ("architecture-mlp", "architecture-cnn", "architecture-resnet"),
    ),
    (
        "Figures B.19 to B.21",
        "misclassified images",
        ("mistakes-mlp", "mistakes-cnn", "mistakes-resnet"),
    ),
    ("Table 1", "the classes", ("classes",)),
    ("Tables 2, 4", "hyperparameters and the best of them", ("space-mlp", "space-cnn")),
    (
        "Tables 3, 5, 6",
        "accuracy on the test split, all and each class",
        ("per-class-mlp", "per-class-cnn", "per-class-resnet"),
    ),
    ("Table 7", "comparison with published results", ("published",)),
    ("scores in its notebooks", "each stage of the search", ("stages-mlp", "stages-cnn")),
)
"""Where it is, what it shows, and the names of ours."""


def section(others: Sequence[Section]) -> Section:
    """The section.

    Args:
        others: All other sections of the report.
    """
    there = {one.name for part in others for one in part.figures}
    there |= {one.name for part in others for one in part.tables}
    rows = [[plain(place), plain(what), _ours(names, there)] for place, what, names in PIECES]
    columns = ("original report", "what it shows", "here")
    caption = "What the original report shows, and where that stands on this page"
    table = Table("original", caption, columns, one_group(rows), folded=True)
    return Section("original", TITLE, (table,))


def _ours(names: Sequence[str], there: set[str]) -> Cell:
    found = tuple(name for name in names if name in there)
    return Cell(list(found), "not measured", refers=found)
