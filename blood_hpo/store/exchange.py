"""Studies to and from plain Optuna storage, which needs nothing of this program to be read."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import optuna
from optuna.exceptions import DuplicatedStudyError
from optuna.storages import BaseStorage, RDBStorage
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from blood_hpo.database.address import server_address
from blood_hpo.database.artefacts import by_digest, listing
from blood_hpo.errors import InputError, StudyError
from blood_hpo.store.outage import first_line
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import trials_of

_SQLITE = "sqlite:///"


def export_study(storage: StudyStorage, name: str, place: str) -> dict[str, int]:
    """Copy a study and the stages that follow it; how many trials each has, by name.

    The place is an SQLite file, which may be new, or the URL of any database that Optuna can use.

    Raises:
        StudyError: There is no such study, or the place has one of its name.
        InputError: The place cannot be written.
    """
    trials = trials_of(storage, name)
    with _said(place):
        there = RDBStorage(_url(place))
        if taken := [one for one in trials if one in optuna.get_all_study_names(there)]:
            raise StudyError(f"the place has a study {taken[0]!r} already; name another place")
        for one in trials:
            _copy(storage, one, there, one)
    return trials


def export_files(storage: StudyStorage, names: list[str], folder: Path) -> int:
    """Write the files of studies as Optuna's own artifact store keeps them; how many there are.

    Raises:
        InputError: The folder cannot be written.
        StudyError: A file has been changed since it was stored.
    """
    digests = {one.sha256 for name in names for one in listing(storage.engine, name)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for digest in digests:
            content = by_digest(storage.engine, digest)
            if content is None:
                raise StudyError(f"a file is not what it was, SHA-256 {digest}; restore a backup")
            (folder / digest).write_bytes(content)
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error.strerror}); name another") from error
    return len(digests)


def import_studies(
    storage: StudyStorage, place: str, study: str | None, name: str | None
) -> dict[str, int]:
    """Copy studies of any program, to be looked at in the dashboard; their trials by name.

    The place is an SQLite file or the URL of a database that Optuna uses. All of its studies are
    copied, or the one that is named, which may be called otherwise.

    Raises:
        InputError: The place cannot be read, or holds no such study.
        StudyError: There is a study of that name already.
    """
    path = place.removeprefix(_SQLITE)
    if "://" not in path and not Path(path).is_file():
        raise InputError(f"{place}: no such file; name an SQLite file or the URL of a database")
    with _said(place):
        there = RDBStorage(_url(place), skip_table_creation=True)
        known = optuna.get_all_study_names(there)
    wanted = known if study is None else [study]
    if study not in [None, *known] or not known or (name and len(wanted) > 1):
        raise InputError(f"{_shown(place)} holds {', '.join(known) or 'no study'}; name one")
    for one in wanted:
        _copy(there, one, storage, name or one)
    names = [name or one for one in wanted]
    return {one: storage.get_n_trials(storage.study_id(one)) for one in names}


def _url(place: str) -> str:
    """The URL of a place, with the driver that is installed."""
    url = place if "://" in place else f"{_SQLITE}{place}"
    return server_address(url, "PLACE") if url.startswith("postgres") else url


def _copy(source: BaseStorage, name: str, target: BaseStorage, new: str) -> None:
    """Copy one study whole or not at all."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # what it says is said by the caller
    if new in optuna.get_all_study_names(target):
        raise _taken(new)
    try:
        optuna.copy_study(
            from_study_name=name, from_storage=source, to_storage=target, to_study_name=new
        )
        _point_links_at(target, source.get_study_id_from_name(name), new)
    except DuplicatedStudyError as error:
        raise _taken(new) from error
    except BaseException:
        with suppress(Exception):
            target.delete_study(target.get_study_id_from_name(new))
        raise


def _taken(name: str) -> StudyError:
    return StudyError(
        f"there is a study {name!r} already; name another place, or import with another --name"
    )


def _shown(place: str) -> str:
    """A place without its password, which may stand among the options too."""
    try:
        return make_url(_url(place)).difference_update_query(["password"]).render_as_string()
    except ArgumentError as error:
        raise InputError("this is no URL; give an SQLite file or a URL of Optuna's") from error


def _point_links_at(target: BaseStorage, old_id: int, name: str) -> None:
    """A note leads to trials by the key of its study, which is another one now."""
    study_id = target.get_study_id_from_name(name)
    for key, value in target.get_study_system_attrs(study_id).items():
        if key.startswith("dashboard:note_str"):
            text = value.replace(f"/studies/{old_id}/", f"/studies/{study_id}/")
            target.set_study_system_attr(study_id, key, text)


@contextmanager
def _said(place: str) -> Iterator[None]:
    """What is wrong with a place of Optuna's, in one line."""
    shown = _shown(place)
    try:
        yield
    except (InputError, StudyError):
        raise
    except Exception as error:  # of Optuna, of SQLAlchemy, or of a driver that is not installed
        raise InputError(
            f"{shown} cannot be used as Optuna's storage ({first_line(error)});"
            " name an SQLite file or the URL of a database"
        ) from error
