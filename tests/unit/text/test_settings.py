"""Settings from the environment: contradictions and misspelt names are refused."""

import os
from pathlib import Path

import pytest

from blood_hpo.errors import InputError
from blood_hpo.settings import OTHERS, Settings, settings


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    """What is said of an environment; empty where it is taken."""
    for name in os.environ:
        if name.startswith(("BLOOD_HPO_", "DATABASE_URL")):
            monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    try:
        settings()
    except InputError as error:
        return str(error)
    finally:
        settings.cache_clear()
    return ""


@pytest.mark.parametrize(
    ("heartbeat", "grace", "taken"), [("5", "15", True), ("5", "14.9", False), ("60", "30", False)]
)
def test_the_grace_time_holds_three_heartbeats(
    monkeypatch: pytest.MonkeyPatch, heartbeat: str, grace: str, taken: bool
) -> None:
    said = read(monkeypatch, BLOOD_HPO_HEARTBEAT_SECONDS=heartbeat, BLOOD_HPO_GRACE_SECONDS=grace)
    assert (said == "") == taken
    assert taken or said.startswith("BLOOD_HPO_GRACE_SECONDS: ")


def test_half_a_contradiction_meets_the_default_of_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "fewer than 3 heartbeats of 5 s" in read(monkeypatch, BLOOD_HPO_GRACE_SECONDS="10")


def test_an_unknown_variable_is_named_with_the_nearest_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = read(monkeypatch, BLOOD_HPO_GRACE_SECOND="60")
    assert "BLOOD_HPO_GRACE_SECOND is no setting; did you mean BLOOD_HPO_GRACE_SECONDS?" in said


@pytest.mark.parametrize("given", ["", "postgresql://you@host/b"])
def test_the_address_is_read_from_a_file_where_none_is_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str
) -> None:
    (tmp_path / "url").write_text("postgresql://me@host/a\n")
    monkeypatch.setenv("DATABASE_URL", given)
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))
    url = Settings().server_url()
    assert url
    assert url.get_secret_value() == (given or "postgresql://me@host/a")


@pytest.mark.parametrize("name", OTHERS)
def test_variables_of_commands_and_containers_are_known(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert read(monkeypatch, **{name: "x"}) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BLOOD_HPO_HEARTBEAT_SECONDS", "0"),
        ("BLOOD_HPO_HEARTBEAT_SECONDS", "nan"),
        ("BLOOD_HPO_GRACE_SECONDS", "inf"),
        ("BLOOD_HPO_DRAIN_SECONDS", "-1"),
        ("BLOOD_HPO_CHECKPOINT_SECONDS", "inf"),
        ("BLOOD_HPO_MAX_ATTEMPTS", "0"),
        ("BLOOD_HPO_MAX_ATTEMPTS", "1000000"),
        ("BLOOD_HPO_MAX_ATTEMPTS", "three"),
    ],
)
def test_impossible_numbers_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    said = read(monkeypatch, **{name: value})
    assert said.startswith(f"{name}: ")
    assert said.endswith("correct or unset it")
