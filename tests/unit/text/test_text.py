"""Characters that are refused or escaped at the door, and files that cannot hang a reader."""

import doctest
import os
from pathlib import Path

import pytest

from blood_hpo import text
from blood_hpo.errors import InputError
from blood_hpo.settings import read_url
from blood_hpo.studyfile.load import load
from blood_hpo.studyfile.schema import StudySpec

WRONG = ["\0", "\x07", "\n", "\x1b[2J", "\x7f", "\x9b", "\ud800", "\u2028", "\u202e", "\u2066"]
RIGHT = ["", "plain", "Größe", "10 %", "细胞", "👩‍🔬", "שלום", "نرم‌افزار"]
STUDY = {"name": "own", "families": {"mlp": {"budget": 2, "space": {"units": [8, 16]}}}}


def test_the_examples_hold() -> None:
    assert doctest.testmod(text).failed == 0


@pytest.mark.parametrize("wrong", WRONG, ids=ascii)
def test_what_breaks_a_line_is_found_and_escaped(wrong: str) -> None:
    assert text.unprintable(f"a{wrong}b") == f"U+{ord(wrong[0]):04X}"
    assert text.printable(f"a{wrong}b").isprintable()


@pytest.mark.parametrize("wrong", WRONG, ids=ascii)
def test_a_description_that_would_break_views_is_refused_in_one_line(wrong: str) -> None:
    with pytest.raises(InputError, match=r"own.toml: description: .* without U\+") as caught:
        StudySpec.parse({**STUDY, "description": f"a{wrong}b"}, "own.toml")
    assert str(caught.value).isprintable()


def test_texts_inside_are_cleaned_and_nothing_else_changes() -> None:
    stored = {"a\x1b": ["b\nc", 1, None, 0.5, True, {"d": "NaN"}]}
    assert text.cleaned(stored) == {"a\\x1b": ["b\\nc", 1, None, 0.5, True, {"d": "NaN"}]}
    assert [text.cleaned(one) for one in RIGHT] == RIGHT


@pytest.mark.parametrize("right", RIGHT)
def test_descriptions_in_any_language_are_taken(right: str) -> None:
    assert StudySpec.parse({**STUDY, "description": right}, "own.toml").description == right


def test_a_pipe_that_nobody_writes_to_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "own.toml"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="cannot be read: it is not a regular file"):
        load(pipe)
    with pytest.raises(InputError, match="it is not a regular file"):
        read_url(pipe, "DATABASE_URL_FILE")


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(InputError, match="it is not a regular file"):
        load("/dev/zero")


def test_a_file_of_gigabytes_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    with path.open("wb") as file:
        file.truncate(10**12)  # sparse: it takes no room
    with pytest.raises(InputError, match="it is larger than 1 MB"):
        load(path)


def test_an_open_pipe_is_read() -> None:
    heard, told = os.pipe()
    os.write(told, b'name = "own"\nfamilies.mlp = { budget = 2, space.units = [8, 16] }\n')
    os.close(told)
    assert load(f"/dev/fd/{heard}").name == "own"
    os.close(heard)
