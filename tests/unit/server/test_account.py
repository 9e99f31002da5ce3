"""The one door to the embedded server is open to its account alone, or is refused."""

from pathlib import Path

import pytest

from blood_hpo.errors import DatabaseError
from blood_hpo.server.account import make_private


def test_a_folder_is_made_private_and_stays_so(tmp_path: Path) -> None:
    for _ in range(2):
        make_private(tmp_path / "door", None)
        assert (tmp_path / "door").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_enter_or_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    (tmp_path / "private").mkdir(0o700)
    (tmp_path / "link").symlink_to("private")
    for name in ("open", "link"):
        with pytest.raises(DatabaseError, match=f"{name} should be private .* but is not; remove"):
            make_private(tmp_path / name, None)
