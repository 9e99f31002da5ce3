"""``blood-hpo data``: what the data set is, fetching it, and drawing a synthetic one."""

from pathlib import Path
from typing import Annotated

import typer

from blood_hpo.cli.output import FormatOption, OutputFormat, print_facts, print_rows, to_json
from blood_hpo.cli.session import DataOption, data_source, settings
from blood_hpo.errors import DataError, InputError

_PATIENCE_SECONDS = 60.0  # for the server's answer to someone who asked for the download

app = typer.Typer(
    no_args_is_help=True, help="The data set: what it is, fetch it, draw a synthetic one."
)


@app.command()
def info(data: DataOption = None, output: FormatOption = OutputFormat.TABLE) -> None:
    """Print which file is used, its checksums, and its images per class and split.

    Example: blood-hpo data info --data bloodmnist.npz --format json
    """
    from blood_hpo.data.bloodmnist import CLASSES, class_counts

    source = data_source(data, download=False)
    counts, facts = class_counts(source), {"path": source.path, **source.describe()}
    if output is OutputFormat.JSON:
        by_class = {split: dict(zip(CLASSES, row, strict=True)) for split, row in counts.items()}
        typer.echo(to_json({**facts, "counts": by_class}, indent=2))
        return
    rows = [[name, *(row[label] for row in counts.values())] for label, name in enumerate(CLASSES)]
    if output is OutputFormat.TABLE:
        print_facts(facts)
        rows.append(["total", *map(sum, counts.values())])
    print_rows(["class", *counts], rows, output)


@app.command()
def fetch(
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Another address of the same file; its MD5 is checked."),
    ] = None,
) -> None:
    """Download official BloodMNIST 28x28 (36 MB) into the cache.

    Where BLOOD_HPO_DATA names a file, that file is checked and nothing is downloaded.

    Example: blood-hpo data fetch
    """
    from blood_hpo.data.bloodmnist import fetch_official, official_file

    if settings().data is not None:
        if url:
            raise InputError("--url downloads, and BLOOD_HPO_DATA names a file; unset one of them")
        source = data_source(None)
    else:
        official = official_file()
        official = official._replace(url=url) if url else official
        try:
            source = fetch_official(settings(), official=official, answer_seconds=_PATIENCE_SECONDS)
        except DataError as error:
            advice = "run it again, or set BLOOD_HPO_DATA to a file of your own"
            raise DataError(f"{error}; {advice}") from error
    typer.echo(f"{source.label}: {source.path}")


@app.command()
def synthetic(
    path: Annotated[Path, typer.Argument(help="The npz file to write; it must not exist yet.")],
    train_size: Annotated[int, typer.Option(min=8, max=200_000, help="Training images.")] = 1600,
    validation_size: Annotated[
        int, typer.Option(min=8, max=200_000, help="Validation images.")
    ] = 320,
    test_size: Annotated[int, typer.Option(min=8, max=200_000, help="Test images.")] = 480,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same file.")] = 2024,
) -> None:
    """Write a synthetic data set; whatever is made from it says SYNTHETIC.

    Example: blood-hpo data synthetic cells.npz --train-size 800 --seed 1
    """
    from blood_hpo.data.source import open_source
    from blood_hpo.data.synthetic import write_synthetic

    if path.exists():
        raise DataError(f"{path} exists already; name another file or remove it")
    write_synthetic(
        path,
        sizes={"train": train_size, "validation": validation_size, "test": test_size},
        seed=seed,
    )
    source = open_source(path, "path")
    typer.echo(f"{source.label}: {path} (SHA-256 {source.sha256})")
