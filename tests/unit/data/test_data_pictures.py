"""Images to be classified: what fits is read as it is, all else is one line with what to do."""

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.lib import format as npy
from PIL import Image

from blood_hpo.data.user_images import read_pictures
from blood_hpo.errors import InputError

PIXELS = np.random.default_rng(4).integers(0, 256, (28, 28, 3), dtype=np.uint8)


def png(path: Path, pixels: np.ndarray = PIXELS, mode: str = "RGB") -> Path:
    Image.fromarray(pixels).convert(mode).save(path, "PNG")
    return path


def problem(path: Path, crop: int | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read_pictures([path], crop)
    message = str(caught.value)
    assert str(path) in message
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_an_image_of_the_right_size_is_read_as_it_is(tmp_path: Path, mode: str) -> None:
    (one,) = read_pictures([png(tmp_path / "cell.png", mode=mode)])
    assert one.name == str(tmp_path / "cell.png")
    np.testing.assert_array_equal(one.pixels, PIXELS)


def test_a_palette_is_resolved(tmp_path: Path) -> None:
    image = Image.new("P", (28, 28))
    image.putpalette([200, 30, 90])
    image.save(tmp_path / "cell.png")
    (one,) = read_pictures([tmp_path / "cell.png"])
    assert np.unique(one.pixels.reshape(-1, 3), axis=0).tolist() == [[200, 30, 90]]


def test_files_are_read_in_their_order_and_named_with_their_places(tmp_path: Path) -> None:
    np.savez(tmp_path / "two.npz", images=np.stack([PIXELS, PIXELS[::-1]]))
    found = read_pictures([tmp_path / "two.npz", png(tmp_path / "cell.png")])
    names = [one.name.removeprefix(f"{tmp_path}/") for one in found]
    assert names == ["two.npz[0]", "two.npz[1]", "cell.png"]
    np.testing.assert_array_equal(found[1].pixels, PIXELS[::-1])


def test_another_size_is_not_scaled_unasked(tmp_path: Path) -> None:
    path = png(tmp_path / "cell.png", np.zeros((363, 360, 3), np.uint8))
    assert "has 360 x 363 pixels and not 28 x 28; tell with --crop" in problem(path)
    assert "less than --crop 400" in problem(path, 400)


def test_the_centre_is_cut_out_and_shrunk(tmp_path: Path) -> None:
    image = np.zeros((100, 140, 3), np.uint8)
    image[22:78, 42:98] = (10, 120, 230)
    (one,) = read_pictures([png(tmp_path / "cell.png", image)], crop=56)
    np.testing.assert_array_equal(one.pixels, np.full((28, 28, 3), (10, 120, 230)))
    np.savez(tmp_path / "one.npz", images=image[None])
    (same,) = read_pictures([tmp_path / "one.npz"], crop=56)
    np.testing.assert_array_equal(same.pixels, one.pixels)


def test_what_cannot_be_an_image_of_a_stained_cell_is_refused(tmp_path: Path) -> None:
    assert "no RGB image with 8 bits a colour but L" in problem(png(tmp_path / "g.png", mode="L"))
    glass = np.dstack([PIXELS, np.full((28, 28), 100, np.uint8)])
    Image.fromarray(glass).save(tmp_path / "glass.png")
    assert "partly transparent" in problem(tmp_path / "glass.png")
    Image.fromarray(PIXELS).save(tmp_path / "cell.jpg")
    assert "no PNG image, or damaged" in problem(tmp_path / "cell.jpg")


def test_files_that_are_missing_empty_or_cut_off(tmp_path: Path) -> None:
    assert "No such file" in problem(tmp_path / "none.png")
    (tmp_path / "empty.png").touch()
    assert "no PNG image, or damaged" in problem(tmp_path / "empty.png")
    half = tmp_path / "half.png"
    half.write_bytes(png(tmp_path / "cell.png").read_bytes()[:900])
    problem(half)
    folder = tmp_path / "folder.png"
    folder.mkdir()
    assert "Is a directory" in problem(folder)


def test_a_png_that_claims_to_be_enormous(tmp_path: Path) -> None:
    head = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    assert "decompression bomb" in problem(tmp_path / "bomb.png")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pictures": PIXELS}, "has no array images"),
        ({"images": PIXELS}, "expected (N, height, width, 3)"),
        ({"images": PIXELS[None] / 255}, "has dtype float64, expected uint8"),
        ({"images": PIXELS[None, ..., :1]}, "expected (N, height, width, 3)"),
        ({"images": PIXELS[None][:0]}, "has shape (0, 28, 28, 3)"),
        ({"images": np.array([{"a": 1}], dtype=object)}, "has dtype object"),
        ({"images": np.zeros((1, 30, 28, 3), np.uint8)}, "has 28 x 30 pixels"),
    ],
)
def test_an_npz_that_holds_something_else(
    tmp_path: Path, arrays: dict[str, Any], message: str
) -> None:
    np.savez(tmp_path / "some.npz", **arrays)
    assert message in problem(tmp_path / "some.npz")


def test_an_npz_of_too_many_images_is_not_read_into_memory(tmp_path: Path) -> None:
    path, header = tmp_path / "many.npz", io.BytesIO()
    shape = (1_000, 400, 400, 3)
    npy.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", header.getvalue())
    assert "expected (N, height, width, 3), N up to 980" in problem(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(name=st.sampled_from(["some.png", "some.npz"]), content=st.binary(max_size=200))
def test_any_bytes_are_answered(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    problem(path)
