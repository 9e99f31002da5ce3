"""Every statement has a name, says what it does, and is one."""

import re
from importlib import resources

import pytest

from blood_hpo.database.statements import load_query, names, queries


@pytest.mark.parametrize("name", queries())
def test_a_statement_says_what_it_does_and_is_one(name: str) -> None:
    query = load_query(name)
    assert query.title
    assert "--" not in query.sql
    assert ";" not in query.sql
    assert query.sql.startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE"))


@pytest.mark.parametrize("name", names())
def test_a_question_has_a_title_and_asks_the_views_alone(name: str) -> None:
    query = load_query(name)
    assert 0 < len(query.title) <= 60
    assert not query.description or query.description.endswith(".")
    assert query.sql.startswith(("SELECT", "WITH"))
    assert "public." not in query.sql


def test_parameters_are_found_in_the_order_of_the_statement() -> None:
    assert load_query("trial").parameters == ("study", "number")
    assert load_query("leaderboard").parameters == ("study", "top")
    assert load_query("studies").parameters == ()


def test_a_name_is_given_once() -> None:
    files = (resources.files("blood_hpo.database") / "sql").iterdir()
    found = [
        name
        for file in files
        for name in re.findall(r"^-- (\w+): ", file.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert sorted(found) == sorted(queries())
