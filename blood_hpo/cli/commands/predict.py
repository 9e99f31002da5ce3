"""``blood-hpo predict``: a saved model at work on new images."""

from pathlib import Path
from typing import Annotated

import typer

from blood_hpo.cli.logs import say, warn
from blood_hpo.cli.output import FormatOption, OutputFormat, print_rows


def predict(
    model: Annotated[Path, typer.Argument(help="A .keras file of a report.", metavar="MODEL")],
    images: Annotated[
        list[Path],
        typer.Argument(help="PNG images, or npz files with an array images.", metavar="IMAGE"),
    ],
    crop: Annotated[
        int | None,
        typer.Option(
            "--crop",
            min=28,
            metavar="PIXELS",
            help="Shrink the central square of this side to 28 x 28; default: images must be so.",
        ),
    ] = None,
    digest: Annotated[
        str | None,
        typer.Option(
            "--sha256",
            metavar="DIGEST",
            help="SHA-256 of the model; default: what MODEL.sha256 beside it says.",
        ),
    ] = None,
    output: FormatOption = OutputFormat.TABLE,
) -> None:
    """Classify images of blood cells with a saved model: the class, and all eight probabilities.

    A model that is not the file that was saved is refused. Images must be RGB and of 28 x 28
    pixels, or be cut with --crop: 200 for the photographs that BloodMNIST was made from. Neither a
    database nor the data set is needed. For research and teaching, not for diagnosis.

    Example: blood-hpo predict report/paper/models/paper-cnn-1.keras cell.png

    Example: blood-hpo predict model.keras photographs/*.png --crop 200 --format csv
    """
    import numpy as np

    from blood_hpo.data.facts import CLASSES
    from blood_hpo.data.user_images import read_pictures
    from blood_hpo.final.predict import classify, read_model

    content = read_model(model, digest)
    pictures = read_pictures(images, crop)
    say("loading TensorFlow to classify %d images", len(pictures))
    from blood_hpo.training.runtime import configure

    configure()
    found, synthetic = classify(content, np.stack([one.pixels for one in pictures]))
    if synthetic:
        warn("SYNTHETIC: this model has never seen a blood cell")
    best, shown = found.argmax(axis=1), found.astype(float)
    if output is OutputFormat.TABLE:
        shown = shown.round(4)
    rows = [
        [one.name, CLASSES[place], each[place], *each]
        for one, place, each in zip(pictures, best, shown.tolist(), strict=True)
    ]
    print_rows(("image", "class", "probability", *CLASSES), rows, output)
