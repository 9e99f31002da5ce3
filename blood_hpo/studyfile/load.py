"""Read a study file from disk."""

import tomllib
from pathlib import Path

from blood_hpo.errors import InputError
from blood_hpo.studyfile.messages import nearest
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.text import read_text


def load(path: Path | str) -> StudySpec:
    """The study that a TOML file describes.

    Raises:
        InputError: The file cannot be read, is no TOML, or describes no valid study; the message is
            one line with the file and, where there is one, the key or the line.
    """
    source = str(path)
    try:
        document = tomllib.loads(_read(Path(path)))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source}: not valid TOML: {error}") from error
    except RecursionError as error:
        raise InputError(f"{source}: not valid TOML: nested too deeply") from error
    except ValueError as error:
        raise InputError(f"{source}: not valid TOML: a number of thousands of digits") from error
    return StudySpec.parse(document, source)


def _read(path: Path) -> str:
    try:
        return read_text(path)
    except FileNotFoundError as error:
        others = [str(other) for other in sorted(path.parent.glob("*.toml"))]
        hint = f"; {nearest(str(path), others)}" if others else ""
        raise InputError(f"{path}: no such study file{hint}") from error
    except IsADirectoryError as error:
        raise InputError(f"{path}: a folder; name a study file in it") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not text in UTF-8 (byte {error.start})") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path}: is no path: {error}") from error
