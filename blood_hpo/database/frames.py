r"""One study as pandas frames: the views of schema ``hpo``, for notebooks.

    >>> import blood_hpo
    >>> study = blood_hpo.open_study("paper")  # doctest: +SKIP
    >>> study.leaderboard(top=3)  # doctest: +SKIP

Nothing here can change a study: every session is read-only. A frame has the columns of its view,
which ``\d+ hpo.trials`` in psql describes, units included; lists and objects stay what they are.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from blood_hpo.database.address import database_url, engine_options
from blood_hpo.database.analyst import analyst_url, ask
from blood_hpo.database.failures import database_errors
from blood_hpo.database.migrate import check_schema
from blood_hpo.errors import StudyError
from blood_hpo.settings import Settings

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Study:
    """A study to look at.

    Attributes:
        name: Its name.
        settings: Where the database is.
    """

    name: str
    settings: Settings

    def trials(self) -> "DataFrame":
        """One row a trial: state, score, cost, hyperparameters as columns; by number."""
        return self._view("trials", "number")

    def leaderboard(self, top: int | None = None) -> "DataFrame":
        """Complete trials of each family, best first, at most ``top`` of each."""
        found = self._view("leaderboard", "family, rank, number")
        return found if top is None else found[found["rank"] <= top].reset_index(drop=True)

    def progress(self) -> "DataFrame":
        """One row a family: budget, states of trials, best score, seconds left."""
        return self._view("progress", "family")

    def workers(self) -> "DataFrame":
        """One row a worker: what it does, when it was last heard of, trials an hour."""
        return self._view("workers", "worker")

    def fold_scores(self) -> "DataFrame":
        """One row a fold of each finished trial."""
        return self._view("fold_scores", "number, fold")

    def curves(self, number: int | None = None) -> "DataFrame":
        """One row an epoch of each fold of one finished trial, or of all."""
        return self._view("learning_curves", "number, fold, epoch", number)

    def mean_curves(self, number: int | None = None) -> "DataFrame":
        """One row an epoch of one finished trial, or of all: means over the folds."""
        return self._view("mean_curves", "number, epoch", number)

    def reported_scores(self, number: int | None = None) -> "DataFrame":
        """One row an epoch of one trial, or of all, running ones too: what the pruner sees."""
        return self._view("reported_scores", "number, epoch", number)

    def effects(self) -> "DataFrame":
        """One row a value of each searched parameter: scores of the complete trials with it."""
        return self._view("parameter_effects", "family, parameter, place")

    def kernel_filters(self) -> "DataFrame":
        """One row a pair of kernel size and number of filters."""
        return self._view("kernel_filters", "kernel_size, filters")

    def pruning(self) -> "DataFrame":
        """One row a pruned trial: when it was stopped and what that saved."""
        return self._view("pruning", "number")

    def cost(self) -> "DataFrame":
        """One row a family and state: trials, epochs, seconds."""
        return self._view("cost", "family, state")

    def attempts(self) -> "DataFrame":
        """One row a trial with its place in the chain of attempts at its configuration."""
        return self._view("attempts", "origin, attempt")

    def repeats_avoided(self) -> "DataFrame":
        """One row a family: drawn configurations that had been tried already."""
        return self._view("repeats_avoided", "family")

    def confirmations(self) -> "DataFrame":
        """One row a configuration that was run again on fresh folds, with intervals."""
        return self._view("confirmations", "family, rank")

    def models(self) -> "DataFrame":
        """One row a retrained and tested model."""
        return self._view("models", "number")

    def results(self) -> "DataFrame":
        """One row a tested configuration: means over its seeds, with the interval."""
        return self._view("final_results", "accuracy DESC")

    def confusion(self) -> "DataFrame":
        """One row a cell of the confusion matrix of each tested model."""
        return self._view("confusion", "number, true_class, predicted_class")

    def held_out_confusion(self, number: int | None = None) -> "DataFrame":
        """One row a cell of the confusion matrix of one trial of the search, or of all."""
        return self._view("held_out_confusion", "number, true_class, predicted_class", number)

    def misclassified(self) -> "DataFrame":
        """One row a test image that a tested model gets wrong."""
        return self._view("misclassified", "number, image")

    def sql(self, statement: str) -> "DataFrame":
        """The rows of a statement of your own, as ``blood-hpo query --sql`` runs it.

        Raises:
            InputError: The statement is wrong, is more than one, or would change something.
            DatabaseError: The database refuses, or 30 seconds are over.
        """
        from pandas import DataFrame

        found = ask(analyst_url(self.settings), statement)
        return DataFrame(found.rows, columns=list(found.columns))

    def _view(self, view: str, order: str, number: int | None = None) -> "DataFrame":
        from pandas import read_sql_query
        from sqlalchemy import create_engine, text

        url = database_url(self.settings)
        engine = create_engine(url, **engine_options("blood-hpo notebook", read_only=True))
        one = "" if number is None else " AND number = :number"
        # Names of views and columns are this module's own.
        statement = f"SELECT * FROM hpo.{view} WHERE study = :study{one} ORDER BY {order}"  # noqa: S608
        wanted = {"study": self.name, **({} if number is None else {"number": number})}
        try:
            with database_errors(url), engine.connect() as connection:
                return read_sql_query(text(statement), connection, params=wanted)
        finally:
            engine.dispose()


def open_study(name: str) -> Study:
    """Open a study to look at it; the database is found as the commands find it.

    Args:
        name: Name of the study.

    Raises:
        StudyError: There is no study of that name.
        DatabaseError: The database cannot be reached, or its schema is another version's.
    """
    from sqlalchemy import create_engine

    from blood_hpo.settings import settings

    found = Study(name, settings())
    url = database_url(found.settings)
    engine = create_engine(url, **engine_options("blood-hpo notebook", read_only=True))
    try:
        with database_errors(url):
            check_schema(engine)
    finally:
        engine.dispose()
    if found.progress().empty and found.trials().empty:
        raise StudyError(
            f"there is no study {name!r}; `blood-hpo study list` shows those that exist"
        )
    return found
