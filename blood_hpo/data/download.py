"""Downloads one file of known MD5, which appears whole or not at all."""

from pathlib import Path
from typing import NamedTuple

from blood_hpo.errors import DataError
from blood_hpo.version import __version__

_ATTEMPTS = 3  # at a download that is cut
_SILENCE_SECONDS = 30.0  # without a byte, after the server has answered


class RemoteFile(NamedTuple):
    """Where a file is (http or https) and its MD5 in lower-case hexadecimal."""

    url: str
    md5: str


def fetch(remote: RemoteFile, target: Path, *, answer_seconds: float) -> bool:
    """Download a file unless the target already is that file; whether anything was downloaded.

    A cut download is tried again. The target's folder is created; ``answer_seconds`` is how long to
    wait for a connection.

    Raises:
        DataError: The server cannot be reached, what it sends is cut or another file, or the disk
            refuses it; nothing of it is kept.
    """
    from requests.exceptions import ChunkedEncodingError

    for _ in range(_ATTEMPTS):
        try:
            return _fetch(remote, target, answer_seconds)
        except ChunkedEncodingError:
            pass
        except OSError as error:  # which those of requests are, too
            raise _failure(remote, str(_root(error))) from error
        except ValueError as error:
            raise _failure(remote, f"its MD5 is not {remote.md5}") from error
    raise _failure(remote, f"cut {_ATTEMPTS} times")


def _fetch(remote: RemoteFile, target: Path, answer_seconds: float) -> bool:
    import pooch

    if target.is_file() and pooch.file_hash(str(target), alg="md5") == remote.md5:
        return False
    pooch.get_logger().setLevel("WARNING")
    get = pooch.HTTPDownloader(
        progressbar=True,
        timeout=(answer_seconds, _SILENCE_SECONDS),
        headers={"User-Agent": f"blood_hpo/{__version__}"},
    )
    pooch.retrieve(remote.url, f"md5:{remote.md5}", target.name, target.parent, downloader=get)
    return True


def _failure(remote: RemoteFile, reason: str) -> DataError:
    return DataError(f"the download of {remote.url} failed ({' '.join(reason.split())})")


def _root(error: BaseException) -> BaseException:
    """What an error came of, such as a refused connection."""
    while error.__context__ is not None:
        error = error.__context__
    return error
