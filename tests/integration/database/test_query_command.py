"""``blood-hpo query``: named questions, SQL of one's own, and every format."""

import csv
import io
import json
from collections.abc import Callable

import pytest
from pyarrow import parquet
from typer.testing import CliRunner, Result

from blood_hpo.cli.main import app
from blood_hpo.database.statements import names
from blood_hpo.errors import BloodHpoError, DatabaseError, InputError, StudyError

Ask = Callable[..., Result]


@pytest.fixture
def ask(named_database: str) -> Ask:
    """Runs ``blood-hpo query`` on the test's database."""
    assert named_database
    return lambda *words: CliRunner().invoke(app, ["query", *words])


def answer(found: Result) -> str:
    assert found.exit_code == 0, found.exception
    return found.stdout


def problem(found: Result, kind: type[BloodHpoError]) -> str:
    assert isinstance(found.exception, kind)
    assert "\n" not in str(found.exception)
    return str(found.exception)


def test_every_question_is_listed_with_its_parameters(ask: Ask) -> None:
    listed = json.loads(answer(ask("--format", "json")))
    assert [one["name"] for one in listed] == names()
    found = {one["name"]: one["parameters"] for one in listed}
    assert found["curves"] == "--set number=N"
    assert found["leaderboard"] == "[--set top=N]"


def test_an_answer_comes_in_every_format(ask: Ask, study: str) -> None:
    asked = ("leaderboard", "--study", study, "--set", "top=1")
    table = answer(ask(*asked))
    assert table.startswith("Best configurations of each family\nfamily  rank")
    objects = json.loads(answer(ask(*asked, "--format", "json")))
    assert [one["number"] for one in objects] == [2, 1]
    lines = list(csv.DictReader(io.StringIO(answer(ask(*asked, "--format", "csv")))))
    assert [line["number"] for line in lines] == ["2", "1"]
    content = ask(*asked, "--format", "parquet").stdout_bytes
    stored = parquet.read_table(io.BytesIO(content)).to_pylist()
    assert [row["number"] for row in stored] == [2, 1]
    assert json.loads(stored[1]["params"]) == objects[1]["params"]
    assert stored[0]["score"] == objects[0]["score"]


WRONG = [
    (("leaderbord",), "did you mean 'leaderboard'?"),
    (("curves", "-s", "blood"), "needs --set number=N"),
    (("curves", "-s", "blood", "--set", "number=one"), "number is a whole number from 0"),
    (("curves", "-s", "blood", "--set", "number=99999999999"), "is a whole number"),
    (("curves", "-s", "blood", "--set", "number"), "as in --set top=5"),
    (("curves", "-s", "blood", "--set", "top=1"), "takes [--study STUDY] --set number=N"),
    (("studies", "--set", "top=1"), "takes no parameters"),
    (("studies", "--sql", "select 1"), "not both"),
    (("--sql", "select 1", "--set", "top=1"), "gives parameters to a question"),
]


def test_a_wrong_call_says_what_to_do(ask: Ask, study: str) -> None:
    assert study == "blood"
    for words, said in WRONG:
        assert said in problem(ask(*words), InputError)


def test_an_unknown_study_is_said_to_be_unknown(ask: Ask) -> None:
    assert "there is no study 'nope'" in problem(ask("trials", "-s", "nope"), StudyError)


def test_sql_of_ones_own_reads_the_views_by_their_bare_names(ask: Ask, study: str) -> None:
    statement = "select family, count(*) as n, sum(1.5) as half from trials group by 1 order by 1;"
    assert study
    assert json.loads(answer(ask("--sql", statement, "--format", "json"))) == [
        {"family": "cnn", "n": 3, "half": 4.5},
        {"family": "mlp", "n": 4, "half": 6},
    ]
    assert "current_user" in answer(ask("--sql", "select current_user"))
    assert "blood_hpo_analyst" in answer(ask("--sql", "select current_user"))
    assert answer(ask("--sql", "show statement_timeout")).split()[-1] == "30s"
    odd = "select 'nan'::float8 as n, '-inf'::float8 as i, 1.5::float8 as x, '\\xff'::bytea as b"
    assert answer(ask("--sql", odd)).split()[4:] == ["nan", "-inf", "1.500", "\\xff"]
    assert answer(ask("--sql", "select '50%' as percent, ':x' as colon")).endswith("50%      :x\n")


REFUSED: list[tuple[str, str, type[BloodHpoError]]] = [
    ("selct 1", "syntax error", InputError),
    ("select nothing from trials", "does not exist", InputError),
    ("select 1; select 2", "give one statement", InputError),
    ("select 1; commit; drop schema hpo cascade", "give one statement", InputError),
    ("-- hi", "give one statement that reads, such as select 1", InputError),
    ("/* hi */", "give one statement", InputError),
    ("select '\udcff'", "such as select 1", InputError),
    ("select '\0'", "such as select 1", InputError),
    ("do $$ begin reset role; end $$", "cannot open DO query as cursor", InputError),
    ("reset role", "cannot open RESET query as cursor", InputError),
    ("drop table public.trials", "cannot open DROP TABLE query as cursor", InputError),
    ("delete from public.trials", "cannot open DELETE query as cursor", InputError),
    ("delete from public.trials returning *", "read-only transaction", InputError),
    ("select * from public.trials", "permission denied", DatabaseError),
    ("select pg_read_file('/etc/passwd')", "permission denied", DatabaseError),
    ("select lo_import('/etc/passwd')", "permission denied", DatabaseError),
    ("", "empty", InputError),
    ("select", "needs columns", InputError),
    ("select 1 as a, 2 as a", "each with a name of its own", InputError),
    ("select date '0001-01-01 BC'", "cast it to text", InputError),
]


def test_sql_that_is_wrong_or_forbidden_is_refused_in_a_line(ask: Ask) -> None:
    for statement, said, kind in REFUSED:
        assert said in problem(ask("--sql", statement), kind), statement


def test_a_statement_cannot_give_itself_more_time(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blood_hpo.database.analyst.SECONDS", 1)
    greedy = "select set_config('statement_timeout', '0', false), pg_sleep(20)"
    assert "ended after 1 s; ask for less" in problem(ask("--sql", greedy), DatabaseError)
