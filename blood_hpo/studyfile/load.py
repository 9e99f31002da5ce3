"""Read a study file from disk."""

import tomllib
from pathlib import Path

from blood_hpo.errors import InputError
from blood_hpo.studyfile.messages import nearest
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.text import read_text


def load(path: Path | str) -> StudySpec:
    """The study that a TOML file describes; an InputError where it is none that is valid."""
    try:
        document = tomllib.loads(read_text(Path(path)))
    except FileNotFoundError as error:
        places = (*Path(path).parent.glob("*.toml"), *Path("studies").glob("*.toml"))
        others = sorted(str(one) for one in places if one.name != "pyproject.toml")
        hint = f"; {nearest(str(path), others)}" if others else ""
        raise InputError(f"{path}: no such study file{hint}") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except RecursionError as error:
        raise InputError(f"{path}: not valid TOML: nested too deeply") from error
    except ValueError as error:  # not TOML, not UTF-8, or no path at all
        raise InputError(f"{path}: not valid TOML: {error}") from error
    return StudySpec.parse(document, str(path))
