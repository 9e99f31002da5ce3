"""The folder of a report, and what stands in it beside the page."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import tomli_w

from blood_hpo.data.facts import CLASSES
from blood_hpo.database.record import Json
from blood_hpo.errors import BloodHpoError, InputError
from blood_hpo.report.page.document import Section
from blood_hpo.report.page.theme import standalone
from blood_hpo.report.read import scores
from blood_hpo.report.read.final_stage import FinalStage
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.predictions import Predictions


def inside(folder: Path, name: str, kind: str) -> Path:
    """A new file of a folder, under a name from the database, whoever wrote that.

    Raises:
        BloodHpoError: The name is no plain one, does not end as its kind, or is there already.
    """
    path = folder / name
    plain = name.isprintable() and path.name == name and "\\" not in name
    if not plain or path.suffix != kind or path.exists():
        raise BloodHpoError(
            f"the report cannot be written: the database names a file {name!r}, which no worker"
            " does; restore the database from a backup"
        )
    return path


def write_parts(folder: Path, section: Section) -> None:
    """The drawings and tables of a section, a file each."""
    for name in ("figures", "tables"):
        (folder / name).mkdir(exist_ok=True)
    for figure in section.figures:
        path = inside(folder / "figures", f"{figure.name}.svg", ".svg")
        path.write_text(standalone(figure.svg), encoding="utf-8")
    for table in section.tables:
        path = inside(folder / "tables", f"{table.name}.csv", ".csv")
        path.write_text(table.csv(), encoding="utf-8")


def write_models(final: FinalStage, folder: Path, artefact: Callable[[str], bytes]) -> None:
    """Models, cards and medmnist's result files as they were saved, checksums and predictions.

    The content of a saved file comes by its name from ``artefact``.
    """
    models, predictions = folder / "models", folder / "predictions"
    models.mkdir()
    predictions.mkdir()
    for one in final.models:
        stem = one.file.removesuffix(".keras")
        content = artefact(f"{one.trial.number}/model.keras")
        if sha256(content).hexdigest() != one.sha256:
            raise BloodHpoError(
                f"{one.file} is not the model that was tested; restore the database from a backup"
            )
        inside(models, one.file, ".keras").write_bytes(content)
        card = artefact(f"{one.trial.number}/model.md")
        inside(models, f"{stem}.md", ".md").write_bytes(card)
        # As sha256sum writes it, which can check it too.
        line = f"{one.sha256}  {one.file}\n"
        inside(models, f"{one.file}.sha256", ".sha256").write_text(line, encoding="utf-8")
        result = artefact(f"{one.trial.number}/medmnist.csv")
        inside(predictions, one.medmnist_file, ".csv").write_bytes(result)
        table = predictions_csv(one.predictions)
        inside(predictions, f"{stem}.csv", ".csv").write_text(table, encoding="ascii")


def predictions_csv(found: Predictions) -> str:
    """One line a test image: its place, true and predicted class, rank and all probabilities.

    Nine digits give back each probability exactly.
    """
    predicted = found.probabilities.argmax(axis=1)
    ranks = scores.ranks(found.labels, found.probabilities)
    columns = (np.arange(len(ranks)), found.labels, predicted, ranks, found.probabilities)
    header, text = ",".join(("image", "true", "predicted", "rank", *CLASSES)), io.StringIO()
    formats = ["%d"] * 4 + ["%.9g"] * len(CLASSES)
    np.savetxt(text, np.column_stack(columns), formats, ",", header=header, comments="")
    return text.getvalue()


def write_studies(found: Findings, folder: Path) -> None:
    """The study files from which the study, and the grids around it, can be created again."""
    folder.mkdir()
    study = found.study
    for name, spec in found.study_files.items():
        heading = f"Study {name}, as blood_hpo {study.program_version} created it"
        data = f"{study.data['label']}, SHA-256 {study.data['sha256']}"
        text = study_file(spec, " ".join(f"{heading}, on {data}".split()))
        inside(folder, f"{name}.toml", ".toml").write_text(text, encoding="utf-8")


def study_file(spec: Json, heading: str) -> str:
    """The study file that a study was created from, in TOML, under a line for people.

    Nulls, which TOML has none of, are left out: they are the defaults.
    """
    return f"# {heading}\n\n{tomli_w.dumps(_present(spec))}"


def _present(value: Any) -> Any:  # noqa: ANN401 - whatever a study file holds
    if not isinstance(value, Mapping):
        return value
    return {key: _present(one) for key, one in value.items() if one is not None}


def require_ours(folder: Path, mark: str) -> None:
    """Raise an InputError for a folder with something in it, but not the file of every report."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is not a folder; name another with --out")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / mark).is_file():
        raise InputError(
            f"{folder} is not empty and holds no report, so nothing in it is replaced;"
            " name another folder with --out"
        )


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of ``folder`` if all goes well; else a BloodHpoError."""
    folder = folder.resolve()
    prefix = f".{folder.name}-"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(
            prefix=prefix, dir=folder.parent, ignore_cleanup_errors=True
        ) as work:
            new = Path(work, "new")
            new.mkdir()
            yield new
            _swap(new, folder, Path(work, "old"))
    except OSError as error:
        raise BloodHpoError(
            f"the report cannot be written to {folder}: {error.strerror or error};"
            " free some space, or name another folder with --out"
        ) from error


def _swap(new: Path, folder: Path, old: Path) -> None:
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:  # also Ctrl-C
        if old.exists():
            old.rename(folder)
        raise
