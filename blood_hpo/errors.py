"""Every error that a user can cause or meet, with the exit code of the command that met it.

A message is one line: what is wrong, then what to do next. The command line prints the message
alone; a traceback is only ever shown for a defect of the program.
"""

from typing import ClassVar

from blood_hpo.text import printable


class BloodHpoError(Exception):
    """The root of the tree: something is wrong and the message says what to do next."""

    exit_code: ClassVar[int] = 1

    def __str__(self) -> str:
        """One printable line, whatever the names and values in it hold."""
        return printable(super().__str__())


class InputError(BloodHpoError):
    """A study file, an option or an environment variable holds something that cannot be used."""

    exit_code = 2


class DataError(BloodHpoError):
    """The data set is missing or damaged."""

    exit_code = 3


class DatabaseError(BloodHpoError):
    """The database cannot be reached, refuses the login, or has another schema."""

    exit_code = 4


class StudyError(BloodHpoError):
    """The study does not exist, is paused, or differs from what was asked."""

    exit_code = 5


class NonFiniteLoss(BloodHpoError):  # noqa: N818 - named after what happened
    """Training diverged: since an epoch the loss, or a probability, is no longer a number."""

    def __init__(self, epoch: int) -> None:
        super().__init__(f"the loss is not finite in epoch {epoch}; try a smaller learning rate")
        self.epoch = epoch
