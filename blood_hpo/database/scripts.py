"""The schema as files: numbered migrations, the views, and what tables, views and columns mean."""

import hashlib
import json
import tomllib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Script:
    """An SQL file of the schema, by its name; that of a migration begins with its number."""

    name: str
    sql: str

    @property
    def number(self) -> int:
        """Of a migration, from 1."""
        return int(self.name[:4])

    @property
    def digest(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def schema_file(name: str) -> str:
    """The text of a file in this package."""
    return (resources.files("blood_hpo.database") / name).read_text(encoding="utf-8")


def migrations() -> list[Script]:
    """The migrations in order."""
    return _scripts("migrations")


def views() -> str:
    """The views, file after file."""
    return "".join(one.sql for one in _scripts("views"))


def views_digest() -> str:
    """SHA-256 of all files of the views, and of what they mean."""
    return hashlib.sha256(f"{views()}{json.dumps(words())}".encode()).hexdigest()


def words() -> dict[str, dict[str, str]]:
    """What tables and views are ("about") and their columns mean, and under "all" those of any."""
    return tomllib.loads(schema_file("views/words.toml"))


def _scripts(folder: str) -> list[Script]:
    files = (resources.files("blood_hpo.database") / folder).iterdir()
    names = sorted(file.name for file in files if file.name.endswith(".sql"))
    return [Script(name, schema_file(f"{folder}/{name}")) for name in names]
