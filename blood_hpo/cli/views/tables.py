"""Leaderboards, confirmed configurations and tested models, as several commands print them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from blood_hpo.cli.logs import say
from blood_hpo.cli.output import OutputFormat, print_records, print_rows
from blood_hpo.cli.session import ask
from blood_hpo.database.query import run_query
from blood_hpo.stages import CONFIRM, FINAL, SEARCH

if TYPE_CHECKING:
    from sqlalchemy import Engine

_LEADERBOARD: Final = (
    "rank trial=number score sd epochs time=seconds parameters=parameter_count configuration=params"
)
_SCORED: Final = {
    SEARCH: "best of the search",
    CONFIRM: "on fresh folds",
    FINAL: "validation scores of retrainings",
}
_CONFIRMED: Final = (
    "family rank trial=number search=search_score confirmed=mean low high behind differs"
    " configuration=params"
)
_TESTED: Final = (
    "family from=recipe trial=source_number seed=seed_number parameters=parameter_count"
    " epoch=best_epoch validation=validation_accuracy test=test_accuracy"
    " balanced=test_balanced_accuracy errors=test_errors time=seconds"
)


def print_answer(
    connected: "Engine", query: str, output: OutputFormat, **parameters: object
) -> None:
    """Print the rows of a named query."""
    found = run_query(connected, query, **parameters)
    print_rows(found.columns, found.rows, output)


def print_answers(
    connected: "Engine", query: str, studies: Sequence[str], output: OutputFormat, **given: object
) -> None:
    """Print the rows of a named query for some studies as one list, for programs."""
    found = [run_query(connected, query, study=one, **given) for one in studies]
    rows = [(one, *row) for one, answer in zip(studies, found, strict=True) for row in answer.rows]
    print_rows(("study", *found[0].columns), rows, output)


def print_leaderboards(
    connected: "Engine", study: str, data: Mapping[str, object], top: int
) -> None:
    """Print the best complete trials, a table a family."""
    rows = ask(connected, "leaderboard", study=study, top=top)
    for family in dict.fromkeys(row["family"] for row in rows):
        own = [row for row in rows if row["family"] == family]
        title = f"{study}, {family}: {_SCORED[str(data.get('stage', SEARCH))]} on {data['label']}"
        print_records(own, _LEADERBOARD, title)
    if not rows:
        say("%s: no trial is complete yet", study)


def print_final(connected: "Engine", study: str, data: Mapping[str, object]) -> None:
    """Print the confirmed configurations and the tested models."""
    confirmed = [
        {**row, "differs": row["left_out"] or ("winner" if row["winner"] else row["separable"])}
        for row in ask(connected, "confirmation", study=study)
    ]
    title = f"{study}: confirmed on fresh folds of {data['label']}, means with 95 % intervals"
    print_records(confirmed, _CONFIRMED, title)
    models = ask(connected, "models", study=study)
    title = f"{study}: tested once on the test split of {data['label']}"
    print_records(models, _TESTED, title)
    if not models:
        say("%s: no model has been tested yet", study)
