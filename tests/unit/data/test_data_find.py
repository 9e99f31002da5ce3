"""Where the data set is looked for, in which order, and what a study records of it."""

import hashlib
from functools import partial
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from blood_hpo.data.bloodmnist import (
    OFFICIAL_COUNTS,
    class_counts,
    fetch_official,
    find,
    load_split,
    official_file,
)
from blood_hpo.data.download import RemoteFile
from blood_hpo.data.held_out_test import load_test_split
from blood_hpo.data.source import open_source
from blood_hpo.data.synthetic import write_synthetic
from blood_hpo.errors import DataError
from blood_hpo.settings import Settings

NOWHERE = RemoteFile("http://127.0.0.1:9/bloodmnist.npz", "0" * 32)


@pytest.fixture
def other_npz(synthetic_npz: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "other.npz"
    copy.write_bytes(synthetic_npz.read_bytes())
    return copy


def test_an_explicit_path_comes_first(
    synthetic_npz: Path, other_npz: Path, own_settings: Settings
) -> None:
    settings = own_settings.model_copy(update={"data": other_npz})
    source = find(synthetic_npz, settings=settings)
    assert (source.path, source.origin) == (synthetic_npz, "path")


def test_the_environment_comes_before_the_cache(other_npz: Path, own_settings: Settings) -> None:
    own_settings.cache.mkdir()
    (own_settings.cache / "bloodmnist.npz").touch()
    source = find(settings=own_settings.model_copy(update={"data": other_npz}))
    assert (source.path, source.origin) == (other_npz, "environment")


def test_a_home_folder_in_a_path_is_expanded(
    synthetic_npz: Path, own_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(synthetic_npz.parent))
    source = find(Path("~") / synthetic_npz.name, settings=own_settings)
    assert source.path == synthetic_npz


def test_a_file_in_the_cache_must_be_the_official_one(
    synthetic_npz: Path, own_settings: Settings
) -> None:
    own_settings.cache.mkdir()
    (own_settings.cache / "bloodmnist.npz").write_bytes(synthetic_npz.read_bytes())
    with pytest.raises(DataError, match="in the cache is not the official file"):
        find(settings=own_settings, synthetic=True)


def test_a_download_is_found_in_the_cache_the_next_time(
    file_server: Any, synthetic_npz: Path, own_settings: Settings
) -> None:
    file_server.content = synthetic_npz.read_bytes()
    remote = RemoteFile(file_server.url, hashlib.md5(file_server.content).hexdigest())
    found = find(settings=own_settings, official=remote)
    assert (found.path, found.origin) == (own_settings.cache / "bloodmnist.npz", "download")
    again = fetch_official(own_settings, official=remote)
    assert (again.sha256, again.origin) == (found.sha256, "cache")
    assert file_server.requests == 1


@pytest.mark.parametrize("download", [True, False])
def test_without_data_one_message_names_the_three_ways(
    own_settings: Settings, download: bool
) -> None:
    with pytest.raises(DataError) as caught:
        find(settings=own_settings, download=download, official=NOWHERE)
    message = str(caught.value)
    assert all(way in message for way in ("--data PATH", "BLOOD_HPO_DATA", "blood-hpo data fetch"))
    assert ("Connection refused" in message) == download
    assert "\n" not in message


def test_the_synthetic_set_is_the_last_resort_of_those_who_ask(
    own_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    source = find(settings=own_settings, synthetic=True, official=NOWHERE)
    assert (source.origin, source.label, source.synthetic) == ("synthetic", "SYNTHETIC", True)
    assert "Connection refused" in caplog.text
    assert [path.name for path in own_settings.cache.iterdir()] == ["synthetic.npz"]
    assert sum(class_counts(source)["train"]) == 1600
    again = find(settings=own_settings, synthetic=True, official=NOWHERE)
    assert again.sha256 == source.sha256


def test_a_study_records_checksums_and_no_machine_path(synthetic_npz: Path) -> None:
    content = synthetic_npz.read_bytes()
    assert open_source(synthetic_npz, "path").describe() == {
        "label": "SYNTHETIC",
        "origin": "path",
        "sha256": hashlib.sha256(content).hexdigest(),
        "md5": hashlib.md5(content).hexdigest(),
        "official": False,
        "synthetic": True,
    }


def test_a_search_cannot_ask_for_the_test_split(synthetic_npz: Path) -> None:
    source = open_source(synthetic_npz, "path")
    assert get_args(get_type_hints(load_split)["name"]) == ("train", "validation")
    for name in ("test", "val", "Test", ""):
        with pytest.raises(ValueError, match="gives 'train' and 'validation'"):
            load_split(source, name)  # type: ignore[arg-type]


def test_each_split_is_loaded_with_its_own_images(synthetic_npz: Path) -> None:
    source = open_source(synthetic_npz, "path")
    train, validation = load_split(source, "train"), load_split(source, "validation")
    test = load_test_split(source)
    assert (len(train), len(validation), len(test)) == (240, 64, 64)
    assert len({split.images.tobytes() for split in (train, validation, test)}) == 3
    for split in (train, validation, test):
        assert split.images.shape == (len(split), 28, 28, 3)
        assert split.images.dtype == split.labels.dtype == "uint8"
        assert split.labels.shape == (len(split),)


def test_a_file_that_changed_after_it_was_found(other_npz: Path) -> None:
    source = open_source(other_npz, "path")
    write_synthetic(other_npz, sizes={"train": 8, "validation": 8, "test": 8})
    for load in (partial(load_split, name="train"), load_test_split):
        with pytest.raises(DataError, match=r"other\.npz has changed since it was found"):
            load(source)
    other_npz.unlink()
    with pytest.raises(DataError, match=r"other\.npz cannot be read"):
        load_split(source, "train")


def test_medmnist_says_where_the_official_file_is() -> None:
    official = official_file()
    assert official.url.startswith("https://")
    assert official.md5 == "7053d0359d879ad8a5505303e11de1dc"


def test_real_bloodmnist(real_data: Path, own_settings: Settings) -> None:
    source = find(real_data, settings=own_settings)
    assert source.label.startswith("BloodMNIST 28x28")
    assert not source.synthetic
    assert class_counts(source) == OFFICIAL_COUNTS
    assert load_split(source, "train").images.shape == (11959, 28, 28, 3)


def test_the_real_file_is_named_for_what_it_is(real_data: Path) -> None:
    source = find(real_data, settings=Settings())
    expected = {
        "7053d0359d879ad8a5505303e11de1dc": "BloodMNIST 28x28 (official)",
        "e65eeaf0826aa0016b8e46f64031f959": "BloodMNIST 28x28, reconstructed",
    }
    assert source.label == expected.get(source.md5, "BloodMNIST 28x28, not the official file")
