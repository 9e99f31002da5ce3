"""Every question says what it asks and what its answer holds."""

import pytest

from blood_hpo.database.query import internal_names, load_query, names


@pytest.mark.parametrize("name", [*names(), *internal_names()])
def test_a_question_has_a_title_a_description_and_one_statement(name: str) -> None:
    query = load_query(name)
    assert 0 < len(query.title) <= 60
    assert query.description.endswith(".")
    assert "--" not in query.sql
    assert ";" not in query.sql
    assert query.sql.lstrip().startswith(("SELECT", "WITH"))


def test_parameters_are_found_in_the_order_of_the_statement() -> None:
    assert load_query("trial").parameters == ("study", "number")
    assert load_query("leaderboard").parameters == ("study", "top")
    assert load_query("studies").parameters == ()


def test_a_name_is_given_once() -> None:
    assert set(names()) & set(internal_names()) == set()


@pytest.mark.parametrize("name", names())
def test_a_question_for_people_asks_the_views_alone(name: str) -> None:
    assert "public." not in load_query(name).sql
