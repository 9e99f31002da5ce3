"""A folder that is replaced in one step: the new one is whole before the old one goes."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise _cannot_write(folder, error) from error
    new, old = work / "new", work / "old"
    try:
        new.mkdir()
        yield new
        if folder.exists():
            os.rename(folder, old)  # noqa: PTH104 - Path.rename says the same
        os.rename(new, folder)  # noqa: PTH104
    except OSError as error:
        if old.exists() and not folder.exists():
            os.rename(old, folder)  # noqa: PTH104
        raise _cannot_write(folder, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _cannot_write(folder: Path, error: OSError) -> BloodHpoError:
    return BloodHpoError(
        f"the report cannot be written to {folder}: {error.strerror or error};"
        " free some space, or name another folder with --out"
    )
