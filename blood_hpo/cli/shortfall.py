"""What a run could not count of the budgets that it was given, and why."""

import sys

from blood_hpo.cli.session import engine
from blood_hpo.cli.views.snapshot import Row, Stage, read
from blood_hpo.errors import StudyError


class Shortfalls:
    """Looks at the searches of a run when each has ended."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def look(self, study: str) -> None:
        """Note what a search lacks; a space that was tried to its end is no fault, and is said."""
        from blood_hpo.settings import settings

        with engine() as connected:
            search = read(connected, study, settings()).stages[0]
        for row in search.families:
            if row["counted"] < row["budget"]:
                self._note(search, row)

    def refuse(self) -> None:
        """End the run if anything is lacking.

        Raises:
            StudyError: Some budget was not counted; the message says which, and why.
        """
        if self._found:
            raise StudyError("; ".join(self._found))

    def _note(self, search: Stage, row: Row) -> None:
        counted = f"{search.name}: {row['counted']} of {row['budget']} trials of {row['family']}"
        failing = [one for one in search.failing if one["family"] == row["family"]]
        if failing:
            why = f"{len(failing)} configurations failed, the last with: {failing[0]['reason']}"
            advice = f"look with `blood-hpo trial show {search.name} {failing[0]['number']}`"
            self._found.append(f"{counted} could be counted ({why}); {advice}")
        elif row["remaining"]:
            self._found.append(f"{counted} were counted; the same command goes on from here")
        else:
            sys.stderr.write(f"{counted} counted: every configuration of its space was tried\n")
