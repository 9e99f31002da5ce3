"""Downloads one file of known MD5: resumes where it was cut, and appears whole or not at all."""

import fcntl
import http.client
import os
import queue
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlsplit

from blood_hpo import __version__
from blood_hpo.data.download_progress import show_progress
from blood_hpo.data.source import checksums
from blood_hpo.errors import DataError

_SILENCE_SECONDS = 30.0  # without a byte, after the server has answered
_CHUNK = 1 << 16


class RemoteFile(NamedTuple):
    """Where a file is (http or https) and its MD5 in lower-case hexadecimal."""

    url: str
    md5: str


def fetch(remote: RemoteFile, target: Path, *, answer_seconds: float) -> bool:
    """Download a file unless the target already is that file.

    The bytes are collected in ``<target>.part``, which one process at a time may write and the
    next one goes on from; the target is replaced in one step once the MD5 is right.

    Args:
        remote: What to download.
        target: Where it goes; its folder is created.
        answer_seconds: How long to wait for the server's first answer, name look-up included.

    Returns:
        Whether anything was downloaded.

    Raises:
        DataError: The server cannot be reached, the download was cut (run it again: it resumes),
            its MD5 is wrong (what was downloaded is removed), or the disk refuses it.
    """
    if urlsplit(remote.url).scheme not in {"http", "https"}:
        raise DataError(f"{remote.url} is no http or https address; give one of these")
    try:
        if _is_complete(target, remote.md5):
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target.with_name(f"{target.name}.part")) as part:
            if _is_complete(target, remote.md5):
                return False  # another process was faster
            _collect(remote.url, part, answer_seconds)
            _publish(part, target, remote)
    except (OSError, http.client.HTTPException) as error:
        raise DataError(f"the download of {remote.url} failed ({_reason(error)})") from error
    return True


def _is_complete(target: Path, md5: str) -> bool:
    return target.is_file() and checksums(target).md5 == md5


@contextmanager
def _locked(part: Path) -> Iterator[BinaryIO]:
    """Open the part for appending as its only writer; leave none behind that is empty."""
    while True:
        with part.open("ab") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            if not _still_names(part, stream):
                continue  # whoever held the lock has published or removed what we waited for
            try:
                yield stream
            finally:
                stream.flush()
                if os.fstat(stream.fileno()).st_size == 0:
                    part.unlink(missing_ok=True)
            return


def _still_names(part: Path, stream: BinaryIO) -> bool:
    try:
        return os.path.samestat(part.stat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False


def _collect(url: str, part: BinaryIO, answer_seconds: float) -> None:
    """Append what is missing of the file to the part.

    Raises:
        OSError: The connection failed or was cut; what arrived is kept.
    """
    start = part.seek(0, os.SEEK_END)
    try:
        response = _open(url, start, answer_seconds)
    except HTTPError as error:
        if start and error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is missing; the MD5 decides
        raise
    with response:
        if not _continues_at(response, start):
            start = part.truncate(0)
        length = response.headers.get("Content-Length")
        total = start + int(length) if length else None
        with show_progress(Path(urlsplit(url).path).name, total) as advance:
            advance(start)
            while chunk := response.read(_CHUNK):
                part.write(chunk)
                advance(len(chunk))
    if total is not None and part.tell() < total:
        raise ConnectionError(f"cut after {part.tell()} of {total} bytes; run it again to resume")


def _continues_at(response: http.client.HTTPResponse, start: int) -> bool:
    span = response.headers.get("Content-Range", "")
    return response.status == HTTPStatus.PARTIAL_CONTENT and span.startswith(f"bytes {start}-")


def _publish(part: BinaryIO, target: Path, remote: RemoteFile) -> None:
    part.flush()
    md5 = checksums(Path(part.name)).md5
    if md5 != remote.md5:
        Path(part.name).unlink()
        raise DataError(
            f"{remote.url} gave a file with MD5 {md5}, not {remote.md5}; what was downloaded is "
            "removed: try again, or give the data set with --data PATH"
        )
    os.fsync(part.fileno())
    Path(part.name).replace(target)


def _open(url: str, start: int, answer_seconds: float) -> http.client.HTTPResponse:
    """Send the request; a thread of its own, because no time-out covers a name look-up."""
    headers = {"User-Agent": f"blood_hpo/{__version__}"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  see _opener
    answers: queue.SimpleQueue[http.client.HTTPResponse | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(_opener().open(request, timeout=_SILENCE_SECONDS))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=answer_seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer within {answer_seconds:g} seconds") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _opener() -> urllib.request.OpenerDirector:
    """An opener that follows redirects and proxies, and knows http and https alone."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _reason(error: Exception) -> str:
    return " ".join(str(getattr(error, "reason", None) or error or type(error).__name__).split())
