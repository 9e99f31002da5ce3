"""Downloads from a real server on loopback: whole, cut, resumed, wrong, unreachable, contended."""

import hashlib
import random
import socket
import time
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


def part_of(target: Path) -> Path:
    return target.with_name("file.npz.part")


def test_a_download_appears_whole_and_alone(server: Any, target: Path) -> None:
    assert download(server, target)
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


def test_a_file_that_is_there_is_not_downloaded_again(server: Any, target: Path) -> None:
    download(server, target)
    assert not download(server, target)
    assert len(server.ranges) == 1


def test_a_damaged_file_is_replaced(server: Any, target: Path) -> None:
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT[:-1])
    assert download(server, target)
    assert target.read_bytes() == CONTENT


def test_a_cut_download_resumes_where_it_stopped(server: Any, target: Path) -> None:
    server.breaks_after = 100_000
    with pytest.raises(DataError, match="cut after 100000 of 300000 bytes; run it again to resume"):
        download(server, target)
    assert not target.exists()
    assert part_of(target).read_bytes() == CONTENT[:100_000]
    server.breaks_after = None
    assert download(server, target)
    assert server.ranges == ["", "bytes=100000-"]
    assert target.read_bytes() == CONTENT
    assert not part_of(target).exists()


def test_a_server_that_cannot_resume_sends_all_again(server: Any, target: Path) -> None:
    server.breaks_after = 100_000
    with pytest.raises(DataError):
        download(server, target)
    server.breaks_after, server.resumes = None, False
    assert download(server, target)
    assert target.read_bytes() == CONTENT


def test_a_part_that_is_already_whole_is_published(server: Any, target: Path) -> None:
    target.parent.mkdir(parents=True)
    part_of(target).write_bytes(CONTENT)
    assert download(server, target)
    assert target.read_bytes() == CONTENT
    assert server.ranges == ["bytes=300000-"]


@pytest.mark.parametrize("start", [b"", b"x" * 100_000, b"x" * 400_000])
def test_a_wrong_md5_is_told_and_nothing_is_kept(server: Any, target: Path, start: bytes) -> None:
    target.parent.mkdir(parents=True)
    part_of(target).write_bytes(start)
    wrong = MD5 if start else "0" * 32
    with pytest.raises(DataError, match=rf"MD5 \w{{32}}, not {wrong}; what was downloaded is rem"):
        download(server, target, md5=wrong)
    assert list(target.parent.iterdir()) == []


def test_redirects_are_followed_to_http_alone(server: Any, target: Path) -> None:
    server.redirect = "file:///etc/hostname"
    with pytest.raises(DataError, match="failed"):
        download(server, target)
    server.redirect = "ftp://127.0.0.1/file.npz"
    with pytest.raises(DataError, match="unknown url type: ftp"):
        download(server, target)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://host/file", "bloodmnist.npz", ""])
def test_only_http_and_https_are_downloaded(url: str, target: Path) -> None:
    with pytest.raises(DataError, match="no http or https address"):
        fetch(RemoteFile(url, MD5), target, answer_seconds=5)
    assert not target.parent.exists()


def test_a_closed_port_fails_at_once_and_leaves_nothing(target: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(DataError, match="Connection refused"):
        fetch(RemoteFile(f"http://127.0.0.1:{port}/", MD5), target, answer_seconds=30)
    assert list(target.parent.iterdir()) == []


def test_a_silent_server_is_not_waited_for(target: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        remote = RemoteFile(f"http://127.0.0.1:{silent.getsockname()[1]}/", MD5)
        start = time.monotonic()
        with pytest.raises(DataError, match=r"no answer within 0\.3 seconds"):
            fetch(remote, target, answer_seconds=0.3)
        assert time.monotonic() - start < 5
    assert list(target.parent.iterdir()) == []


def test_an_error_of_the_server_is_told(server: Any, target: Path) -> None:
    remote = RemoteFile(server.url.replace("/bloodmnist", "/missing"), MD5)
    server.missing = frozenset({"/missing.npz"})
    with pytest.raises(DataError, match="Not Found"):
        fetch(remote, target, answer_seconds=5)
    assert list(target.parent.iterdir()) == []


def test_of_many_at_once_one_downloads(server: Any, target: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: download(server, target), range(4)))
    assert sorted(results) == [False, False, False, True]
    assert server.ranges == [""]
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
    assert printed.err.splitlines()[-1] == "bloodmnist.npz: 0.3 of 0.3 MB"
