"""A folder that is replaced in one step: the new one is whole before the old one goes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from blood_hpo.errors import BloodHpoError, InputError


def require_ours(folder: Path, mark: str) -> None:
    """Refuse a folder that holds something else than a report.

    Args:
        folder: Must be missing, empty, or hold a report.
        mark: The file that every report has.

    Raises:
        InputError: It is something else.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is not a folder; name another with --out")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / mark).is_file():
        raise InputError(
            f"{folder} is not empty and holds no report, so nothing in it is replaced;"
            " name another folder with --out"
        )


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of ``folder`` if all goes well, and else disappears.

    Raises:
        BloodHpoError: It cannot be written, as on a full disk.
    """
    folder = folder.absolute()
    prefix = f".{folder.name}-"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(
            prefix=prefix, dir=folder.parent, ignore_cleanup_errors=True
        ) as work:
            new = Path(work, "new")
            new.mkdir()
            yield new
            _swap(new, folder, Path(work, "old"))
    except OSError as error:
        raise BloodHpoError(
            f"the report cannot be written to {folder}: {error.strerror or error};"
            " free some space, or name another folder with --out"
        ) from error


def _swap(new: Path, folder: Path, old: Path) -> None:
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
