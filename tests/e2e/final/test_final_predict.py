"""A model of a report at work on new images, and the models that are refused."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blood_hpo.data.facts import CLASSES

from .conftest import House


@pytest.fixture(scope="module")
def model(report: Path) -> Path:
    return report / "models/whole-mlp-1.keras"


@pytest.fixture(scope="module")
def cells(finished: House) -> Path:
    """The test images as somebody else might send them."""
    with np.load(finished.data) as archive:
        np.savez(finished.folder / "cells.npz", images=archive["test_images"])
        Image.fromarray(archive["test_images"][3]).save(finished.folder / "cell.png")
    return finished.folder / "cells.npz"


def refusal(house: House, *words: str) -> str:
    code, out, err = house.answer("predict", *words)
    assert code == 2, err
    assert out == ""
    (line,) = (one for one in err.splitlines() if not one.startswith("loading TensorFlow"))
    return line


@pytest.fixture(scope="module")
def predicted(finished: House, model: Path, cells: Path) -> tuple[str, str]:
    return finished.run("predict", str(model), str(cells), "--format", "json")


def test_it_predicts_what_was_tested(model: Path, cells: Path, predicted: tuple[str, str]) -> None:
    out, err = predicted
    rows = json.loads(out)
    (saved,) = (model.parents[1] / "predictions").glob("*@whole-mlp-1.csv")
    expected = np.loadtxt(saved, delimiter=",")[:, 1:]
    found = np.array([[row[name] for name in CLASSES] for row in rows])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert [row["class"] for row in rows] == [CLASSES[one] for one in found.argmax(axis=1)]
    assert [row["probability"] for row in rows] == found.max(axis=1).tolist()
    assert rows[3]["image"] == f"{cells}[3]"
    assert "SYNTHETIC: this model has never seen a blood cell" in err


def test_a_png_by_itself_is_the_same_and_needs_no_database(
    finished: House, model: Path, cells: Path, predicted: tuple[str, str], tmp_path: Path
) -> None:
    png = cells.with_name("cell.png")
    shutil.copytree(model.parent, tmp_path / "elsewhere")
    alone = replace(finished, folder=tmp_path, data=Path("nothing.npz"))
    out, _ = alone.run("predict", f"elsewhere/{model.name}", str(png), "--format", "json")
    (row,) = json.loads(out)
    assert row == {**json.loads(predicted[0])[3], "image": str(png)} | {
        name: pytest.approx(row[name], abs=1e-6) for name in (*CLASSES, "probability")
    }
    out, _ = alone.run("predict", f"elsewhere/{model.name}", str(png))
    assert out.splitlines()[0].split() == ["image", "class", "probability", *_words(CLASSES)]
    assert not (tmp_path / "home").exists()


def _words(names: tuple[str, ...]) -> list[str]:
    return [word for name in names for word in name.split()]


@pytest.fixture
def altered(model: Path, tmp_path: Path) -> Callable[[bytes], str]:
    """Puts other bytes in place of the model's, the noted checksum left as it was."""

    def put(content: bytes) -> str:
        path = tmp_path / model.name
        path.write_bytes(content)
        shutil.copy(f"{model}.sha256", tmp_path)
        return str(path)

    return put


def test_a_model_that_was_tampered_with_is_refused_before_anything_is_loaded(
    finished: House, model: Path, cells: Path, altered: Callable[[bytes], str]
) -> None:
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    path = altered(bytes(content))
    line = refusal(finished, path, str(cells))
    assert line.startswith(f"error: {path} is not the model that was saved: its SHA-256 is")


def test_a_model_without_a_checksum_needs_one(
    finished: House, model: Path, cells: Path, altered: Callable[[bytes], str]
) -> None:
    path = altered(model.read_bytes())
    Path(f"{path}.sha256").unlink()
    assert "nobody knows whether it is what was saved" in refusal(finished, path, str(cells))
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    finished.run("predict", path, str(cells), "--sha256", digest)
    assert "is not the model" in refusal(finished, path, str(cells), "--sha256", "0" * 64)
    assert "--sha256 holds no SHA-256" in refusal(finished, path, str(cells), "--sha256", "xyz")
    Path(f"{path}.sha256").write_text("nothing\n")
    assert f"{path}.sha256 holds no SHA-256" in refusal(finished, path, str(cells))


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("program", "does not load in safe mode"),
        ("text", "does not load in safe mode"),
        ("other", "not (None, 28, 28, 3) and (None, 8)"),
    ],
)
def test_a_file_that_is_what_was_saved_but_no_model_of_ours(
    finished: House, cells: Path, tmp_path: Path, kind: str, message: str
) -> None:
    import keras

    path = tmp_path / "some.keras"
    pixels = keras.Input((28, 28, 3))
    if kind == "program":
        keras.Model(pixels, keras.layers.Lambda(lambda x: x[:, 0, :8, 0])(pixels)).save(path)
    elif kind == "other":
        keras.Model(pixels, keras.layers.Flatten()(pixels)).save(path)
    else:
        path.write_text("not a model")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert message in refusal(finished, str(path), str(cells), "--sha256", digest)


def test_what_is_missing_is_one_line(finished: House, model: Path, cells: Path) -> None:
    assert "cannot be read (No such file" in refusal(finished, "none.keras", str(cells))
    assert "none.png cannot be classified" in refusal(finished, str(model), "none.png")
