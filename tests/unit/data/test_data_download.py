"""Downloads from a real server on loopback: whole, cut, wrong, unreachable, contended."""

import hashlib
import random
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from blood_hpo.data.download import RemoteFile, fetch
from blood_hpo.errors import DataError

CONTENT = random.Random(1).randbytes(300_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "new" / "folder" / "file.npz"


@pytest.fixture
def server(file_server: Any) -> Any:
    file_server.content = CONTENT
    return file_server


def download(server: Any, target: Path, md5: str = MD5) -> bool:
    return fetch(RemoteFile(server.url, md5), target, answer_seconds=5)


def test_a_download_appears_whole_and_alone(server: Any, target: Path) -> None:
    assert download(server, target)
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


def test_a_file_that_is_there_is_not_downloaded_again(server: Any, target: Path) -> None:
    download(server, target)
    assert not download(server, target)
    assert server.requests == 1


def test_a_damaged_file_is_replaced(server: Any, target: Path) -> None:
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT[:-1])
    assert download(server, target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("cuts", [1, 2])
def test_a_cut_download_is_tried_again(server: Any, target: Path, cuts: int) -> None:
    server.cuts = cuts
    assert download(server, target)
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


def test_a_download_that_is_always_cut_is_told_and_nothing_is_kept(
    server: Any, target: Path
) -> None:
    server.cuts = 99
    with pytest.raises(DataError, match="cut 3 times"):
        download(server, target)
    assert server.requests == 3
    assert list(target.parent.iterdir()) == []


def test_a_wrong_md5_is_told_and_nothing_is_kept(server: Any, target: Path) -> None:
    with pytest.raises(DataError, match=r"its MD5 is not 0{32}"):
        download(server, target, md5="0" * 32)
    assert list(target.parent.iterdir()) == []


def test_redirects_are_followed_to_http_alone(server: Any, target: Path) -> None:
    server.redirect = "file:///etc/hostname"
    with pytest.raises(DataError, match="No connection adapters"):
        download(server, target)
    server.redirect = "ftp://127.0.0.1/file.npz"
    with pytest.raises(DataError, match="No connection adapters"):
        download(server, target)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://host/file", "bloodmnist.npz", ""])
def test_only_http_and_https_are_downloaded(url: str, target: Path) -> None:
    with pytest.raises(DataError, match=r"No connection adapters|No scheme supplied"):
        fetch(RemoteFile(url, MD5), target, answer_seconds=5)
    assert list(target.parent.iterdir()) == []


def test_a_closed_port_fails_at_once_and_leaves_nothing(target: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(DataError, match="Connection refused"):
        fetch(RemoteFile(f"http://127.0.0.1:{port}/", MD5), target, answer_seconds=30)
    assert list(target.parent.iterdir()) == []


def test_a_silent_server_is_not_waited_for(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blood_hpo.data.download._SILENCE_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        remote = RemoteFile(f"http://127.0.0.1:{silent.getsockname()[1]}/", MD5)
        with pytest.raises(DataError, match="timed out"):
            fetch(remote, target, answer_seconds=5)
    assert list(target.parent.iterdir()) == []


def test_an_error_of_the_server_is_told(server: Any, target: Path) -> None:
    remote = RemoteFile(server.url.replace("/bloodmnist", "/missing"), MD5)
    server.missing = frozenset({"/missing.npz"})
    with pytest.raises(DataError, match="Not Found"):
        fetch(remote, target, answer_seconds=5)
    assert list(target.parent.iterdir()) == []


def test_of_many_at_once_all_find_the_file(server: Any, target: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: download(server, target), range(4)))
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


def test_a_folder_that_cannot_be_written_is_one_error(server: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"Not a directory|File exists"):
        download(server, tmp_path / "file" / "file.npz")


def test_progress_goes_to_standard_error(
    server: Any, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    download(server, target)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "300k/300k" in printed.err
