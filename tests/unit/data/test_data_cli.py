"""blood-hpo data: what it prints for people and for programs."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from blood_hpo.cli.commands.data import app
from blood_hpo.data.bloodmnist import CLASSES
from blood_hpo.errors import DataError
from blood_hpo.settings import settings


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("BLOOD_HPO_DATA", raising=False)
    monkeypatch.setenv("BLOOD_HPO_CACHE", str(tmp_path / "cache"))
    settings.cache_clear()
    yield tmp_path / "cache"
    settings.cache_clear()


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_info_tells_people_what_the_file_is(synthetic_npz: Path) -> None:
    lines = run("info", "--data", synthetic_npz).stdout.splitlines()
    facts = dict(line.split(maxsplit=1) for line in lines[:7])
    assert facts["label"] == "SYNTHETIC"
    assert (facts["official"], facts["synthetic"]) == ("no", "yes")
    assert lines[7].split() == ["class", "train", "validation", "test"]
    assert lines[-1].split() == ["total", "240", "64", "64"]


def test_info_as_json(synthetic_npz: Path) -> None:
    told = json.loads(run("info", "--data", synthetic_npz, "--format", "json").stdout)
    assert told["label"] == "SYNTHETIC"
    assert len(told["sha256"]) == 64
    assert {split: sum(row.values()) for split, row in told["counts"].items()} == {
        "train": 240,
        "validation": 64,
        "test": 64,
    }


def test_info_as_csv(synthetic_npz: Path) -> None:
    printed = run("info", "--data", synthetic_npz, "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert tuple(row["class"] for row in rows) == CLASSES
    assert sum(int(row["train"]) for row in rows) == 240


def test_info_downloads_nothing(cache: Path) -> None:
    error = run("info").exception
    assert isinstance(error, DataError)
    assert "no download was tried" in str(error)
    assert not cache.exists()


def test_fetch_refuses_a_file_that_is_not_the_official_one(cache: Path, file_server: Any) -> None:
    file_server.content = b"another file"
    error = run("fetch", "--url", file_server.url).exception
    assert isinstance(error, DataError)
    assert "not 7053d0359d879ad8a5505303e11de1dc" in str(error)
    assert list(cache.iterdir()) == []


def test_fetch_takes_one_place_to_look_at(
    synthetic_npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOOD_HPO_DATA", str(synthetic_npz))
    settings.cache_clear()
    error = run("fetch", "--url", "http://127.0.0.1:9/x.npz").exception
    assert "BLOOD_HPO_DATA names a file; unset one of them" in str(error)


def test_synthetic_writes_a_set_once(tmp_path: Path) -> None:
    path = tmp_path / "cells.npz"
    sizes = ("--train-size", 16, "--validation-size", 8, "--test-size", 8)
    assert run("synthetic", path, *sizes).stdout.startswith(f"SYNTHETIC: {path} (SHA-256 ")
    told = json.loads(run("info", "--data", path, "--format", "json").stdout)
    assert sum(told["counts"]["train"].values()) == 16
    assert "exists already" in str(run("synthetic", path, *sizes).exception)


def test_synthetic_refuses_a_set_too_small_for_eight_classes(tmp_path: Path) -> None:
    result = run("synthetic", tmp_path / "cells.npz", "--train-size", 7)
    assert result.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_the_command_loads_nothing_heavy() -> None:
    program = (
        "import sys, blood_hpo.cli.commands.data\n"
        "print({'numpy', 'sklearn', 'pandas', 'tensorflow', 'blood_hpo.data'} & set(sys.modules))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert printed == "set()\n"
