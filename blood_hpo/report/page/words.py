"""What the report says, from ``words.toml``, with facts in their places."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from blood_hpo.report.page.document import Cells, Table


@cache
def wording() -> Mapping[str, Any]:
    """Paragraphs by name, and the words around tables and drawings of a kind."""
    file = resources.files("blood_hpo.report") / "page" / "words.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def said(key: str, **facts: object) -> str:
    """A paragraph, or a part of one."""
    return str(wording()["texts"][key].format(**facts))


def table(
    kind: str,
    rows: Sequence[Cells] | Mapping[str, Sequence[Cells]],
    name: str = "",
    /,
    **facts: object,
) -> Table:
    """A table of a kind, and of that name if there are several; rows may stand in groups."""
    around = wording()["tables"][kind]
    groups = rows if isinstance(rows, Mapping) else {"": rows}
    caption, note = around["caption"].format(**facts), around.get("note", "").format(**facts)
    return Table(name or kind, caption, groups, note, around.get("folded", False))
