"""Files that are not what they should be: one clear line each, and nothing left behind."""

import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blood_hpo.data.archive import read_split, verify
from blood_hpo.data.bloodmnist import find
from blood_hpo.data.source import open_source
from blood_hpo.errors import DataError
from blood_hpo.settings import Settings

Arrays = dict[str, Any]


def good_arrays() -> Arrays:
    arrays: Arrays = {}
    for split in ("train", "val", "test"):
        arrays[f"{split}_images"] = np.zeros((16, 28, 28, 3), np.uint8)
        arrays[f"{split}_labels"] = np.arange(16, dtype=np.uint8)[:, None] % 8
    return arrays


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.npz"


def problem_of(path: Path) -> str:
    """The message of the error for this file, checked to be one line that names it."""
    before = sorted(path.parent.iterdir())
    with pytest.raises(DataError) as caught:
        open_source(path, "path")
    assert sorted(path.parent.iterdir()) == before
    message = str(caught.value)
    assert message.startswith(str(path))
    assert message.endswith("or none and run `blood-hpo data fetch`")
    assert "\n" not in message
    return message


def test_a_sound_file_of_another_size_is_accepted(path: Path) -> None:
    np.savez_compressed(path, **good_arrays())
    source = open_source(path, "path")
    assert source.label == "BloodMNIST 28x28, not the official file"


def test_a_missing_file(path: Path) -> None:
    assert "No such file" in problem_of(path)


def test_an_empty_file(path: Path) -> None:
    path.touch()
    assert "is damaged or not a BloodMNIST npz file" in problem_of(path)


def test_a_folder(path: Path) -> None:
    path.mkdir()
    assert "cannot be read: Is a directory" in problem_of(path)


def test_a_pipe(path: Path) -> None:
    os.mkfifo(path)
    assert "it is not a regular file" in problem_of(path)


@pytest.fixture
def without_root() -> Iterator[None]:
    """Root may read everything: be nobody for a moment."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_an_unreadable_file(request: pytest.FixtureRequest, path: Path) -> None:
    path.write_bytes(b"x")
    path.chmod(0)
    request.getfixturevalue("without_root")
    with pytest.raises(DataError, match="cannot be read: Permission denied"):
        open_source(path, "path")


@pytest.mark.parametrize("content", [b"x", b"PK\x03\x04", b"a,b\n1,2\n", b"\x93NUMPY\x01\x00"])
def test_no_npz(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert "is damaged or not a BloodMNIST npz file" in problem_of(path)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.999])
def test_a_truncated_file(path: Path, synthetic_npz: Path, part: float) -> None:
    content = synthetic_npz.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    assert "is damaged or not a BloodMNIST npz file" in problem_of(path)


def test_a_flipped_bit_in_the_last_image(path: Path, synthetic_npz: Path) -> None:
    content = bytearray(synthetic_npz.read_bytes())
    with zipfile.ZipFile(synthetic_npz) as archive:
        entry = archive.getinfo("test_labels.npy")
    content[entry.header_offset - 1000] ^= 1  # the array before it is test_images
    path.write_bytes(content)
    assert "Bad CRC-32 for file 'test_images.npy'" in problem_of(path)


def changed(key: str, change: Callable[[Any], object]) -> Arrays:
    arrays = good_arrays()
    arrays[key] = change(arrays[key])
    return arrays


@pytest.mark.parametrize("key", sorted(good_arrays()))
def test_a_missing_array(path: Path, key: str) -> None:
    arrays = good_arrays()
    del arrays[key]
    np.savez(path, **arrays)
    assert f"it has no array {key}" in problem_of(path)


@pytest.mark.parametrize(
    ("key", "change", "problem"),
    [
        ("train_images", lambda a: a[..., 0], "has shape (16, 28, 28), expected (N, 28, 28, 3)"),
        ("val_images", lambda a: a.repeat(2, 1), "has shape (16, 56, 28, 3)"),
        ("val_images", lambda a: a.ravel(), "has shape (37632,)"),
        ("test_images", lambda a: a.astype(np.float32), "has dtype float32, expected uint8"),
        ("train_images", lambda a: a[:0], "has shape (0, 28, 28, 3)"),
        ("train_images", lambda a: a[:9], "9 train images but 16 labels"),
        ("train_labels", lambda a: a[:, 0], "has shape (16,), expected (N, 1)"),
        ("val_labels", lambda a: a.astype(np.int64), "has dtype int64"),
        ("test_labels", lambda a: a + 1, "goes up to 8, expected 0 to 7"),
        ("train_labels", lambda a: np.minimum(a, 4), "has no train image of class monocyte"),
        ("val_labels", lambda a: np.maximum(a, 1), "has no validation image of class basophil"),
        ("test_labels", lambda a: np.minimum(a, 6), "has no test image of class platelet"),
        ("train_labels", lambda a: a.astype(object), "has dtype object, expected uint8"),
        ("test_images", lambda _: np.array({"a": 1}, dtype=object), "has dtype object"),
        ("test_images", lambda _: np.uint8(1), "has shape ()"),
    ],
)
def test_an_array_of_the_wrong_kind(
    path: Path, key: str, change: Callable[[Any], object], problem: str
) -> None:
    np.savez(path, **changed(key, change))
    assert problem in problem_of(path)


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, evidence: Path) -> None:
        self.evidence = evidence

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.evidence),)


def test_pickled_objects_are_never_loaded(path: Path, tmp_path: Path) -> None:
    trap = np.array([Trap(tmp_path / "sprung")], dtype=object)
    np.savez(path, **changed("val_images", lambda _: trap))
    assert "has dtype object" in problem_of(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("images", [10**6, 10**15])
def test_a_header_that_promises_too_much_is_not_believed(path: Path, images: int) -> None:
    np.savez(path, **good_arrays())
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({images}, 28, 28, 3), }}\n"
    member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    replace_member(path, "train_images.npy", member)
    assert f"has shape ({images}, 28, 28, 3)" in problem_of(path)


def test_an_array_that_hides_more_bytes_than_it_declares(path: Path) -> None:
    np.savez(path, **good_arrays())
    with zipfile.ZipFile(path) as archive:
        member = archive.read("train_images.npy")
    replace_member(path, "train_images.npy", member + bytes(50_000_000))
    assert path.stat().st_size < 1_000_000
    assert "is not as long as its header says" in problem_of(path)


def replace_member(path: Path, name: str, content: bytes) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, original in members.items():
            archive.writestr(member, content if member == name else original)


@pytest.fixture(scope="session")
def compressed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fuzz") / "compressed.npz"
    np.savez_compressed(path, **good_arrays())
    return path


@given(data=st.data())
def test_damage_anywhere_is_a_data_error_or_harmless(compressed: Path, data: st.DataObject) -> None:
    content = bytearray(compressed.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    damaged = compressed.with_name("damaged.npz")
    damaged.write_bytes(content[: data.draw(st.integers(len(content) - 5, len(content)))])
    with suppress(DataError):  # any other exception fails the test
        verify(damaged)
        read_split(damaged, "train")


def test_a_file_that_was_named_is_never_passed_over(
    path: Path, synthetic_npz: Path, own_settings: Settings
) -> None:
    settings = own_settings.model_copy(update={"data": synthetic_npz})
    with pytest.raises(DataError, match="No such file"):
        find(path, settings=settings, synthetic=True)
    settings = own_settings.model_copy(update={"data": path})
    with pytest.raises(DataError, match=r"^BLOOD_HPO_DATA: .*No such file"):
        find(settings=settings, synthetic=True)
    assert not own_settings.cache.exists()
